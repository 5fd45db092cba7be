// What as_completed waits for: children that line up in the order in which they end, and takers
// that are served first come first served.
//
//   a child ends (any thread)             a taker                          its timer or canceller
//   1. under the line's lock: a taker     a. under the lock: a done child  i.  under the lock: in
//      in line? it gets the child;           is there? takes it; else          line? out of it
//      else the child joins `ready`          joins the line                ii. after it: wakes it
//   2. after it: wakes that taker         b. woken: reads what it got
//
// So a done child is never lost: one that comes back from a cancelled taker cannot exist, because
// whoever takes the taker out of the line decides what it gets.
// The block has two references: one of all owners together (the iterator, and every next() that is
// under way), one of all children together. The last owner unlinks the children that have not
// ended, so that a task that lives long keeps no trace.
// Kept by tests/core/as_completed_test.cpp and tests/core/wait_stress.cpp.
#pragma once

#include <coil/detail/future_base.hpp>
#include <coil/detail/timer.hpp>
#include <coil/detail/wait_line.hpp>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace coil::detail {

class CompletionOrder;

struct OrderNode : FutureWaiter {
  FutureRef target;
  CompletionOrder* order = nullptr;
  OrderNode* next_ready = nullptr;
  std::size_t index = 0;
};

class CompletionOrder {
 public:
  // What next() gets: a child, the end, or that time is up.
  enum class Outcome : std::uint8_t { Waiting, Child, End, TimeUp };
  struct Taker : Waiter {
    Taker(const LeafKind& kind, WaitLine& line) noexcept : Waiter(kind, line) {}
    Outcome outcome = Outcome::Waiting;
    OrderNode* child = nullptr;
  };

  CompletionOrder(const CompletionOrder&) = delete;
  CompletionOrder& operator=(const CompletionOrder&) = delete;
  virtual ~CompletionOrder() = default;

  // Owners (see Ref).
  void add_ref() noexcept { owners_.fetch_add(1, std::memory_order_relaxed); }
  void release() noexcept;

  // Gives the taker a child, or the end, if it is there already.
  [[nodiscard]] bool take(Taker& taker) noexcept;
  // The same, or else that time is up, or else puts it in line: false.
  [[nodiscard]] bool take_or_join(Taker& taker, bool time_up) noexcept;
  // A taker that was cancelled leaves its turn to others.
  void give_back_turn() noexcept;
  [[nodiscard]] WaitLine& line() noexcept { return line_; }
  [[nodiscard]] TimePoint deadline() const noexcept { return deadline_; }

 protected:
  explicit CompletionOrder(TimePoint deadline) noexcept : deadline_(deadline) {}
  // Once, with children that are all different.
  void watch(const std::vector<FutureBase*>& children);

 private:
  static void child_done(FutureWaiter& waiter) noexcept;
  [[nodiscard]] bool take_locked(Taker& taker) noexcept;
  void line_up(OrderNode& child) noexcept;
  void count_down(std::size_t children) noexcept;
  void drop() noexcept;

  WaitLine line_;
  OrderNode* first_ready_ = nullptr;  // with the rest of it, under the line's lock
  OrderNode* last_ready_ = nullptr;
  std::size_t turns_ = 0;  // how many next() are still to be served
  TimePoint deadline_;
  std::vector<OrderNode> nodes_;
  Atomic<std::size_t> pending_{0};
  Atomic<std::uint32_t> owners_{1};
  Atomic<std::uint32_t> references_{1};
};

// Awaits the next one.
class NextAwaiter : public CompletionOrder::Taker, private Timer {
 public:
  explicit NextAwaiter(Ref<CompletionOrder> order) noexcept;

  [[nodiscard]] bool await_ready() const noexcept { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> self) {
    if (order_->take(*this)) return false;
    return self.promise().task->suspend(self, *this, [this] { return arm(); });
  }

 protected:
  // Throws CancelledError or TimeoutError. Null: there are no more.
  [[nodiscard]] OrderNode* resume();

 private:
  [[nodiscard]] bool arm() noexcept;
  static void expire(Timer& timer, CancelWork& work) noexcept;
  static const LeafKind leaf_kind;
  static const TimerKind timer_kind;

  Ref<CompletionOrder> order_;
  bool joined_ = false;  // the line, and with that has a turn
  bool armed_ = false;
};

}  // namespace coil::detail
