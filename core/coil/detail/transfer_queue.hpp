// Items handed from tasks that put to tasks that get: what Queue and MemoryChannel are made of.
//
// The put lock is that of the line of waiting getters, the get lock that of the line of waiting
// putters. A put needs the first, a get the second, so that they run at once on two processors;
// what has to see both ends takes the get lock and then the put lock. (A store with one end, a
// heap or a stack, always takes both.)
//
//   put                                       get
//   put lock: refused? throw                  get lock: nobody waits to put, and there is an item:
//     a getter waits: it gets the item          take it
//     there is room: append                     a putter waits: both locks: take an item, and the
//     else both locks, look again, wait         first putter's goes in behind the last
//                                               else both locks, look again, wait
//
// Invariants: a getter waits only while there is no item and no putter waits, so a put under the
// put lock alone may hand over; a putter waits only while the store is full (or has no room at
// all: capacity 0, a rendezvous). Hence nobody passes those who wait, on either side. Both are
// kept because a waiter enters its line under both locks, and because a get that finds putters
// waiting does not publish the place it made before one of them has it.
// Who unlinks a waiter wakes it, after the locks are left, and does not touch the queue after the
// first wake: it may be gone. The destructor takes both locks, so it waits for who is leaving them.
// Kept by tests/model/transfer_queue_model.cpp.
#pragma once

#include <coil/detail/spin_lock.hpp>
#include <coil/detail/wait_line.hpp>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <utility>

namespace coil::detail {

enum class Transfer : std::uint8_t {
  Waiting,  // there is no room or no item now
  Done,
  Refused,  // no more is taken, or no more will come
  Closed,   // the handle that was used is closed
  Failed,   // the store threw when the waiting putter's turn came: see its error
};

// Marks the handle that a waiter uses; true once closed. Under both locks to write, under either
// to read. Null for queues, which have no handles.
using HandleMark = const bool*;

struct TransferWaiter : Waiter {
  TransferWaiter(const LeafKind& kind, WaitLine& l, HandleMark h) noexcept
      : Waiter(kind, l), handle(h) {}
  HandleMark handle;
  Transfer outcome = Transfer::Waiting;  // set by whoever unlinks it
};

template <class Cell>
struct Putter : TransferWaiter {
  Putter(const LeafKind& kind, WaitLine& l, HandleMark h, Cell&& c) noexcept
      : TransferWaiter(kind, l, h), cell(std::move(c)) {}
  Cell cell;
  std::exception_ptr error;
};

template <class Cell>
struct Getter : TransferWaiter {
  using TransferWaiter::TransferWaiter;
  std::optional<Cell> cell;
};

// Waiters that were unlinked and are to be woken once the locks are left.
class WakeList {
 public:
  void add(Waiter& waiter) noexcept {
    waiter.next = nullptr;
    (last_ != nullptr ? last_->next : first_) = &waiter;
    last_ = &waiter;
  }
  template <class Wake>
  void wake(Wake wake) const noexcept {
    for (Waiter* waiter = first_; waiter != nullptr;) {
      Waiter* next = waiter->next;  // before the wake: the waiter may be gone after it
      wake(*waiter);
      waiter = next;
    }
  }

 private:
  Waiter* first_ = nullptr;
  Waiter* last_ = nullptr;
};

struct WakeTask {
  void operator()(Waiter& waiter) const noexcept { waiter.task->wake(); }
};

template <class Store, class Wake = WakeTask>
class TransferQueue {
 public:
  using Value = typename Store::Value;
  using Cell = typename Store::Cell;
  static constexpr std::size_t no_bound = static_cast<std::size_t>(-1);

  template <class... Args>
  explicit TransferQueue(std::size_t capacity, Args&&... store)
      : store_(capacity, std::forward<Args>(store)...) {}
  TransferQueue(const TransferQueue&) = delete;
  TransferQueue& operator=(const TransferQueue&) = delete;
  // Tasks that still wait are refused.
  ~TransferQueue() {
    alone([](auto& locked) noexcept {
      locked.refuse_puts();
      locked.end_gets();
    });
  }

  [[nodiscard]] WaitLine& getters() noexcept { return getters_; }
  [[nodiscard]] WaitLine& putters() noexcept { return putters_; }
  [[nodiscard]] std::size_t capacity() const noexcept { return store_.capacity(); }
  [[nodiscard]] std::size_t size() const noexcept { return store_.size(); }
  // How many items were ever taken in.
  [[nodiscard]] const Atomic<std::uint64_t>& accepted() const noexcept { return accepted_; }

  // Never waits. `cell` is moved from only if Done. Throws what the store throws (no memory, a
  // comparison), and then nothing has changed.
  [[nodiscard]] Transfer try_put(Cell& cell, HandleMark handle) {
    Waiter* getter = nullptr;
    const Transfer outcome = put_under_lock(cell, handle, getter);
    if (getter != nullptr) Wake()(*getter);
    return outcome;
  }
  // Waiting: the putter is in line, and may be gone already.
  [[nodiscard]] Transfer put_or_wait(Putter<Cell>& putter) {
    Waiter* getter = nullptr;
    Transfer outcome;
    {
      const SpinGuard get(get_lock());
      const SpinGuard put(put_lock());
      outcome = offer<false>(putter.cell, putter.handle, getter);
      if (outcome == Transfer::Waiting) putters_.push(putter);
    }
    if (getter != nullptr) Wake()(*getter);
    return outcome;
  }

  // Never waits.
  [[nodiscard]] Transfer try_get(std::optional<Cell>& out, HandleMark handle) {
    WakeList woken;
    Transfer outcome;
    {
      const SpinGuard get(get_lock());
      if constexpr (Store::two_ended) {
        if (handle != nullptr && *handle) return Transfer::Closed;
        if (putters_.empty()) {
          if (store_.has_item_soon()) [[likely]] {
            store_.pop(out);
            return Transfer::Done;
          }
          // ended_ was set under both locks: nothing has come in since.
          return ended_ ? Transfer::Refused : Transfer::Waiting;
        }
      }
      const SpinGuard put(put_lock());
      outcome = take(out, handle, woken);
    }
    woken.wake(Wake());
    return outcome;
  }
  // Waiting: the getter is in line, and may be gone already.
  [[nodiscard]] Transfer get_or_wait(Getter<Cell>& getter) {
    WakeList woken;
    Transfer outcome;
    {
      const SpinGuard get(get_lock());
      const SpinGuard put(put_lock());
      outcome = take(getter.cell, getter.handle, woken);
      if (outcome == Transfer::Waiting) getters_.push(getter);
    }
    woken.wake(Wake());
    return outcome;
  }

  // What may be done while nobody puts or gets. Waiters are woken afterwards.
  class Locked {
   public:
    // Everything but items that are in already is refused from now on.
    void refuse_puts() noexcept {
      queue_.refusing_ = true;
      dismiss(queue_.putters_, nullptr, Transfer::Refused);
    }
    // Nothing more will come: a get of what is not there is refused.
    void end_gets() noexcept {
      queue_.ended_ = true;
      dismiss(queue_.getters_, nullptr, Transfer::Refused);
    }
    // The waiters that use this handle.
    void close_putters(HandleMark handle) noexcept {
      dismiss(queue_.putters_, handle, Transfer::Closed);
    }
    void close_getters(HandleMark handle) noexcept {
      dismiss(queue_.getters_, handle, Transfer::Closed);
    }
    [[nodiscard]] std::size_t count_putters() const noexcept { return length(queue_.putters_); }
    [[nodiscard]] std::size_t count_getters() const noexcept { return length(queue_.getters_); }
    // To be destroyed under no lock.
    void move_items_to(typename Store::Items& other) noexcept { queue_.store_.move_to(other); }

   private:
    friend class TransferQueue;
    explicit Locked(TransferQueue& queue) noexcept : queue_(queue) {}
    void dismiss(WaitLine& line, HandleMark handle, Transfer outcome) noexcept {
      for (Waiter* waiter = line.first(); waiter != nullptr;) {
        Waiter* next = waiter->next;
        auto& left = static_cast<TransferWaiter&>(*waiter);
        if (handle == nullptr || left.handle == handle) {
          line.remove(left);
          left.outcome = outcome;
          woken_.add(left);
        }
        waiter = next;
      }
    }
    [[nodiscard]] static std::size_t length(const WaitLine& line) noexcept {
      std::size_t n = 0;
      for (const Waiter* waiter = line.first(); waiter != nullptr; waiter = waiter->next) ++n;
      return n;
    }
    TransferQueue& queue_;
    WakeList woken_;
  };
  // fn(locked) under both locks; must not throw.
  template <class Fn>
  void alone(Fn&& fn) noexcept {
    Locked locked(*this);
    {
      const SpinGuard get(get_lock());
      const SpinGuard put(put_lock());
      fn(locked);
    }
    locked.woken_.wake(Wake());
  }

 private:
  [[nodiscard]] SpinLock& put_lock() noexcept { return getters_.lock(); }
  [[nodiscard]] SpinLock& get_lock() noexcept { return putters_.lock(); }

  Transfer put_under_lock(Cell& cell, HandleMark handle, Waiter*& getter) {
    if constexpr (Store::two_ended) {
      const SpinGuard put(put_lock());
      return offer<true>(cell, handle, getter);
    } else {
      const SpinGuard get(get_lock());
      const SpinGuard put(put_lock());
      return offer<false>(cell, handle, getter);
    }
  }

  // Under the put lock; if it is the only one, there may soon be room. The caller wakes `getter`.
  template <bool may_linger>
  Transfer offer(Cell& cell, HandleMark handle, Waiter*& getter) {
    if (handle != nullptr && *handle) return Transfer::Closed;
    if (refusing_) [[unlikely]]
      return Transfer::Refused;
    if (!getters_.empty()) {
      auto& first = static_cast<Getter<Cell>&>(*getters_.pop());
      first.cell.emplace(std::move(cell));
      first.outcome = Transfer::Done;
      getter = &first;
      count_accepted();
      return Transfer::Done;
    }
    if constexpr (may_linger) {
      if (!store_.has_room_soon()) [[unlikely]]
        return Transfer::Waiting;
    } else {
      if (!store_.has_room()) [[unlikely]]
        return Transfer::Waiting;
    }
    store_.push(std::move(cell), [this] { count_accepted(); });
    return Transfer::Done;
  }

  // Under both locks.
  Transfer take(std::optional<Cell>& out, HandleMark handle, WakeList& woken) {
    if (handle != nullptr && *handle) return Transfer::Closed;
    if (store_.has_item()) {
      store_.pop(out);
      admit(woken);
      return Transfer::Done;
    }
    if (Waiter* waiter = putters_.pop()) {  // capacity 0
      auto& first = static_cast<Putter<Cell>&>(*waiter);
      out.emplace(std::move(first.cell));
      first.outcome = Transfer::Done;
      woken.add(first);
      count_accepted();
      return Transfer::Done;
    }
    return ended_ ? Transfer::Refused : Transfer::Waiting;
  }

  // Lets waiting putters in while there is room.
  void admit(WakeList& woken) noexcept {
    while (!putters_.empty() && store_.has_room()) {
      auto& first = static_cast<Putter<Cell>&>(*putters_.pop());
      try {
        store_.push(std::move(first.cell), [this] { count_accepted(); });
        first.outcome = Transfer::Done;
      } catch (...) {
        first.error = std::current_exception();  // its own, not the getter's
        first.outcome = Transfer::Failed;
      }
      woken.add(first);
    }
  }

  // Under the put lock, before anybody can get the item: who has it may report it done.
  void count_accepted() noexcept {
    accepted_.store(accepted_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }

  // In the order of use: the put side, what lies between, the get side.
  WaitLine getters_;
  Atomic<std::uint64_t> accepted_{0};
  Plain<bool> refusing_ = false;  // written under both locks, read under the put lock
  Store store_;
  Plain<bool> ended_ = false;  // written under both locks, read under the get lock
  WaitLine putters_;
};

}  // namespace coil::detail
