// A Runner's exception handler: the user's, or one that prints.
#pragma once

#include <coil/detail/unique_function.hpp>
#include <coil/exception_context.hpp>
#include <mutex>

namespace coil::detail {

class ExceptionHandler {
 public:
  // Empty: the default one.
  void set(UniqueFunction<void(const ExceptionContext&)> fn);
  // Any thread. Never concurrently with itself; from inside itself it goes to the default.
  void call(const ExceptionContext& context) noexcept;

 private:
  std::recursive_mutex mutex_;
  bool inside_ = false;
  UniqueFunction<void(const ExceptionContext&)> fn_;
};

// Prints one report to standard error, as one write.
void print_exception_context(const ExceptionContext& context) noexcept;

}  // namespace coil::detail
