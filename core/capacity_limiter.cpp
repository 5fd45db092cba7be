#include <coil/capacity_limiter.hpp>
#include <coil/detail/scheduler.hpp>
#include <coil/would_block.hpp>
#include <stdexcept>
#include <string>

namespace coil {
namespace {

int checked(int total_tokens) {
  if (total_tokens < 1)
    throw std::invalid_argument("CapacityLimiter: total_tokens must be >= 1, not " +
                                std::to_string(total_tokens));
  return total_tokens;
}

const void* checked(const void* borrower) {
  if (borrower == nullptr)
    throw std::invalid_argument("CapacityLimiter: the borrower must not be null");
  return borrower;
}

[[noreturn]] void throw_holds_one() {
  throw std::runtime_error("this borrower is already holding one of this CapacityLimiter's tokens");
}

void wake_all(detail::Waiter* waiter) noexcept {
  while (waiter != nullptr) {
    detail::Waiter* next = waiter->next;
    waiter->task->wake();
    waiter = next;
  }
}

}  // namespace

CapacityLimiter::CapacityLimiter(int total_tokens) : total_(checked(total_tokens)) {}

CapacityLimiter::Borrowed CapacityLimiter::borrow(const void* borrower) {
  if (borrowers_.contains(borrower)) return Borrowed::HadOne;
  if (available() <= 0) return Borrowed::NoneLeft;
  borrowers_.reserve(borrowers_.size() + 1);
  (void)borrowers_.insert(borrower);
  return Borrowed::Yes;
}

// Gives what is there to those first in line: a list through `next`, to be woken unlocked.
detail::Waiter* CapacityLimiter::hand_out() noexcept {
  detail::Waiter* all = nullptr;
  detail::Waiter** last = &all;
  while (available() > 0 && !line_.empty()) {
    auto& first = static_cast<detail::TokenWait&>(*line_.pop());
    --waiting_;
    // There may be two in line for one borrower.
    first.outcome_ = borrowers_.insert(first.borrower_) ? Borrowed::Yes : Borrowed::HadOne;
    first.next = nullptr;
    *last = &first;
    last = &first.next;
  }
  return all;
}

const void* CapacityLimiter::running_borrower(const char* what) {
  if (const void* task = detail::running_task()) return task;
  throw std::runtime_error(std::string(what) +
                           ": not inside a task; outside of one use the _on_behalf_of functions");
}

detail::AcquireToken CapacityLimiter::acquire_on_behalf_of(const void* borrower) {
  return {*this, checked(borrower)};
}

void CapacityLimiter::acquire_nowait() {
  acquire_on_behalf_of_nowait(running_borrower("CapacityLimiter::acquire_nowait"));
}

void CapacityLimiter::acquire_on_behalf_of_nowait(const void* borrower) {
  const detail::SpinGuard guard(line_.lock());
  switch (borrow(checked(borrower))) {
    case Borrowed::Yes:
      return;
    case Borrowed::NoneLeft:
      throw WouldBlock();
    case Borrowed::HadOne:
      throw_holds_one();
  }
}

void CapacityLimiter::release() {
  release_on_behalf_of(running_borrower("CapacityLimiter::release"));
}

void CapacityLimiter::release_on_behalf_of(const void* borrower) {
  detail::Waiter* next = nullptr;
  {
    const detail::SpinGuard guard(line_.lock());
    if (!borrowers_.erase(checked(borrower)))
      throw std::runtime_error("this borrower isn't holding any of this CapacityLimiter's tokens");
    next = hand_out();
  }
  wake_all(next);
}

int CapacityLimiter::total_tokens() const noexcept {
  const detail::SpinGuard guard(line_.lock());
  return total_;
}

void CapacityLimiter::set_total_tokens(int total_tokens) {
  detail::Waiter* next = nullptr;
  {
    const detail::SpinGuard guard(line_.lock());
    total_ = checked(total_tokens);
    next = hand_out();
  }
  wake_all(next);
}

int CapacityLimiter::borrowed_tokens() const noexcept {
  const detail::SpinGuard guard(line_.lock());
  return static_cast<int>(borrowers_.size());
}

int CapacityLimiter::available_tokens() const noexcept {
  const detail::SpinGuard guard(line_.lock());
  return available();
}

namespace detail {

constinit const LeafKind TokenWait::leaf_kind{"capacity limiter", &TokenWait::leave};

bool TokenWait::borrow(bool stay) {
  const SpinGuard guard(limiter_.line_.lock());
  outcome_ = limiter_.borrow(borrower_);
  if (outcome_ != CapacityLimiter::Borrowed::NoneLeft) return false;
  if (stay) {
    const auto room = limiter_.borrowers_.size() + static_cast<std::size_t>(limiter_.waiting_) + 1;
    limiter_.borrowers_.reserve(room);
    ++limiter_.waiting_;
    limiter_.line_.push(*this);
  }
  return true;
}

HookResult TokenWait::leave(Suspension& leaf, Abort kind) noexcept {
  auto& self = static_cast<TokenWait&>(leaf);
  HookResult result;
  {
    const SpinGuard guard(self.limiter_.line_.lock());
    if (!self.linked) return result;  // it has its token and is being woken
    self.limiter_.line_.remove(self);
    --self.limiter_.waiting_;
  }
  self.aborted = kind;
  result.taken = true;
  self.task->wake();
  return result;
}

void TokenWait::await_resume() {
  if (aborted != Abort::None) [[unlikely]]
    task->throw_cancelled(aborted);
  if (outcome_ == CapacityLimiter::Borrowed::HadOne) throw_holds_one();
}

}  // namespace detail
}  // namespace coil
