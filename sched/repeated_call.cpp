#include "repeated_call.hpp"

#include <coil/detail/scheduler.hpp>
#include <coil/exception_context.hpp>
#include <utility>

namespace coil::detail {

RepeatedCall::RepeatedCall(UniqueFunction<void()> fn) noexcept : fn_(std::move(fn)) {
  if (context_in_use()) context_.inherit_current();
}

void RepeatedCall::call_in_context() {
  if (!context_in_use()) return fn_();
  const ContextEntry entered(context_);
  fn_();
}

void RepeatedCall::call(const char* message) noexcept {
  try {
    call_in_context();
  } catch (...) {
    ExceptionContext context;
    context.message = message;
    context.exception = std::current_exception();
    report(context);
  }
}

}  // namespace coil::detail
