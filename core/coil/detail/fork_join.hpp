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
  // Gives the result, or throws.
  static decltype(auto) take(std::coroutine_handle<> child) {
    if constexpr (std::is_void_v<T>) {
      promise(child).take();
      return std::monostate();
    } else if constexpr (std::is_reference_v<T>) {
      return static_cast<T>(promise(child).take());
    } else {
      return T(promise(child).take());
    }
  }
  static decltype(auto) take(FutureBase* task, std::coroutine_handle<> child) {
    if (task == nullptr) return take(child);
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
    if (has_rest() || !children_[0].frame || !promise_of(children_[0]).continuation) [[unlikely]] {
      destroy_unusually();
    } else {
      // The last first, so that the next fork finds memory in the same order.
      for (std::size_t i = count; i-- > 0;) children_[i].frame.destroy();
    }
  }

  void check_startable() const {
    for (const ForkedChild& child : children_)
      if (!child.frame || promise_of(child).continuation) [[unlikely]]
        throw std::runtime_error("coil: cannot fork an already awaited coroutine");
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
      // In reverse, so that they are taken in order, and the last is stolen first.
      for (std::size_t i = count; --i > 0;) {
        if (!push_fork(children_[i])) [[unlikely]] {
          push_no_more(static_cast<std::uint32_t>(i + 1));
          break;
        }
      }
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
    if (promise_of(self.children_[I]).error || !join.promise.task->context.empty()) [[unlikely]]
      COIL_TAIL_CALL ended_unusually<I>(frame);
    FrameHeader* next = nullptr;
    if constexpr (I + 1 < count) {
      if (!take_fork(self.children_[I + 1])) [[unlikely]]
        COIL_TAIL_CALL ended_unusually<I>(frame);
      join.resume = &ended<I + 1>;
      next = static_cast<FrameHeader*>(self.children_[I + 1].frame.address());
    } else {
      next = static_cast<FrameHeader*>(join.promise.leave().address());
    }
    COIL_TAIL_CALL next->resume(next);
  }
  template <std::size_t I>
  COIL_ANY_FUNCTION static void ended_unusually(FrameHeader* frame) {
    static_cast<ForkJoin&>(of(frame)).note_unusual(I);
    COIL_TAIL_CALL child_ended(frame);
  }

  template <std::size_t... I>
  Results results(std::index_sequence<I...>) {
    if (has_rest()) [[unlikely]] {
      finish();
      return Results(ForkChild<Ts>::take(branch_task(I), children_[I].frame)...);
    }
    return Results(ForkChild<Ts>::take(children_[I].frame)...);
  }

  // Some are destroyed already, by the tasks that took them over; or it was never awaited.
  [[gnu::noinline]] void destroy_unusually() noexcept {
    for (std::size_t i = count; i-- > 0;) {
      const ForkedChild& child = children_[i];
      if (!child.frame) continue;
      if (has_rest() && branch_task(static_cast<std::uint32_t>(i)) != nullptr) continue;
      if (!promise_of(child).continuation) report_never_awaited(promise_of(child).where);
      child.frame.destroy();
    }
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
