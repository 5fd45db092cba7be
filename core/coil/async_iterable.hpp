// AsyncIterable and COIL_FOR_AWAIT (Python's `async for`, with contextlib.aclosing around it).
#pragma once

#include <coil/awaitable.hpp>
#include <coil/coro.hpp>
#include <coil/detail/promise_base.hpp>
#include <optional>
#include <type_traits>
#include <utility>

namespace coil {

// Has next(), an awaitable that gives the next item or nothing: a std::optional, a pointer, or
// whatever else tests as bool and has a `*`. AsyncGenerator, a MemoryChannel's receiver and
// as_completed are; a type of your own needs no more than this.
template <class I>
concept AsyncIterable = requires(std::remove_reference_t<I>& iterable) {
  { iterable.next() } -> Awaitable;
} && requires(AwaitResult<decltype(std::declval<std::remove_reference_t<I>&>().next())> item) {
  static_cast<bool>(item);
  *item;
};

namespace detail {

// Awaits a coroutine, or nothing.
class MaybeAwait : public NativeAwaiter {
 public:
  explicit MaybeAwait(Coro<> coro = {}) noexcept : coro_(std::move(coro)) {}

  [[nodiscard]] bool await_ready() const noexcept { return !coro_; }
  template <class P>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<P> self) {
    inner_.emplace(coro_.release());
    return inner_->await_suspend(self);
  }
  void await_resume() {
    if (inner_) inner_->await_resume();
  }

 private:
  Coro<> coro_;
  std::optional<CoroAwaiter<void>> inner_;
};

template <class I>
concept ClosesItself = requires(I& iterable) { iterable.close_after_loop(); };
template <class I>
concept Closable = requires(I& iterable) { iterable.aclose(); };

// What COIL_FOR_AWAIT iterates over: a reference to what has a name, else the thing itself.
template <class I>
class ForAwait {
 public:
  explicit ForAwait(I&& iterable) : iterable_(std::forward<I>(iterable)) {}
  ForAwait(const ForAwait&) = delete;
  ForAwait& operator=(const ForAwait&) = delete;
  ~ForAwait() {
    // Left by an exception or a return: nothing can be awaited here.
    if constexpr (ClosesItself<I>)
      if (open_) iterable_.close_soon();
  }

  [[nodiscard]] bool open() const noexcept { return open_; }
  [[nodiscard]] decltype(auto) next() { return iterable_.next(); }
  // After the last item or a break.
  [[nodiscard]] MaybeAwait close() {
    open_ = false;
    if constexpr (ClosesItself<I>) {
      return MaybeAwait(iterable_.close_after_loop());
    } else if constexpr (Closable<I>) {
      return MaybeAwait(as_coro(iterable_.aclose()));
    } else {
      return MaybeAwait();
    }
  }

 private:
  I iterable_;
  bool open_ = true;
};

template <class I>
[[nodiscard]] ForAwait<I> for_await(I&& iterable) {
  static_assert(AsyncIterable<I>,
                "COIL_FOR_AWAIT: not an AsyncIterable. It needs a next() that can be awaited and "
                "gives something like a std::optional");
  return ForAwait<I>(std::forward<I>(iterable));
}

}  // namespace detail
}  // namespace coil

// COIL_FOR_AWAIT (auto&& item, iterable) { … } in a coroutine: the body for each item, as it comes.
//
// break awaits iterable.aclose(), if it has one; where an AsyncGenerator's loop is left by an
// exception, a cancel or a return, the loop closes it as soon as it can, also if it has a name. A
// declaration with a comma goes in parentheses: COIL_FOR_AWAIT ((auto&& [a, b]), pairs()).
#define COIL_FOR_AWAIT(declaration, ...)                        \
  COIL_DETAIL_FOR_AWAIT(COIL_DETAIL_JOIN(coil_loop_, __LINE__), \
                        COIL_DETAIL_JOIN(coil_item_, __LINE__), declaration, __VA_ARGS__)
#define COIL_DETAIL_FOR_AWAIT(loop, item, declaration, ...)                                    \
  for (auto loop = ::coil::detail::for_await(__VA_ARGS__); loop.open(); co_await loop.close()) \
    while (auto item = co_await loop.next())                                                   \
      if (COIL_DETAIL_BARE(declaration) = *::std::move(item); false) {                         \
      } else

#define COIL_DETAIL_JOIN(a, b) COIL_DETAIL_JOIN_NOW(a, b)
#define COIL_DETAIL_JOIN_NOW(a, b) a##b
// Takes the parentheses off, if there are any.
#define COIL_DETAIL_BARE(x) COIL_DETAIL_STRIP(COIL_DETAIL_MARK x)
#define COIL_DETAIL_MARK(...) COIL_DETAIL_MARK __VA_ARGS__
#define COIL_DETAIL_STRIP(...) COIL_DETAIL_STRIP_NOW(__VA_ARGS__)
#define COIL_DETAIL_STRIP_NOW(...) COIL_DETAIL_NO_##__VA_ARGS__
#define COIL_DETAIL_NO_COIL_DETAIL_MARK
