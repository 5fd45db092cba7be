// core/coil/detail/transfer_queue.hpp on block_fifo.hpp: two locks, one for each end.
#include <coil/detail/block_fifo.hpp>
#include <coil/detail/transfer_queue.hpp>
#include <memory>
#include <new>

#include "model/model.hpp"

namespace coil::detail {

// The real ones keep lists per thread. Weak: any model may bring the same.
[[gnu::weak]] void* frame_allocate(std::size_t size) { return ::operator new(size); }
[[gnu::weak]] void frame_deallocate(void* block, std::size_t /*size*/) noexcept {
  ::operator delete(block);
}

}  // namespace coil::detail

namespace {

using coil::detail::BlockFifo;
using coil::detail::Getter;
using coil::detail::LeafKind;
using coil::detail::Putter;
using coil::detail::SpinGuard;
using coil::detail::TaskBase;
using coil::detail::Transfer;
using coil::detail::TransferQueue;
using coil::detail::TransferWaiter;
using coil::detail::Waiter;
using model::Atomic;
using model::check;
using model::Order;
using model::Run;

struct Item {
  explicit Item(int v) : value(v) {}
  Item(Item&& other) noexcept : value(other.value) {}
  model::Plain<int> value;
};

// What stands for a task: a bell that its wake-up rings.
struct Bell {
  model::EventFd bell{"bell"};
};
struct RingBell {
  void operator()(Waiter& waiter) const noexcept {
    reinterpret_cast<Bell*>(waiter.task)->bell.signal();  // from here on the waiter may be gone
  }
};

constexpr LeafKind leaf{.name = "model"};
using Queue = TransferQueue<BlockFifo<Item>, RingBell>;
using Cell = Queue::Cell;

// As PutAwaiter and GetAwaiter do.
Transfer put(Queue& queue, int value) {
  Bell bell;
  Putter<Cell> putter(leaf, queue.putters(), nullptr, Cell(Item(value)));
  putter.task = reinterpret_cast<TaskBase*>(&bell);
  Transfer outcome = queue.try_put(putter.cell, nullptr);
  if (outcome != Transfer::Waiting) return outcome;
  outcome = queue.put_or_wait(putter);
  if (outcome != Transfer::Waiting) return outcome;
  bell.bell.wait();
  return putter.outcome;
}
int get(Queue& queue) {
  Bell bell;
  Getter<Cell> getter(leaf, queue.getters(), nullptr);
  getter.task = reinterpret_cast<TaskBase*>(&bell);
  Transfer outcome = queue.try_get(getter.cell, nullptr);
  if (outcome == Transfer::Waiting) outcome = queue.get_or_wait(getter);
  if (outcome == Transfer::Waiting) {
    bell.bell.wait();
    outcome = getter.outcome;
  }
  return outcome == Transfer::Done ? getter.cell->item().value.read() : -1;
}

void one_to_one(Run& run, std::size_t capacity, int items) {
  Queue queue(capacity);
  run.thread("producer", [&] {
    for (int i = 0; i < items; ++i) check(put(queue, i) == Transfer::Done, "it is taken in");
  });
  run.thread("consumer", [&] {
    for (int i = 0; i < items; ++i) {
      check(get(queue) == i, "the items come in order");
      check(queue.accepted().load(Order::relaxed) > static_cast<std::uint64_t>(i),
            "what was got has been counted");
    }
  });
  run.join();
  check(queue.size() == 0, "nothing is left");
}

MODEL(TransferQueue, "the two ends of a queue need no common lock") { one_to_one(run, 2, 2); }
MODEL(TransferQueue, "a full queue makes the producer wait and loses nothing") {
  one_to_one(run, 1, 3);
}
MODEL(TransferQueue, "with capacity 0 each put meets its get") { one_to_one(run, 0, 2); }

MODEL(TransferQueue, "two producers share the one place fairly", .stale_reads = 1) {
  Queue queue(1);
  for (int i = 1; i <= 2; ++i)
    run.thread(i == 1 ? "producer" : "other producer", [&, i] { (void)put(queue, i); });
  run.thread("consumer", [&] { check(get(queue) + get(queue) == 3, "each item once"); });
  run.join();
}

MODEL(TransferQueue, "two consumers share what comes", .stale_reads = 1) {
  Queue queue(1);
  Atomic<int> sum{0};
  for (const char* name : {"consumer", "other consumer"})
    run.thread(name, [&] { sum.fetch_add(get(queue)); });
  run.thread("producer", [&] {
    (void)put(queue, 1);
    (void)put(queue, 2);
  });
  run.join();
  check(sum.load() == 3, "each item once");
}

MODEL(TransferQueue, "a cancelled getter leaves the item to the next") {
  Queue queue(1);
  Bell bell;
  auto getter = std::make_unique<Getter<Cell>>(leaf, queue.getters(), nullptr);
  getter->task = reinterpret_cast<TaskBase*>(&bell);
  check(queue.get_or_wait(*getter) == Transfer::Waiting, "nothing is there");
  bool left = false;
  run.thread("producer", [&] { check(put(queue, 5) == Transfer::Done, "it is taken in"); });
  run.thread("canceller", [&] {
    {
      const SpinGuard guard(queue.getters().lock());
      left = getter->linked;
      if (left) queue.getters().remove(*getter);
    }
    if (left) bell.bell.signal();
  });
  run.thread("getter", [&] {
    bell.bell.wait();
    if (getter->cell.has_value()) check(getter->cell->item().value == 5, "handed over");
  });
  run.join();
  check(left == !getter->cell.has_value(), "cancelled or served");
  check(queue.size() == (left ? 1U : 0U), "the item is in the queue or was handed over");
}

MODEL(TransferQueue, "nobody passes a putter who waits", .preemptions = 3) {
  Queue queue(1);
  check(put(queue, 1) == Transfer::Done, "there is room");
  Bell bell;
  Putter<Cell> waiting(leaf, queue.putters(), nullptr, Cell(Item(2)));
  waiting.task = reinterpret_cast<TaskBase*>(&bell);
  check(queue.put_or_wait(waiting) == Transfer::Waiting, "there is no room");
  run.thread("consumer", [&] { check(get(queue) == 1, "the first"); });
  run.thread("other producer", [&] {
    Cell cell(Item(3));
    check(queue.try_put(cell, nullptr) == Transfer::Waiting, "the place has an owner");
  });
  run.join();
  check(waiting.outcome == Transfer::Done && get(queue) == 2, "and it was given to him");
}

MODEL(TransferQueue, "who got the last item may destroy the queue") {
  auto queue = std::make_unique<Queue>(1);
  Queue& same = *queue;
  run.thread("producer", [&] {
    (void)put(same, 0);
    (void)put(same, 1);
  });
  run.thread("consumer", [&] {
    check(get(same) == 0 && get(same) == 1, "the items come in order");
    queue.reset();
  });
  run.join();
}

MODEL(TransferQueue, "closing wakes everybody who waits, and who comes later does not wait",
      .stale_reads = 1) {
  Queue queue(0);
  run.thread("producer", [&] { (void)put(queue, 1); });
  run.thread("consumer", [&] { (void)get(queue); });
  run.thread("closer", [&] {
    queue.alone([](auto& locked) noexcept {
      locked.refuse_puts();
      locked.end_gets();
    });
  });
  run.join();
}

MUTATION(TransferQueue, "the two ends of a queue need no common lock",
         weaken("put_.tail", Op::Store, Order::relaxed));
MUTATION(TransferQueue, "the two ends of a queue need no common lock",
         weaken("put_.tail", Op::Load, Order::relaxed, "items_now"));
MUTATION(TransferQueue, "two consumers share what comes", split("held_", Op::Rmw, "lock"));
MUTATION(TransferQueue, "a full queue makes the producer wait and loses nothing",
         split("held_", Op::Rmw, "lock"));
MUTATION(TransferQueue, "with capacity 0 each put meets its get",
         weaken("held_", Op::Store, Order::relaxed, "unlock"));

}  // namespace
