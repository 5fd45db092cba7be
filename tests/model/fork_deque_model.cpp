// sched/fork_deque.hpp: every item is taken by exactly one, and arrives with what it points to.
#include "fork_deque.hpp"

#include "idle_set.hpp"
#include "model/model.hpp"

namespace {

using coil::detail::ForkDeque;
using coil::detail::IdleSet;
using model::check;
using model::Order;
using model::Run;

struct Item {
  model::Plain<int> content{0};
  model::Plain<int> taken{0};  // taken twice is a race at least
};
using Deque = ForkDeque<Item>;

bool use(Item* item) {
  if (item == nullptr) return false;
  check(item->content == 7, "an item arrives with its content");
  ++item->taken;
  return true;
}

void push(Deque& deque, Item& item) {
  item.content = 7;
  deque.push(item);
}
// As a loop does while another one looks for work.
void push_public(Deque& deque, Item& item) {
  push(deque, item);
  deque.share();
}
void take_if(Deque& deque, Item& item) {
  if (deque.take(item)) use(&item);
}
// As a thief that has waited long enough.
bool steal_hidden(Deque& deque) {
  if (use(deque.steal())) return true;
  return deque.force() && use(deque.steal());
}

template <std::size_t n>
void finish(Run& run, Deque& deque, Item (&items)[n]) {
  run.join();
  while (use(deque.take())) {
  }
  check(deque.empty(), "what take() leaves is empty");
  for (Item& item : items) check(item.taken == 1, "every item is taken once");
}

// The public part.

// The owner takes an item without asking anybody while it believes there are two.
MODEL(ForkDeque, "the last item is taken once", .preemptions = 3) {
  Item items[2];
  Deque deque(2);
  push_public(deque, items[0]);
  run.thread("owner", [&] {
    push_public(deque, items[1]);
    use(deque.take());
  });
  run.thread("thief", [&] {
    use(deque.steal());
    use(deque.steal());
  });
  finish(run, deque, items);
}

MODEL(ForkDeque, "three hands reach for one item", .preemptions = 3) {
  Item items[1];
  Deque deque(2);
  run.thread("owner", [&] {
    push_public(deque, items[0]);
    use(deque.take());
  });
  for (const char* name : {"thief", "other thief"}) {
    run.thread(name, [&] { use(deque.steal()); });
  }
  finish(run, deque, items);
}

MODEL(ForkDeque, "owner and thieves share what there is", .preemptions = 3) {
  Item items[3];
  Deque deque(4);
  push_public(deque, items[0]);
  run.thread("owner", [&] {
    push_public(deque, items[1]);
    use(deque.take());
    use(deque.take());
    push_public(deque, items[2]);
  });
  run.thread("thief", [&] {
    use(deque.steal());
    use(deque.steal());
  });
  finish(run, deque, items);
}

MODEL(ForkDeque, "a thief finds its item while the ring grows", .preemptions = 3) {
  Item items[3];
  Deque deque(2);
  push_public(deque, items[0]);
  push_public(deque, items[1]);
  run.thread("owner", [&] {
    push_public(deque, items[2]);
    use(deque.take());
  });
  run.thread("thief", [&] {
    use(deque.steal());
    use(deque.steal());
  });
  finish(run, deque, items);
}

// The push must not write a slot that a thief still reads: it may only once top has moved.
MODEL(ForkDeque, "a slot is used again only after its thief is done", .preemptions = 3) {
  Item items[3];
  Deque deque(2);
  push_public(deque, items[0]);
  push_public(deque, items[1]);
  run.thread("owner", [&] {
    use(deque.take());
    push_public(deque, items[2]);
  });
  run.thread("thief", [&] { use(deque.steal()); });
  run.thread("other thief", [&] { use(deque.steal()); });
  finish(run, deque, items);
}

// A fork takes back just its own child; the slot may hold an old one that looks like it.
MODEL(ForkDeque, "a child that was stolen is not taken", .preemptions = 3) {
  Item items[2];
  Deque deque(2);
  run.thread("owner", [&] {
    push_public(deque, items[0]);
    push(deque, items[1]);
    take_if(deque, items[1]);
    take_if(deque, items[0]);
  });
  run.thread("thief", [&] { use(deque.steal()); });
  finish(run, deque, items);
}

MUTATION(ForkDeque, "the last item is taken once",
         weaken("limit_", Op::Cas, Order::acq_rel, "lower_limit"));
MUTATION(ForkDeque, "the last item is taken once",
         weaken("top_", Op::Load, Order::acquire, "claim_public"));
MUTATION(ForkDeque, "the last item is taken once",
         weaken("limit_", Op::Load, Order::acquire, "steal"));
MUTATION(ForkDeque, "three hands reach for one item", split("top_", Op::Cas, "claim_public"));
MUTATION(ForkDeque, "three hands reach for one item", split("top_", Op::Cas, "steal"));
MUTATION(ForkDeque, "three hands reach for one item", skip("top_", Op::Cas, "claim_public"));
MUTATION(ForkDeque, "three hands reach for one item",
         weaken("limit_", Op::Cas, Order::relaxed, "share"));
MUTATION(ForkDeque, "a thief finds its item while the ring grows",
         weaken("ring_", Op::Store, Order::relaxed, "use"));
MUTATION(ForkDeque, "a thief finds its item while the ring grows",
         weaken("ring_", Op::Load, Order::relaxed, "steal"));

// The private part.

MODEL(ForkDeque, "what the owner hides is forced or taken, once", .preemptions = 3) {
  Item items[2];
  Deque deque(4);
  run.thread("owner", [&] {
    push(deque, items[0]);
    push(deque, items[1]);
    take_if(deque, items[1]);
    take_if(deque, items[0]);
  });
  run.thread("thief", [&] { steal_hidden(deque); });
  finish(run, deque, items);
}

MODEL(ForkDeque, "two thieves force", .preemptions = 2) {
  Item items[2];
  Deque deque(4);
  push(deque, items[0]);
  run.thread("owner", [&] {
    push(deque, items[1]);
    take_if(deque, items[1]);
    take_if(deque, items[0]);
  });
  for (const char* name : {"thief", "other thief"}) {
    run.thread(name, [&] { steal_hidden(deque); });
  }
  finish(run, deque, items);
}

MODEL(ForkDeque, "the owner shares while a thief forces", .preemptions = 3) {
  Item items[2];
  Deque deque(4);
  push(deque, items[0]);
  run.thread("owner", [&] {
    push_public(deque, items[1]);
    take_if(deque, items[1]);
    take_if(deque, items[0]);
  });
  run.thread("thief", [&] { steal_hidden(deque); });
  run.thread("other thief", [&] { use(deque.steal()); });
  finish(run, deque, items);
}

MODEL(ForkDeque, "what the owner keeps hidden can be had, as it is", .preemptions = 3) {
  Item items[2];
  Deque deque(4);
  push(deque, items[0]);
  run.thread("owner", [&] { push(deque, items[1]); });
  run.thread("thief", [&] {
    check(steal_hidden(deque), "there is something");
    steal_hidden(deque);
  });
  finish(run, deque, items);
}

MUTATION(ForkDeque, "what the owner hides is forced or taken, once", hook("force.no_barrier"));
MUTATION(ForkDeque, "what the owner hides is forced or taken, once",
         late("bottom_", "claim_private"));
MUTATION(ForkDeque, "what the owner hides is forced or taken, once", hook("force.no_second_look"));
MUTATION(ForkDeque, "what the owner hides is forced or taken, once", hook("force.no_mark"));
MUTATION(ForkDeque, "what the owner hides is forced or taken, once",
         weaken("bottom_", Op::Store, Order::relaxed, "try_push"));
MUTATION(ForkDeque, "what the owner hides is forced or taken, once",
         weaken("bottom_", Op::Store, Order::relaxed, "claim_private"));
MUTATION(ForkDeque, "what the owner keeps hidden can be had, as it is",
         late("own_slot(bottom)", "try_push"));
MUTATION(ForkDeque, "two thieves force", split("limit_", Op::Cas, "force"));
MUTATION(ForkDeque, "the owner shares while a thief forces", hook("share.over_mark"));

// Parking: a loop that forks tells nobody unless it sees somebody idle; one that is about to sleep
// looks whether somebody forks.

MODEL(ForkDeque, "no child stays hidden while a loop sleeps", .preemptions = 3, .stale_reads = 3) {
  Item items[2];
  Deque deque(4);
  IdleSet set(2);
  model::EventFd bell{"bell"};
  const auto fork = [&](Item& item) {
    push(deque, item);
    if (!set.anyone_idle()) return;
    deque.share();
    if (set.claim_idle(0) == 1) bell.signal();
  };
  // The last child is never taken back: it is long.
  run.thread("forking loop", [&] {
    fork(items[0]);
    take_if(deque, items[0]);
    deque.close();
    fork(items[1]);
  });
  run.thread("parker", [&] {
    while (items[1].taken == 0) {
      set.publish(1);
      bool found = use(deque.steal());
      if (!found && deque.is_open()) {
        if (!COIL_MUTATION("park.no_barrier")) coil::detail::process_barrier();
        found = steal_hidden(deque);
      }
      if (!found) (void)bell.wait();
      if (!set.retract(1)) (void)set.end_search();
      use(deque.steal());
    }
  });
  run.join();
}

MUTATION(ForkDeque, "no child stays hidden while a loop sleeps", hook("park.no_barrier"));
MUTATION(ForkDeque, "no child stays hidden while a loop sleeps",
         weaken("open_", Op::Store, Order::release, "make_room"));
MUTATION(ForkDeque, "no child stays hidden while a loop sleeps",
         weaken("open_", Op::Load, Order::relaxed, "is_open"));

}  // namespace
