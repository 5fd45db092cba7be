// What gather and wait wait for, whatever the types: one block with a node per child.
//
//   a child ends (any thread)            the awaiter                     a canceller of the awaiter
//   1. decides, by the mode:             a. settled? goes on             i.  settled? not taken,
//   the
//      settle(node)                      b. arm(): Open -> its task;         wake-up is coming
//   2. counts down; the last one:           settled meanwhile: goes on   ii. gather: asks every
//   child
//      settle(none), releases            c. woken: reads the outcome         wait: settle(none)
//
// outcome_ goes Open -> (task ->) settled, once: whoever settles wakes the task it finds there,
// and nobody else does. A cancel of a gather wakes nobody: the children's ends do, in the end all.
// The block has two references: its owner's (the awaitable), and one of all children together,
// which the last to end drops; the owner that goes first unlinks those that have not ended.
// Kept by tests/core/gather_test.cpp and tests/core/gather_stress.cpp.
#pragma once

#include <coil/detail/box.hpp>
#include <coil/detail/future_base.hpp>
#include <coil/detail/promise_base.hpp>
#include <coil/detail/suspension.hpp>
#include <cstddef>
#include <cstdint>

namespace coil::detail {

class GatherState;

struct GatherNode : FutureWaiter {
  FutureRef target;
  void* holder = nullptr;  // the ValueHolder of what type the awaitable knows
  GatherState* state = nullptr;
  bool own = false;  // a task that nobody else knows of: its result may be moved out
};

// Which child that ends wakes the awaiter before the last one does: one without a value, none, any,
// one with an exception that is no cancellation.
enum class GatherMode : std::uint8_t { FirstError, AllDone, FirstDone, FirstException };

class GatherState {
 public:
  struct Dropper {
    void operator()(GatherState* state) const noexcept { state->drop(); }
  };
  using Owner = Box<GatherState, Dropper>;

  [[nodiscard]] static Owner make(std::size_t capacity, GatherMode mode);
  GatherState(const GatherState&) = delete;
  GatherState& operator=(const GatherState&) = delete;

  // Exactly `capacity` children; fewer only if making them failed, and the owner goes.
  void add(FutureRef target, void* holder, bool own = false) noexcept;
  // A task that has not been started: nobody else knows of it yet.
  void add_own(FutureRef target, void* holder) noexcept;

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] GatherNode& node(std::size_t index) noexcept { return nodes()[index]; }
  [[nodiscard]] bool settled() const noexcept {
    return (outcome_.load(std::memory_order_acquire) & settled_bit) != 0;
  }
  // Throws std::runtime_error if the task is to wait for itself.
  void refuse_child(const TaskBase& task);
  // False: settled meanwhile. Throws std::runtime_error if another task awaits it.
  [[nodiscard]] bool arm(TaskBase& task);
  // Settles without a child to blame, in place of those that have not ended. Gives the task that
  // was waiting, which the caller then wakes; null: nobody was, or it was settled before.
  [[nodiscard]] TaskBase* give_up() noexcept { return try_settle(nullptr); }
  // Asks all children to cancel themselves with the waiter; taken if one of them does.
  void ask_children(TaskBase& waiter, Abort kind, HookResult& result) noexcept;
  // The task that waits, if the waiter is one of a GatherState's. Under the completion's lock: who
  // waits unlinks its waiters, under that lock, before it goes on.
  [[nodiscard]] static TaskBase* task_of(const FutureWaiter& waiter) noexcept;
  // Throws what the awaiter is to get instead of results, if anything. After settled().
  void check(TaskBase* task, Abort aborted);

 private:
  static constexpr std::uintptr_t open = 0;
  static constexpr std::uintptr_t settled_bit = 1;

  GatherState(std::size_t capacity, GatherMode mode) noexcept;
  ~GatherState();

  [[nodiscard]] GatherNode* nodes() noexcept { return reinterpret_cast<GatherNode*>(this + 1); }
  GatherNode& append(FutureRef target, void* holder, bool own) noexcept;
  static void child_done(FutureWaiter& waiter) noexcept;
  [[nodiscard]] bool decides(const GatherNode& child) const noexcept;
  [[nodiscard]] TaskBase* try_settle(GatherNode* culprit) noexcept;
  void settle(GatherNode* culprit) noexcept;
  void count_down(std::size_t children) noexcept;
  // From now on nobody hears of the children any more; their errors count as retrieved.
  void disregard_children() noexcept;
  void unlink_children() noexcept;
  void drop() noexcept;
  void release() noexcept;

  std::size_t size_ = 0;
  std::size_t capacity_;
  Atomic<std::size_t> pending_;
  Atomic<std::uint32_t> references_;
  GatherMode mode_;
  bool unlinked_ = false;
  bool has_given_ = false;          // a child that others know of: it may be the one who awaits all
  Atomic<std::uintptr_t> outcome_;  // open; the waiting TaskBase; culprit or 0, | settled_bit
};

class GatherWait : public NativeAwaiter, public Suspension {
 public:
  explicit GatherWait(GatherState& state) noexcept;

  [[nodiscard]] bool await_ready() const noexcept { return state_.settled(); }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> self) {
    TaskBase& task = *self.promise().task;
    state_.refuse_child(task);
    return task.suspend(self, *this, [&] { return state_.arm(task); });
  }

 protected:
  [[nodiscard]] GatherState& state() const noexcept { return state_; }
  void check() { state_.check(task, aborted); }

 private:
  static HookResult ask_children(Suspension& leaf, Abort kind) noexcept;
  static HookResult leave_children(Suspension& leaf, Abort kind) noexcept;
  static const LeafKind leaf_kind;

  GatherState& state_;
};

}  // namespace coil::detail
