// Queue, PriorityQueue, LifoQueue (asyncio.Queue and its kin): items from tasks that put to tasks
// that get.
#pragma once

#include <coil/channel_errors.hpp>
#include <coil/detail/block_fifo.hpp>
#include <coil/detail/heap_store.hpp>
#include <coil/detail/stack_store.hpp>
#include <coil/detail/transfer_awaiter.hpp>
#include <coil/detail/transfer_queue.hpp>
#include <coil/detail/unfinished_count.hpp>
#include <concepts>
#include <coroutine>
#include <cstddef>
#include <optional>
#include <type_traits>
#include <utility>

namespace coil {

namespace detail {

struct QueueErrors {
  static const LeafKind put_leaf;
  static const LeafKind get_leaf;
  static const LeafKind join_leaf;
  [[noreturn]] static void throw_put(Transfer outcome);
  [[noreturn]] static void throw_get(Transfer outcome);
  [[noreturn]] static void throw_put_nowait(Transfer outcome);
  [[noreturn]] static void throw_get_nowait(Transfer outcome);
};

class JoinAwaiter : public Joiner {
 public:
  JoinAwaiter(UnfinishedCount& count, const Atomic<std::uint64_t>& accepted) noexcept
      : Joiner(QueueErrors::join_leaf, count.joiners()), count_(count), accepted_(accepted) {}

  [[nodiscard]] bool await_ready() const noexcept { return count_.none(accepted_); }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> self) {
    return self.promise().task->suspend(self, *this,
                                        [this] { return count_.enter(*this, accepted_); });
  }
  void await_resume() const {
    if (aborted != Abort::None) [[unlikely]]
      task->throw_cancelled(aborted);
    if (refused) [[unlikely]]
      QueueErrors::throw_get(Transfer::Refused);
  }

 private:
  UnfinishedCount& count_;
  const Atomic<std::uint64_t>& accepted_;
};

struct [[nodiscard("join waits only when it is awaited")]] JoinOperation {
  UnfinishedCount* count;
  const Atomic<std::uint64_t>* accepted;
  JoinAwaiter operator co_await() const noexcept { return {*count, *accepted}; }
};

// What the three queues share; they differ in which item comes out next.
//
// Thread-safety: every member may be called from tasks on any loop at once; those that do not
// wait, from callbacks and other threads too. Those who wait are served first come, first served,
// and nobody passes them: an item that is put while a task waits in get() is that task's.
// Cancellation: a put() or get() that is cancelled while it waits has put or taken nothing; one
// that was served before it could be cancelled has put or taken its item, and the next suspension
// is cancelled. One that need not wait delivers no cancellation.
// T need only be movable. If moving it throws, that item alone is lost. Its moves and comparisons
// run under a lock that is not to be held for long, and must not use the queue.
// Destroying a queue refuses those who still wait with QueueShutDown.
template <class T, class Store>
class BasicQueue {
  static_assert(std::is_object_v<T> && !std::is_const_v<T> && std::is_move_constructible_v<T>,
                "a queue holds movable objects: no references, nothing const");
  using Core = TransferQueue<Store>;
  using Cell = typename Core::Cell;

 public:
  using value_type = T;

  BasicQueue(const BasicQueue&) = delete;
  BasicQueue& operator=(const BasicQueue&) = delete;

  // co_await put(item): adds the item, waiting for a place while the queue is full. Throws
  // QueueShutDown, CancelledError.
  PutOperation<Core, QueueErrors> put(T item) {
    return {&core_, nullptr, {}, Cell(std::move(item))};
  }
  // co_await get(): takes the next item out and gives it, waiting for one while the queue is
  // empty. Throws QueueShutDown once it is shut down and empty, CancelledError.
  GetOperation<Core, QueueErrors> get() noexcept { return {&core_, nullptr, {}}; }

  // The same without waiting. Throws QueueFull, QueueShutDown; `item` is then left as it was.
  void put_nowait(T&& item) {
    Cell cell(std::move(item));
    const Transfer outcome = core_.try_put(cell, nullptr);
    if (outcome == Transfer::Done) [[likely]]
      return;
    give_back(item, cell);
    QueueErrors::throw_put_nowait(outcome);
  }
  void put_nowait(const T& item)
    requires std::copy_constructible<T>
  {
    put_nowait(T(item));
  }
  // Throws QueueEmpty, QueueShutDown.
  T get_nowait() {
    std::optional<Cell> cell;
    const Transfer outcome = core_.try_get(cell, nullptr);
    if (outcome != Transfer::Done) [[unlikely]]
      QueueErrors::throw_get_nowait(outcome);
    return T(std::move(cell->item()));
  }

  // co_await join(): until every item that was put has been reported by task_done(). Throws
  // CancelledError.
  JoinOperation join() noexcept { return {&unfinished_, &core_.accepted()}; }
  // An item that get() gave has been dealt with. Throws std::invalid_argument if called more often
  // than items were put.
  void task_done() { unfinished_.one_done(core_.accepted()); }

  // Nothing can be put any more: put() throws QueueShutDown, at once and in tasks that wait in it;
  // get() does so when the queue is empty. immediate: drops what is in the queue, and counts it as
  // done. May be called again.
  void shutdown(bool immediate = false) {
    typename Store::Items dropped;  // destroyed at the end, under no lock
    Waiter* joiners = nullptr;
    core_.alone([&](auto& locked) noexcept {
      locked.refuse_puts();
      locked.end_gets();
      if (!immediate) return;
      locked.move_items_to(dropped);
      joiners = unfinished_.drained(dropped.size(), core_.accepted());
    });
    UnfinishedCount::wake_all(joiners);
  }

  // How many items are in the queue, how many it may hold (0: any number). Where other loops or
  // threads use it too, the answer may be out of date when it comes.
  [[nodiscard]] std::size_t qsize() const noexcept { return core_.size(); }
  [[nodiscard]] std::size_t maxsize() const noexcept {
    return core_.capacity() == Core::no_bound ? 0 : core_.capacity();
  }
  [[nodiscard]] bool empty() const noexcept { return qsize() == 0; }
  [[nodiscard]] bool full() const noexcept { return qsize() >= core_.capacity(); }

 protected:
  template <std::integral N, class... Args>
  explicit BasicQueue(N maxsize, Args&&... store)
      : core_(maxsize > 0 ? static_cast<std::size_t>(maxsize) : Core::no_bound,
              std::forward<Args>(store)...) {}
  ~BasicQueue() = default;

 private:
  UnfinishedCount unfinished_;
  Core core_;
};

// The order of PriorityQueue unless it is given another.
struct Less {
  template <class T>
  [[nodiscard]] constexpr bool operator()(const T& a, const T& b) const {
    return a < b;
  }
};

}  // namespace detail

// First in, first out. maxsize: how many items it may hold; zero or less, as in asyncio: any
// number.
template <class T>
class Queue : public detail::BasicQueue<T, detail::BlockFifo<T>> {
 public:
  Queue() : Queue(0) {}
  template <std::integral N>
  explicit Queue(N maxsize) : detail::BasicQueue<T, detail::BlockFifo<T>>(maxsize) {}
};

// Last in, first out.
template <class T>
class LifoQueue : public detail::BasicQueue<T, detail::StackStore<T>> {
 public:
  LifoQueue() : LifoQueue(0) {}
  template <std::integral N>
  explicit LifoQueue(N maxsize) : detail::BasicQueue<T, detail::StackStore<T>>(maxsize) {}
};

// The smallest first: compare(a, b) says whether a comes out before b. Equal ones in any order. A
// comparison that throws fails the operation it was made for, and loses nothing.
template <class T, class Compare = detail::Less>
class PriorityQueue : public detail::BasicQueue<T, detail::HeapStore<T, Compare>> {
 public:
  PriorityQueue() : PriorityQueue(0) {}
  template <std::integral N>
  explicit PriorityQueue(N maxsize, Compare compare = Compare())
      : detail::BasicQueue<T, detail::HeapStore<T, Compare>>(maxsize, std::move(compare)) {}
};

}  // namespace coil
