// What every asynchronous generator carries, whatever it yields: who runs it, who holds it, and
// what becomes of one that is dropped in the middle.
//
// A step (next() or aclose()) runs the body in place, in the task that awaits it, until the next
// co_yield or the end.
//
//   Created -> Running <-> Suspended (at a co_yield) -> Finished
//
// Invariant: whoever changes the state to Running (acquire) has the frame to itself until it
// stores what comes after (release), which it does once it has taken the item: so a second step
// is refused, on whatever loop, and steps may come from one task after the other.
// Who is started and not finished stands in the registry of the loop where it was started, so that
// run() finds and closes what is left. The last reference to go hands such a one to the loop.
#pragma once

#include <coil/detail/future_base.hpp>
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
  enum class State : std::uint8_t { Created, Suspended, Running, Finished };
  enum class Step : std::uint8_t { Run, Ended, Busy };

  GeneratorBase(const GeneratorBase&) = delete;
  GeneratorBase& operator=(const GeneratorBase&) = delete;

  void add_ref() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
  void release() noexcept {
    if (references_.load(std::memory_order_acquire) == 1 ||
        references_.fetch_sub(1, std::memory_order_acq_rel) == 1)
      drop();
  }
  // For the registry, which holds no reference. False: it is being dropped.
  [[nodiscard]] bool try_add_ref() noexcept;

  // A step: begin, resume, and once control is back, end.
  [[nodiscard]] Step begin() noexcept;
  template <class P>
  std::coroutine_handle<> resume_in(std::coroutine_handle<P> consumer) noexcept {
    enter(consumer);
    if (!started_) [[unlikely]]
      note_started();
    return frame_;
  }
  void end_at_yield() noexcept { state_.store(State::Suspended, std::memory_order_release); }
  void end_finished() noexcept;
  // The body has ended. Its exception, if that is why.
  [[nodiscard]] bool ended() const noexcept { return ended_; }
  [[nodiscard]] std::exception_ptr take_error() noexcept { return std::move(error_); }

  [[nodiscard]] bool finished() const noexcept {
    return state_.load(std::memory_order_acquire) == State::Finished;
  }
  // aclose() of one that has not run: true, it is finished.
  [[nodiscard]] bool finish_unstarted() noexcept;
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
  Atomic<std::uint32_t> references_{1};
  Atomic<State> state_{State::Created};
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
