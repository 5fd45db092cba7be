// A Runner's exception handler: the user's, or one that prints.
#pragma once

#include <coil/detail/counted.hpp>
#include <coil/detail/unique_function.hpp>
#include <coil/exception_context.hpp>
#include <memory>
#include <mutex>

namespace coil::detail {

// Counted: a failed task keeps it, and may outlive the Runner, which leaves it empty.
class ExceptionHandler : public Counted<ExceptionHandler> {
 public:
  // Empty: the default one. Also from inside the handler, which lives until it has returned.
  void set(UniqueFunction<void(const ExceptionContext&)> fn);
  // Any thread. Never concurrently with itself; from inside itself it goes to the default.
  void call(const ExceptionContext& context) noexcept;

 private:
  using Function = UniqueFunction<void(const ExceptionContext&)>;

  std::recursive_mutex mutex_;
  bool inside_ = false;
  std::shared_ptr<Function> fn_;
};

// Prints one report to standard error, as one write.
void print_exception_context(const ExceptionContext& context) noexcept;

}  // namespace coil::detail
