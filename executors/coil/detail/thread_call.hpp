// One call of to_thread: the function, its arguments and its context on their way to a thread, and
// the result on its way back.
//
//   the task                                 a thread of the pool
//   1. submit(): hands the call over         a. begin: Waiting -> Begun
//   2. waits for the future; a cancel           Dropped: nothing to do
//      cancels that                          b. calls the function, lets go of all that was kept
//   3. cancelled: drop(): Waiting ->         c. completes the future; cancelled: drops the result
//      Dropped, lets go of all that          d. lets go of the Runner
//      was kept and of the Runner
//
// 3 and a are exchanges of one word: either the function never runs, and nobody waits for a thread
// to find that out, or it runs to its end and the Runner waits for it.
// Invariant: when the await returns, function and arguments are gone, unless it was cancelled while
// the function ran.
#pragma once

#include <coil/context.hpp>
#include <coil/detail/atomic.hpp>
#include <coil/detail/future_awaiter.hpp>
#include <coil/detail/invoke.hpp>
#include <coil/detail/outside_work.hpp>
#include <coil/detail/ref.hpp>
#include <coil/detail/value_slot.hpp>
#include <coil/future.hpp>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

namespace coil::detail {

extern const LeafKind to_thread_leaf;

class ThreadCallBase {
 public:
  ThreadCallBase(const ThreadCallBase&) = delete;
  ThreadCallBase& operator=(const ThreadCallBase&) = delete;

  void add_ref() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
  void release() noexcept {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

  // The task. Under simulation the call is made on its loop, soon. An error completes the future.
  void submit() noexcept;
  void drop() noexcept;

 protected:
  ThreadCallBase() = default;
  virtual ~ThreadCallBase() = default;

  // b and c.
  virtual void call() noexcept = 0;
  virtual void let_go() noexcept = 0;
  virtual void fail(std::exception_ptr error) noexcept = 0;

 private:
  enum class State : std::uint8_t { Waiting, Begun, Dropped };

  void run() noexcept;

  Atomic<std::uint32_t> references_{1};
  Atomic<State> state_{State::Waiting};
  OutsideWork work_;  // written before the hand-over, then by whoever won the exchange
};

template <class R, class Fn, class... Args>
class ThreadCall final : public ThreadCallBase {
 public:
  ThreadCall(Fn&& fn, KeptArgument<Args>&&... args)
      : kept_(std::in_place, std::move(fn), std::move(args)...) {}

  [[nodiscard]] const Future<R>& future() const noexcept { return future_; }

 private:
  struct Kept {
    Kept(Fn&& f, KeptArgument<Args>&&... a) : fn(std::move(f)), args(std::move(a)...) {}
    Fn fn;
    std::tuple<KeptArgument<Args>...> args;
    Context context = copy_context();
  };

  void call() noexcept override {
    KeptValue<R> value;
    std::exception_ptr error;
    try {
      invoke_kept(value, std::index_sequence_for<Args...>());
    } catch (...) {
      error = std::current_exception();
    }
    let_go();
    if (!error) error = set_result(value);
    if (error) future_.try_set_exception(std::move(error));
  }
  void let_go() noexcept override { kept_.reset(); }
  void fail(std::exception_ptr error) noexcept override {
    let_go();
    future_.try_set_exception(std::move(error));
  }

  template <std::size_t... Is>
  void invoke_kept(KeptValue<R>& value, std::index_sequence<Is...>) {
    Kept& kept = *kept_;
    kept.context.run([&] {
      if constexpr (std::is_void_v<R>) {
        invoke(kept.fn, give_argument<Args>(std::get<Is>(kept.args))...);
        value.build();
      } else {
        value.build(invoke(kept.fn, give_argument<Args>(std::get<Is>(kept.args))...));
      }
    });
  }
  // What R's constructor throws, or null.
  std::exception_ptr set_result(KeptValue<R>& value) noexcept try {
    if constexpr (std::is_void_v<R>) {
      future_.try_set_result();
    } else {
      future_.try_set_result(value.take());
    }
    return {};
  } catch (...) {
    return std::current_exception();
  }

  std::optional<Kept> kept_;
  Future<R> future_ = create_future<R>();
};

// Hands the call over as it suspends, so that a cancel that is pending comes first.
template <class R>
class ThreadWait final : public FutureAwaiter<R, true> {
 public:
  ThreadWait(ThreadCallBase& call, const Future<R>& future)
      : FutureAwaiter<R, true>(FutureAccess::ref(future), FutureAccess::holder(future),
                               to_thread_leaf),
        call_(call) {}

  [[nodiscard]] bool await_ready() const noexcept { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> self) {
    return self.promise().task->suspend(self, *this, [this] {
      call_.submit();
      return this->target().completion().add(*this);
    });
  }
  COIL_INLINED R await_resume() {
    if (this->aborted != Abort::None) [[unlikely]]
      call_.drop();
    return FutureAwaiter<R, true>::await_resume();
  }

 private:
  ThreadCallBase& call_;
};

}  // namespace coil::detail
