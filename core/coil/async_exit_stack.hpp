// AsyncExitStack (contextlib.AsyncExitStack): any number of things to leave, last in first out.
#pragma once

#include <coil/awaitable.hpp>
#include <coil/coro.hpp>
#include <coil/detail/box.hpp>
#include <coil/detail/invoke.hpp>
#include <coil/detail/unique_function.hpp>
#include <coil/with.hpp>
#include <exception>
#include <type_traits>
#include <utility>
#include <vector>

namespace coil {

// A manager for `with`, which leaves all that is on it when the body has ended:
//
//   co_await with(AsyncExitStack(), [&](AsyncExitStack& stack) -> Coro<> {
//     auto& a = co_await stack.enter(Connection(address));
//     stack.push_async_callback([&]() -> Coro<> { co_await a.flush(); });
//   });
//
// For one task at a time. Without `with`, call aclose(): dropped, it forgets what is on it.
class AsyncExitStack {
 public:
  AsyncExitStack() = default;
  AsyncExitStack(AsyncExitStack&&) noexcept = default;
  AsyncExitStack& operator=(AsyncExitStack&&) noexcept = default;
  ~AsyncExitStack() = default;

  // Awaited: enters the manager, gives what its aenter() gives, and leaves it later
  // (enter_async_context). One without a name is kept until then.
  template <class M>
  [[nodiscard]] auto enter(M&& manager) {
    static_assert(AsyncContextManager<M>,
                  "AsyncExitStack::enter: not an AsyncContextManager. It needs Coro<R> aenter() "
                  "and Coro<bool> or Coro<void> aexit(std::exception_ptr)");
    return enter_now<M>(*this, std::forward<M>(manager));
  }
  // Awaits fn(args...) when its turn comes; it does not see the exception and cannot swallow it.
  template <class Fn, class... Args>
  void push_async_callback(Fn fn, Args... args) {
    static_assert(Awaitable<std::invoke_result_t<Fn&, Args&&...>>,
                  "push_async_callback: the function gives nothing to await; use callback()");
    exits_.emplace_back([fn = std::move(fn), ... args = detail::KeptArgument<Args>(std::move(
                                                 args))](std::exception_ptr) mutable -> Coro<bool> {
      (void)co_await fn(detail::give_argument<Args>(args)...);
      co_return false;
    });
  }
  // Calls fn(args...) when its turn comes.
  template <class Fn, class... Args>
  void callback(Fn fn, Args... args) {
    static_assert(!Awaitable<std::invoke_result_t<Fn&, Args&&...>>,
                  "callback: the function gives something to await; use push_async_callback()");
    exits_.emplace_back([fn = std::move(fn), ... args = detail::KeptArgument<Args>(std::move(
                                                 args))](std::exception_ptr) mutable -> Coro<bool> {
      (void)fn(detail::give_argument<Args>(args)...);
      co_return false;
    });
  }
  // Awaits fn(exception or null) when its turn comes, as it would a manager's aexit().
  template <class Fn>
  void push_async_exit(Fn fn) {
    exits_.emplace_back([fn = std::move(fn)](std::exception_ptr error) mutable -> Coro<bool> {
      if constexpr (std::is_void_v<AwaitResult<std::invoke_result_t<Fn&, std::exception_ptr>>>) {
        co_await fn(std::move(error));
        co_return false;
      } else {
        co_return co_await fn(std::move(error));
      }
    });
  }

  // Another stack with all that is on this one, which then has nothing to leave any more.
  [[nodiscard]] AsyncExitStack pop_all() noexcept { return std::exchange(*this, AsyncExitStack()); }
  // Leaves everything, newest first, and throws what the last one to throw threw.
  [[nodiscard]] Coro<> aclose();

  // As a manager. aexit() gives true if one of those on it swallowed the exception; an exception
  // that one of them throws takes the place of that before, and goes on to the next.
  [[nodiscard]] Coro<AsyncExitStack&> aenter();
  [[nodiscard]] Coro<bool> aexit(std::exception_ptr error);

 private:
  using Exit = detail::UniqueFunction<Coro<bool>(std::exception_ptr)>;

  template <class M>
  static auto keep(M&& manager) {
    if constexpr (std::is_lvalue_reference_v<M>) {
      return &manager;
    } else {
      return detail::Box<M>(new M(std::forward<M>(manager)));
    }
  }
  template <class M>
  static Coro<detail::AenterResult<M>> enter_now(AsyncExitStack& self, M manager) {
    auto kept = keep<M>(std::forward<M>(manager));
    std::remove_reference_t<M>& held = *kept;
    const auto push = [&] {
      self.push_async_exit([kept = std::move(kept)](std::exception_ptr error) {
        return kept->aexit(std::move(error));
      });
    };
    if constexpr (std::is_void_v<detail::AenterResult<M>>) {
      co_await held.aenter();
      push();
    } else {
      decltype(auto) entered = co_await held.aenter();
      push();
      co_return std::forward<decltype(entered)>(entered);
    }
  }

  std::vector<Exit> exits_;
};

}  // namespace coil
