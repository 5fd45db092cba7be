// CapacityLimiter: so many at a time, each at most once (trio.CapacityLimiter).
#pragma once

#include <coil/detail/address_set.hpp>
#include <coil/detail/already_done.hpp>
#include <coil/detail/check.hpp>
#include <coil/detail/promise_base.hpp>
#include <coil/detail/wait_line.hpp>
#include <coil/would_block.hpp>
#include <coroutine>
#include <exception>
#include <utility>

namespace coil {

namespace detail {
class TokenWait;
class ScopedTokenWait;
struct AcquireToken;
struct AcquireTokenScoped;
}  // namespace detail

// A sack of tokens. Unlike a semaphore's permits they are borrowed by somebody, the running task
// unless said otherwise, who may hold one at a time, and who gives it back. Fair: first come, first
// served. All members from any thread, but the running task's need a task. Must outlive whoever
// waits.
class CapacityLimiter {
 public:
  class Guard;

  // std::invalid_argument if `total_tokens` is less than 1.
  explicit CapacityLimiter(int total_tokens);
  ~CapacityLimiter() {
    COIL_CHECK(line_.empty(), "a CapacityLimiter is destroyed while tasks wait for it");
  }
  CapacityLimiter(const CapacityLimiter&) = delete;
  CapacityLimiter& operator=(const CapacityLimiter&) = delete;

  // co_await limiter.acquire(): borrows a token. Suspends only if there is none. Throws
  // std::runtime_error if the borrower holds one already, and CancelledError, and then has none.
  detail::AcquireToken acquire() noexcept;
  // For another borrower than the running task: the address of anything, compared and not used.
  detail::AcquireToken acquire_on_behalf_of(const void* borrower);
  // auto guard = co_await limiter.scoped(): the guard, on whatever task it ends, gives the token
  // back.
  detail::AcquireTokenScoped scoped() noexcept;
  // co_await with(limiter, body): holds it while the body runs.
  detail::AcquireToken aenter() noexcept;
  detail::AlreadyDone aexit(const std::exception_ptr& /*error*/) {
    release();
    return {};
  }
  // Now, or WouldBlock.
  void acquire_nowait();
  void acquire_on_behalf_of_nowait(const void* borrower);

  // Gives the token back: to the next in line. std::runtime_error if the borrower holds none.
  void release();
  void release_on_behalf_of(const void* borrower);

  [[nodiscard]] int total_tokens() const noexcept;
  // More: some who wait get theirs now. Fewer: who holds one keeps it, and nobody gets one until
  // enough have come back. std::invalid_argument if less than 1.
  void set_total_tokens(int total_tokens);
  [[nodiscard]] int borrowed_tokens() const noexcept;
  // Less than 0 after the total was lowered under what is borrowed.
  [[nodiscard]] int available_tokens() const noexcept;

 private:
  friend class detail::TokenWait;
  enum class Borrowed : unsigned char { Yes, NoneLeft, HadOne };

  [[nodiscard]] static const void* running_borrower(const char* what);
  // These under the lock.
  [[nodiscard]] Borrowed borrow(const void* borrower);
  [[nodiscard]] detail::Waiter* hand_out() noexcept;
  [[nodiscard]] int available() const noexcept {
    return total_ - static_cast<int>(borrowers_.size());
  }

  mutable detail::WaitLine line_;
  // Under the line's lock. While somebody waits, all tokens are out.
  int total_;
  int waiting_ = 0;
  detail::AddressSet borrowers_;  // with room for who waits
};

// Gives a token back at its end. Movable.
class [[nodiscard("dropped at once, a guard guards nothing")]] CapacityLimiter::Guard {
 public:
  Guard() noexcept = default;
  // Takes over a token that `borrower` holds.
  Guard(CapacityLimiter& limiter, const void* borrower) noexcept
      : limiter_(&limiter), borrower_(borrower) {}
  Guard(Guard&& other) noexcept
      : limiter_(std::exchange(other.limiter_, nullptr)), borrower_(other.borrower_) {}
  Guard& operator=(Guard&& other) noexcept {
    Guard taken(std::move(other));
    std::swap(limiter_, taken.limiter_);
    std::swap(borrower_, taken.borrower_);
    return *this;
  }
  ~Guard() {
    if (limiter_ != nullptr) limiter_->release_on_behalf_of(borrower_);
  }

  // Gives it back now. Does nothing if there is none.
  void release() {
    if (limiter_ != nullptr) std::exchange(limiter_, nullptr)->release_on_behalf_of(borrower_);
  }
  [[nodiscard]] explicit operator bool() const noexcept { return limiter_ != nullptr; }

 private:
  CapacityLimiter* limiter_ = nullptr;
  const void* borrower_ = nullptr;
};

namespace detail {

class TokenWait : public Waiter {
 public:
  TokenWait(CapacityLimiter& limiter, const void* borrower) noexcept
      : Waiter(leaf_kind, limiter.line_), limiter_(limiter), borrower_(borrower) {}

  [[nodiscard]] bool await_ready() const noexcept { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> self) {
    task = self.promise().task;
    if (borrower_ == nullptr) borrower_ = task;
    if (!borrow(false)) return false;
    return task->suspend(self, *this, [this] { return borrow(true); });
  }
  void await_resume();

 protected:
  [[nodiscard]] CapacityLimiter& limiter() const noexcept { return limiter_; }
  [[nodiscard]] const void* borrower() const noexcept { return borrower_; }

 private:
  friend class coil::CapacityLimiter;

  // True: there is none left, and, if `stay`, it is in line.
  [[nodiscard]] bool borrow(bool stay);
  static HookResult leave(Suspension& leaf, Abort kind) noexcept;
  static const LeafKind leaf_kind;

  CapacityLimiter& limiter_;
  const void* borrower_;
  CapacityLimiter::Borrowed outcome_ = CapacityLimiter::Borrowed::NoneLeft;
};

class ScopedTokenWait : public TokenWait {
 public:
  using TokenWait::TokenWait;
  [[nodiscard]] CapacityLimiter::Guard await_resume() {
    TokenWait::await_resume();
    return {limiter(), borrower()};
  }
};

// What acquire() and scoped() return: may be copied and handed on, where the awaiter may not.
struct [[nodiscard("nothing is acquired until it is awaited")]] AcquireToken {
  CapacityLimiter& limiter;
  const void* borrower;
  [[nodiscard]] TokenWait operator co_await() const noexcept { return {limiter, borrower}; }
};
struct [[nodiscard("nothing is acquired until it is awaited")]] AcquireTokenScoped {
  CapacityLimiter& limiter;
  [[nodiscard]] ScopedTokenWait operator co_await() const noexcept { return {limiter, nullptr}; }
};

}  // namespace detail

inline detail::AcquireToken CapacityLimiter::acquire() noexcept { return {*this, nullptr}; }
inline detail::AcquireToken CapacityLimiter::aenter() noexcept { return {*this, nullptr}; }
inline detail::AcquireTokenScoped CapacityLimiter::scoped() noexcept { return {*this}; }

}  // namespace coil
