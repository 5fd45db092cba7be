// A model thread's own stack, switched to and from by hand: one execution switches a dozen times,
// and swapcontext would spend two system calls on each.
//
// Invariant: a fiber is abandoned, never unwound, when an execution ends early; its stack is
// handed to the next execution as it is.
#pragma once

#include <cstddef>

namespace model {

class Fiber {
 public:
  using Entry = void (*)();

  Fiber() = default;
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;
  ~Fiber();

  // The next switch to this fiber calls `entry`, which must not return.
  void prepare(Entry entry);
  // Saves the running context in `from` and goes on in `to`.
  static void switch_to(Fiber& from, Fiber& to);

 private:
  // The exceptions that are being handled belong to the stack, but the runtime keeps them per
  // OS thread, so they are swapped along (__cxa_eh_globals: one pointer, one counter).
  struct Handled {
    void* caught = nullptr;
    unsigned uncaught = 0;
  };

  void* stack_ = nullptr;
  void* stack_pointer_ = nullptr;
  Handled handled_;
};

}  // namespace model
