// sched/run_queue.hpp: thieves take half, the owner the oldest, nobody the same.
#include "run_queue.hpp"

#include "model/model.hpp"

namespace {

using coil::detail::RunQueue;
using model::check;
using model::Run;

struct Item {
  model::Plain<int> content{0};
  model::Plain<int> taken{0};
};
using Queue = RunQueue<Item, 2>;

bool use(Item* item) {
  if (item == nullptr) return false;
  check(item->content == 7, "an item arrives with its content");
  ++item->taken;
  return true;
}

void steal(Queue& queue) {
  Item* batch[2] = {};
  const std::size_t n = queue.steal(batch, 2);
  for (std::size_t i = 0; i < n; ++i) use(batch[i]);
}

template <std::size_t n>
void finish(Run& run, Queue& queue, Item (&items)[n]) {
  run.join();
  while (use(queue.pop())) {
  }
  check(queue.empty(), "what pop() leaves is empty");
  for (Item& item : items) check(item.taken == 1, "every item is taken once");
}

// Pushes; runs the item itself if there is no room.
void push(Queue& queue, Item& item) {
  item.content = 7;
  if (!queue.push(&item)) use(&item);
}

MODEL(RunQueue, "every task is taken once", .preemptions = 3) {
  Item items[2];
  Queue queue;
  run.thread("owner", [&] {
    push(queue, items[0]);
    push(queue, items[1]);
    use(queue.pop());
  });
  run.thread("thief", [&] { steal(queue); });
  finish(run, queue, items);
}

MODEL(RunQueue, "two thieves and the owner share a full queue") {
  Item items[3];
  Queue queue;
  push(queue, items[0]);
  push(queue, items[1]);
  run.thread("owner", [&] {
    use(queue.pop());
    push(queue, items[2]);
  });
  run.thread("thief", [&] { steal(queue); });
  run.thread("other thief", [&] { steal(queue); });
  finish(run, queue, items);
}

// The owner goes round the ring while a thief still copies from it.
MODEL(RunQueue, "a slot that is used again fools no thief", .preemptions = 3) {
  Item items[4];
  Queue queue;
  push(queue, items[0]);
  push(queue, items[1]);
  run.thread("owner", [&] {
    use(queue.pop());
    push(queue, items[2]);
    use(queue.pop());
    push(queue, items[3]);
  });
  run.thread("thief", [&] { steal(queue); });
  finish(run, queue, items);
}

MUTATION(RunQueue, "every task is taken once", split("head_", Op::Cas, "pop"));
MUTATION(RunQueue, "every task is taken once", split("head_", Op::Cas, "steal"));
MUTATION(RunQueue, "every task is taken once", late("slot(tail)", "push"));
MUTATION(RunQueue, "every task is taken once", weaken("tail_", Op::Store, Order::relaxed, "push"));
MUTATION(RunQueue, "every task is taken once", weaken("tail_", Op::Load, Order::relaxed, "steal"));
MUTATION(RunQueue, "a slot that is used again fools no thief", skip("head_", Op::Cas, "pop"));

}  // namespace
