// sched/deque.hpp: every item is taken by exactly one, and arrives with what it points to.
#include "deque.hpp"

#include "model/model.hpp"

namespace {

using coil::detail::Deque;
using model::check;
using model::Run;

struct Item {
  model::Plain<int> content{0};
  model::Plain<int> taken{0};  // taken twice is a race at least
};

bool use(Item* item) {
  if (item == nullptr) return false;
  check(item->content == 7, "an item arrives with its content");
  ++item->taken;
  return true;
}

void push(Deque<Item>& deque, Item& item) {
  item.content = 7;
  deque.push(&item);
}

template <std::size_t n>
void finish(Run& run, Deque<Item>& deque, Item (&items)[n]) {
  run.join();
  while (use(deque.take())) {
  }
  check(deque.empty(), "what take() leaves is empty");
  for (Item& item : items) check(item.taken == 1, "every item is taken once");
}

// The owner takes an item without asking anybody while it believes there are two.
MODEL(Deque, "the last item is taken once", .preemptions = 3) {
  Item items[2];
  Deque<Item> deque(2);
  push(deque, items[0]);
  run.thread("owner", [&] {
    push(deque, items[1]);
    use(deque.take());
  });
  run.thread("thief", [&] {
    use(deque.steal());
    use(deque.steal());
  });
  finish(run, deque, items);
}

MODEL(Deque, "three hands reach for one item", .preemptions = 3) {
  Item items[1];
  Deque<Item> deque(2);
  run.thread("owner", [&] {
    push(deque, items[0]);
    use(deque.take());
  });
  for (const char* name : {"thief", "other thief"}) {
    run.thread(name, [&] { use(deque.steal()); });
  }
  finish(run, deque, items);
}

MODEL(Deque, "owner and thieves share what there is", .preemptions = 3) {
  Item items[3];
  Deque<Item> deque(4);
  push(deque, items[0]);
  run.thread("owner", [&] {
    push(deque, items[1]);
    use(deque.take());
    use(deque.take());
    push(deque, items[2]);
  });
  run.thread("thief", [&] {
    use(deque.steal());
    use(deque.steal());
  });
  finish(run, deque, items);
}

MODEL(Deque, "a thief finds its item while the ring grows", .preemptions = 3) {
  Item items[3];
  Deque<Item> deque(2);
  push(deque, items[0]);
  push(deque, items[1]);
  run.thread("owner", [&] {
    push(deque, items[2]);
    use(deque.take());
  });
  run.thread("thief", [&] {
    use(deque.steal());
    use(deque.steal());
  });
  finish(run, deque, items);
}

// The push must not write a slot that a thief still reads: it may only once top has moved.
MODEL(Deque, "a slot is used again only after its thief is done", .preemptions = 3) {
  Item items[3];
  Deque<Item> deque(2);
  push(deque, items[0]);
  push(deque, items[1]);
  run.thread("owner", [&] {
    use(deque.take());
    push(deque, items[2]);
  });
  run.thread("thief", [&] { use(deque.steal()); });
  run.thread("other thief", [&] { use(deque.steal()); });
  finish(run, deque, items);
}

MUTATION(Deque, "the last item is taken once", late("bottom_", "take"));
MUTATION(Deque, "the last item is taken once", skip("bottom_", Op::Store, "take"));
MUTATION(Deque, "the last item is taken once",
         weaken("bottom_", Op::Store, Order::release, "take"));
MUTATION(Deque, "the last item is taken once", weaken("top_", Op::Load, Order::acquire, "take"));
MUTATION(Deque, "the last item is taken once",
         weaken("bottom_", Op::Load, Order::acquire, "steal"));
MUTATION(Deque, "three hands reach for one item", split("top_", Op::Cas, "take"));
MUTATION(Deque, "three hands reach for one item", split("top_", Op::Cas, "steal"));
MUTATION(Deque, "three hands reach for one item", skip("top_", Op::Cas, "take"));
MUTATION(Deque, "three hands reach for one item",
         weaken("bottom_", Op::Store, Order::relaxed, "push"));
MUTATION(Deque, "three hands reach for one item", late("ring->slot(bottom)", "push"));
MUTATION(Deque, "a thief finds its item while the ring grows",
         weaken("ring_", Op::Store, Order::relaxed, "grow"));
MUTATION(Deque, "a thief finds its item while the ring grows",
         weaken("ring_", Op::Load, Order::relaxed, "steal"));

}  // namespace
