// A callback that a loop calls again and again: a signal's, a descriptor's.
#pragma once

#include <coil/detail/context_slot.hpp>
#include <coil/detail/unique_function.hpp>

namespace coil::detail {

class RepeatedCall {
 public:
  // Remembers the context of whoever makes it, in which all calls run.
  explicit RepeatedCall(UniqueFunction<void()> fn) noexcept;

  // On its loop. What it throws goes to the exception handler, under this message.
  void call(const char* message) noexcept;

 private:
  void call_in_context();

  UniqueFunction<void()> fn_;
  ContextSlot context_;
};

}  // namespace coil::detail
