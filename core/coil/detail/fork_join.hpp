// The usual way through a fork of known types: fork_wait.hpp.
#pragma once

#include <coil/detail/fork_wait.hpp>
#include <coil/detail/task_impl.hpp>
#include <cstddef>
#include <stdexcept>
#include <tuple>
#include <type_traits>
#include <utility>

namespace coil::detail {

template <class T>
struct ForkChild {
  using Handle = typename Coro<T>::Handle;
  [[nodiscard]] static CoroPromise<T>& promise(std::coroutine_handle<> child) noexcept {
    return Handle::from_address(child.address()).promise();
  }
  static TaskBase* make_task(std::coroutine_handle<> child) {
    // The memory comes first: where there is none, the coroutine is untouched.
    return new TaskImpl<T>(Coro<T>(Handle::from_address(child.address())), promise(child).where);
  }
  // Of one that has not failed.
  static decltype(auto) take_value(std::coroutine_handle<> child) {
    if constexpr (std::is_void_v<T>) {
      return std::monostate();
    } else if constexpr (std::is_reference_v<T>) {
      return static_cast<T>(promise(child).slot.take());
    } else {
      return T(promise(child).slot.take());
    }
  }
  // Gives the result, or throws.
  static decltype(auto) take(FutureBase* task, std::coroutine_handle<> child) {
    if (task == nullptr) return take_value(child);
    return read_result<T>(static_cast<TaskImpl<T>&>(*task), true);
  }
};

template <class... Ts>
class ForkJoin : public ForkWait {
 public:
  using Results = std::tuple<NonVoid<Ts>...>;
  static constexpr std::size_t count = sizeof...(Ts);

  explicit ForkJoin(std::coroutine_handle<CoroPromise<Ts>>... children) noexcept
      : children_{{children}...} {}
  ForkJoin(ForkJoin&& unawaited) noexcept : ForkWait(std::move(unawaited)) {
    for (std::size_t i = 0; i < count; ++i)
      children_[i] = std::exchange(unawaited.children_[i], {});
  }
  ForkJoin& operator=(ForkJoin&&) = delete;
  ~ForkJoin() {
    if (any_left(std::index_sequence_for<Ts...>())) [[unlikely]]
      destroy_unusually();
  }

  void check_startable() const {
    for (const ForkedChild& child : children_)
      if (!child.frame) [[unlikely]]
        fail_awaited();
  }

  [[nodiscard]] bool await_ready() const noexcept { return false; }
  template <class P>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<P> parent) noexcept {
    TaskBase& task = *parent.promise().task;
    begin(parent, task, shape, &ended<0>);
    for (const ForkedChild& child : children_) {
      PromiseBase& promise = promise_of(child);
      promise.continuation = join().handle();
      promise.task = &task;
    }
    if (is_unusual(task)) [[unlikely]] {
      begin_unusually();
    } else {
      push_rest(std::make_index_sequence<count - 1>());
    }
    return children_[0].frame;
  }
  Results await_resume() { return results(std::index_sequence_for<Ts...>()); }

 private:
  // Child I has ended, and all before it, here.
  template <std::size_t I>
  COIL_ANY_FUNCTION static void ended(FrameHeader* frame) {
    auto& self = static_cast<ForkJoin&>(of(frame));
    JoinFrame& join = self.join();
    if (!join.promise.task->context.empty()) [[unlikely]]
      COIL_TAIL_CALL ended_unusually<I>(frame);
    FrameHeader* next = nullptr;
    if constexpr (I + 1 < count) {
      const ForkTaken taken = try_take_fork(self.children_[I + 1]);
      if (taken != ForkTaken::Yes) [[unlikely]] {
        if (taken == ForkTaken::Perhaps) COIL_TAIL_CALL finish_take<I>(frame);
        COIL_TAIL_CALL ended_unusually<I>(frame);
      }
      next = next_of<I>(self);
    } else {
      next = static_cast<FrameHeader*>(join.promise.leave().address());
    }
    COIL_TAIL_CALL next->resume(next);
  }
  template <std::size_t I>
  [[nodiscard]] static FrameHeader* next_of(ForkJoin& self) noexcept {
    self.join().resume = &ended<I + 1>;
    return static_cast<FrameHeader*>(self.children_[I + 1].frame.address());
  }
  // Apart, so that ended() needs no stack.
  template <std::size_t I>
  COIL_ANY_FUNCTION [[gnu::noinline]] static void finish_take(FrameHeader* frame) {
    if (!finish_take_fork()) COIL_TAIL_CALL ended_unusually<I>(frame);
    FrameHeader* next = next_of<I>(static_cast<ForkJoin&>(of(frame)));
    COIL_TAIL_CALL next->resume(next);
  }
  template <std::size_t I>
  COIL_ANY_FUNCTION [[gnu::noinline]] static void ended_unusually(FrameHeader* frame) {
    static_cast<ForkJoin&>(of(frame)).note_unusual(I);
    COIL_TAIL_CALL child_ended(frame);
  }

  [[noreturn, gnu::noinline]] static void fail_awaited() {
    throw std::runtime_error("coil: cannot fork an already awaited coroutine");
  }

  // In reverse, so that they are taken in order, and the last is stolen first.
  template <std::size_t... I>
  void push_rest(std::index_sequence<I...>) noexcept {
    (void)(push_or_stop<count - 1 - I>() && ...);
  }
  template <std::size_t I>
  bool push_or_stop() noexcept {
    if (push_fork(children_[I])) [[likely]]
      return true;
    push_no_more(static_cast<std::uint32_t>(I + 1));
    return false;
  }

  template <std::size_t... I>
  Results results(std::index_sequence<I...>) {
    if (has_rest()) [[unlikely]]
      return unusual_results(std::index_sequence<I...>());
    const AtExit<&ForkJoin::destroy> destroyed{*this};
    return Results(ForkChild<Ts>::take_value(children_[I].frame)...);
  }
  template <std::size_t... I>
  [[gnu::noinline]] Results unusual_results(std::index_sequence<I...>) {
    const AtExit<&ForkJoin::destroy_unusually> destroyed{*this};
    finish();
    return Results(ForkChild<Ts>::take(branch_task(I), children_[I].frame)...);
  }

  template <void (ForkJoin::*fn)() noexcept>
  struct AtExit {
    ~AtExit() { (fork.*fn)(); }
    ForkJoin& fork;
  };
  // All have ended here, and none has failed: the usual way.
  void destroy() noexcept { destroy(std::make_index_sequence<count>()); }
  // The last first, so that the next fork finds memory in the same order.
  template <std::size_t... I>
  void destroy(std::index_sequence<I...>) noexcept {
    (children_[count - 1 - I].frame.destroy(), ...);
    ((children_[I].frame = {}), ...);
  }

  template <std::size_t... I>
  [[nodiscard]] bool any_left(std::index_sequence<I...>) const noexcept {
    return (static_cast<bool>(children_[I].frame) || ...);
  }
  // Some may be destroyed already, by the tasks that took them over; or it was never awaited.
  [[gnu::noinline]] void destroy_unusually() noexcept {
    for (std::size_t i = count; i-- > 0;) {
      const ForkedChild child = std::exchange(children_[i], {});
      if (!child.frame) continue;
      if (has_rest() && branch_task(static_cast<std::uint32_t>(i)) != nullptr) continue;
      if (!promise_of(child).continuation) report_never_awaited(promise_of(child).where);
      child.frame.destroy();
    }
    if (has_rest()) destroy_rest();
  }

  [[nodiscard]] static ForkedChild* children(ForkWait& fork) noexcept {
    return static_cast<ForkJoin&>(fork).children_;
  }
  [[nodiscard]] static ForkBranch* branches(ForkWait& fork) noexcept {
    return reinterpret_cast<ForkBranch*>(static_cast<ForkJoin&>(fork).branch_memory_);
  }
  static constexpr ForkShape::MakeTask make_task[] = {&ForkChild<Ts>::make_task...};
  static constexpr ForkShape shape{count, make_task, &children, &branches};

  ForkedChild children_[count];
  alignas(ForkBranch) std::byte branch_memory_[count * sizeof(ForkBranch)];
};

}  // namespace coil::detail
