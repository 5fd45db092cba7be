// What every asynchronous generator carries, whatever it yields, and what becomes of one that is
// dropped in the middle.
//
// A step (next() or aclose()) runs the body in place, in the task that awaits it, until the next
// co_yield or the end.
// Invariant: a generator that has begun and not finished stands in the registry of the loop where
// it began, so that run() finds and closes what is left; the last reference to go hands such a one
// to the loop. See generator_state.hpp for who may touch the frame.
#pragma once

#include <coil/detail/future_base.hpp>
#include <coil/detail/generator_state.hpp>
#include <coil/detail/promise_base.hpp>
#include <coil/detail/runnable.hpp>
#include <coil/exceptions.hpp>
#include <cstdint>
#include <exception>
#include <utility>

namespace coil {
template <class T>
class Coro;
}

namespace coil::detail {

class GeneratorBase : public PromiseBase, public Runnable {
 public:
  using Phase = GeneratorState::Phase;
  using Step = GeneratorState::Step;

  GeneratorBase(const GeneratorBase&) = delete;
  GeneratorBase& operator=(const GeneratorBase&) = delete;

  void add_ref() noexcept { state_.add_ref(); }
  void release() noexcept {
    if (state_.drop_ref()) drop();
  }
  [[nodiscard]] GeneratorState& state() noexcept { return state_; }

  // A step: state().begin(), resume, and once control is back, end.
  template <class P>
  std::coroutine_handle<> resume_in(std::coroutine_handle<P> consumer) noexcept {
    enter(consumer, frame_);
    if (!started_) [[unlikely]]
      note_started();
    return frame_;
  }
  void end_at_yield() noexcept { state_.end(Phase::Suspended); }
  void end_finished() noexcept;
  // The body has ended. Its exception, if that is why.
  [[nodiscard]] bool ended() const noexcept { return ended_; }
  [[nodiscard]] std::exception_ptr take_error() noexcept { return std::move(error_); }

  [[nodiscard]] bool finished() const noexcept { return state_.phase() == Phase::Finished; }
  void throw_at_yield() noexcept { closing_ = true; }

  // Suspended, and given up by its consumer: a task of this loop closes it (or, off a loop, of the
  // loop where it was started).
  void close_soon() noexcept;
  // The task that closes it, if the loop does.
  [[nodiscard]] const FutureRef& closer() const noexcept { return closer_; }
  // Makes that task, on `home` or this thread's loop.
  static FutureRef close_in_task(Ref<GeneratorBase> generator, Loop* home);

  void unhandled_exception() noexcept {
    error_ = std::current_exception();
    ended_ = true;
    trace(error_);
  }
  void return_void() noexcept { ended_ = true; }

  // The registry's own, under its lock; registry may be read by anybody.
  GeneratorBase* registry_previous = nullptr;
  GeneratorBase* registry_next = nullptr;
  const void* registry_pool = nullptr;
  Atomic<void*> registry{nullptr};

 protected:
  GeneratorBase(std::coroutine_handle<> frame, std::source_location where) noexcept
      : PromiseBase(where), frame_(frame) {}
  ~GeneratorBase() = default;

  struct YieldAwaiter {
    GeneratorBase& self;
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    [[nodiscard]] std::coroutine_handle<> await_suspend(std::coroutine_handle<>) const noexcept {
      return self.leave();
    }
    void await_resume() const {
      if (self.closing_) [[unlikely]]
        throw GeneratorExit();
    }
  };

 private:
  void drop() noexcept;
  void note_started() noexcept;
  void hand_over() noexcept;

  std::coroutine_handle<> frame_;
  GeneratorState state_;
  bool started_ = false;
  bool closing_ = false;
  bool ended_ = false;
  std::exception_ptr error_;
  FutureRef closer_;
};

using GeneratorRef = Ref<GeneratorBase>;

// Closes it, or waits until the loop has. In generator.cpp.
[[nodiscard]] Coro<void> close_generator(GeneratorRef generator);
[[noreturn]] void throw_generator_busy(const char* operation);

}  // namespace coil::detail
