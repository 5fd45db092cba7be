// A function with its arguments on its way through an executor, and the future that its caller
// waits for: one object.
//
//   a thread of the executor                 whoever cancels the future, any thread
//   1. begin: Waiting -> Begun               a. drop: Waiting -> Dropped; won: takes the call out
//      Dropped: nothing to do                   of the executor's line, lets go of function and
//   2. calls the function, lets go of all       arguments
//      that was kept                         b. the future is cancelled
//   3. completes the future; cancelled
//      meanwhile: drops the result, reports
//      the exception
//   4. lets go of the Runner
//
// 1 and a are exchanges of one word: either the function never runs, or it runs to its end and
// those who hold an OutsideWork for it wait.
// Invariant: function and arguments are gone before the future is done, unless it was cancelled
// while the function ran (or by two at once: then before the first one's cancel() returns).
#pragma once

#include <coil/context.hpp>
#include <coil/detail/atomic.hpp>
#include <coil/detail/future_state.hpp>
#include <coil/detail/invoke.hpp>
#include <coil/detail/outside_work.hpp>
#include <coil/detail/ref.hpp>
#include <coil/detail/report_link.hpp>
#include <coil/detail/value_slot.hpp>
#include <coil/future.hpp>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace coil::detail {

class ExecutorCall;
class RemoteFunction;

// Where calls wait in line: an executor's shared state.
class CallHost {
 public:
  CallHost(const CallHost&) = delete;
  CallHost& operator=(const CallHost&) = delete;

  void add_ref() const noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
  void release() const noexcept {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }
  // A call that was dropped. It may have left the line meanwhile. Any thread.
  virtual void remove(ExecutorCall& call) noexcept = 0;

 protected:
  CallHost() noexcept = default;
  virtual ~CallHost() = default;

 private:
  mutable Atomic<std::uint32_t> references_{1};
};

class ExecutorCall {
 public:
  ExecutorCall(const ExecutorCall&) = delete;
  ExecutorCall& operator=(const ExecutorCall&) = delete;

  void add_ref() noexcept { future().add_ref(); }
  void release() noexcept { future().release(); }
  [[nodiscard]] virtual FutureBase& future() noexcept = 0;

  // What a process of its own needs to make the call there; null: it can be made here only.
  [[nodiscard]] virtual RemoteFunction* remote() noexcept { return nullptr; }

  // 1 to 4, by the executor, once.
  void run() noexcept {
    if (begin()) finish();
  }
  // 1 alone; true: finish(), or complete the future and finished().
  [[nodiscard]] bool begin() noexcept;
  void finish() noexcept;
  void finished() noexcept;
  // In place of 1 to 4: the call will not be made.
  void fail(std::exception_ptr error) noexcept;

  // Before the executor gets it: who waits for the call's end, beside the future.
  void hold(OutsideWork work) noexcept { work_ = std::move(work); }
  // Before it stands in line.
  void set_host(Ref<CallHost> host) noexcept { host_ = std::move(host); }

  // To the exception handler of the Runner that it came from.
  [[nodiscard]] const ReportLink& report_link() const noexcept { return reports_; }

  // The executor's, under its lock.
  ExecutorCall* previous = nullptr;
  ExecutorCall* next = nullptr;
  bool in_line = false;

 protected:
  ExecutorCall() = default;
  ~ExecutorCall() = default;

  // a. Gives what is to be dropped after the future was cancelled.
  [[nodiscard]] OutsideWork drop() noexcept;
  // Step 3's other half.
  void report_abandoned(const std::exception_ptr& error) const noexcept;

 private:
  enum class State : std::uint8_t { Waiting, Begun, Dropped };

  // 2 and 3.
  virtual void call() noexcept = 0;
  virtual void let_go() noexcept = 0;

  Atomic<State> state_{State::Waiting};
  OutsideWork work_;  // these three: written before the hand-over, then by whoever won
  Ref<CallHost> host_;
  ReportLink reports_ = ReportLink::here();
};

using CallRef = Ref<ExecutorCall>;

// R: what the future gives. `with_context`: the function sees the caller's context variables.
template <bool with_context, class R, class Fn, class... Args>
class FunctionCall : public FutureState<R>, public ExecutorCall {
 public:
  FunctionCall(Fn&& fn, KeptArgument<Args>&&... args) {
    kept_.build(std::move(fn), std::move(args)...);
  }

  // Both bases have them, and mean the same count.
  using FutureBase::add_ref;
  using FutureBase::release;

  [[nodiscard]] FutureBase& future() noexcept final { return *this; }
  // Takes over the reference that a new call counts.
  [[nodiscard]] static Future<R> take_future(FunctionCall* call) noexcept {
    return Future<R>(FutureRef(call, AdoptRef{}), call);
  }

  bool cancel(std::string_view message) final {
    const FutureRef self(this);             // the handle may be among the arguments
    const OutsideWork work = this->drop();  // goes last but one
    return FutureBase::cancel(message);
  }

 protected:
  struct NoContext {
    template <class F>
    void run(F&& fn) {
      fn();
    }
  };
  struct Kept {
    Kept(Fn&& f, KeptArgument<Args>&&... a) : fn(std::move(f)), args(std::move(a)...) {
      if constexpr (with_context) context = copy_context();
    }
    [[no_unique_address]] Fn fn;
    std::tuple<KeptArgument<Args>...> args;
    [[no_unique_address]] std::conditional_t<with_context, Context, NoContext> context{};
  };

  KeptValue<Kept> kept_;

 private:
  void report_to_handler(const ExceptionContext& context) const noexcept final {
    this->report_link().report(context);
  }
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
    if (error && !this->try_finish_error(error)) this->report_abandoned(error);
  }
  void let_go() noexcept override { kept_.reset(); }

  template <std::size_t... Is>
  void invoke_kept(KeptValue<R>& value, std::index_sequence<Is...>) {
    Kept& kept = *kept_.operator->();
    kept.context.run([&] {
      if constexpr (std::is_void_v<R>) {
        detail::invoke(kept.fn, give_argument<Args>(std::get<Is>(kept.args))...);
        value.build();
      } else {
        value.build(detail::invoke(kept.fn, give_argument<Args>(std::get<Is>(kept.args))...));
      }
    });
  }
  // What R's constructor throws, or null.
  std::exception_ptr set_result(KeptValue<R>& value) noexcept try {
    if constexpr (std::is_void_v<R>) {
      this->try_set_value();
    } else {
      this->try_set_value(value.take());
    }
    return {};
  } catch (...) {
    return std::current_exception();
  }
};

}  // namespace coil::detail
