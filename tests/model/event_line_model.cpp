// core/coil/detail/event_line.hpp and the flag_lock.hpp below it: what Event is made of.
#include <coil/detail/event_line.hpp>
#include <memory>

#include "model/model.hpp"

namespace {

using coil::detail::EventLine;
using coil::detail::LeafKind;
using coil::detail::Waiter;
using model::Atomic;
using model::check;
using model::Order;
using model::Run;

constinit const LeafKind sleeper_kind{"sleeper"};

struct Sleeper : Waiter {
  explicit Sleeper(EventLine& event) : Waiter(sleeper_kind, event.line()) {}
  model::EventFd bell{"bell"};
};

void set(EventLine& event) {
  Waiter* waiter = event.set();
  while (waiter != nullptr) {
    Waiter* next = waiter->next;
    static_cast<Sleeper*>(waiter)->bell.signal();
    waiter = next;
  }
}
void wait(EventLine& event) {
  if (event.is_set()) return;
  Sleeper sleeper(event);
  if (event.line_up(sleeper)) sleeper.bell.wait();
}

MODEL(EventLine, "an event wakes who waits, with what was written before", .preemptions = 3) {
  EventLine event;
  model::Plain<int> data{0};
  run.thread("setter", [&] {
    data = 1;
    set(event);
  });
  for (const char* name : {"waiter", "other waiter"}) {
    run.thread(name, [&] {
      wait(event);
      check(data == 1, "it is there");
    });
  }
  run.join();
}

MODEL(EventLine, "whoever sees an event set may destroy it", .preemptions = 3) {
  auto event = std::make_unique<EventLine>();
  run.thread("setter", [e = event.get()] { set(*e); });
  run.thread("waiter", [&] {
    wait(*event);
    event.reset();
  });
  run.join();
}

MODEL(EventLine, "who clears before looking misses nothing", .preemptions = 3) {
  EventLine event;
  Atomic<int> made{0};
  set(event);
  run.thread("maker", [&] {
    for (int i = 0; i < 2; ++i) {
      made.store(i + 1, Order::relaxed);
      set(event);
    }
  });
  run.thread("taker", [&] {
    for (int seen = 0; seen < 2;) {
      event.clear();
      const int there = made.load(Order::relaxed);
      if (there == seen) wait(event);
      seen = there;
    }
  });
  run.join();
}

MODEL(EventLine, "a waiter is woken once or leaves", .preemptions = 3) {
  EventLine event;
  Sleeper sleeper(event);
  check(event.line_up(sleeper), "it is not set");
  run.thread("setter", [&] { set(event); });
  run.thread("canceller", [&] {
    if (event.leave(sleeper)) sleeper.bell.signal();
  });
  run.thread("waiter", [&] { sleeper.bell.wait(); });
  run.join();
  check(sleeper.bell.drain() == 0, "woken once");
  check(event.is_set(), "it is set, whoever came last");
}

#define WAKES "an event wakes who waits, with what was written before"
MUTATION(EventLine, WAKES, split("word_", Op::Rmw, "lock"));
MUTATION(EventLine, WAKES, weaken("word_", Op::Load, Order::relaxed, "flag"));
MUTATION(EventLine, WAKES, weaken("word_", Op::Store, Order::relaxed, "unlock"));
MUTATION(EventLine, WAKES, blind("word_", "flag"), skip("word_", Op::Store, "unlock"));
MUTATION(EventLine, "whoever sees an event set may destroy it",
         weaken("word_", Op::Load, Order::relaxed, "flag"));
MUTATION(EventLine, "who clears before looking misses nothing",
         weaken("word_", Op::Rmw, Order::relaxed, "lock"));
MUTATION(EventLine, "who clears before looking misses nothing",
         weaken("word_", Op::Store, Order::relaxed, "unlock"));
MUTATION(EventLine, "a waiter is woken once or leaves", split("word_", Op::Rmw, "lock"));
MUTATION(EventLine, "a waiter is woken once or leaves",
         ignore("word_", Op::Rmw, 1, "lock"));  // unlocked with another flag than before
MUTATION(EventLine, WAKES, ignore("word_", Op::Rmw, 1, "lock"));  // no second look

// Why the flag is changed by unlocking.
COUNTEREXAMPLE(EventLine, "a flag beside the lock lets both be destroyed too soon", "destroyed") {
  struct Beside {
    coil::detail::SpinLock lock;
    Atomic<bool> flag{false};
  };
  auto event = std::make_unique<Beside>();
  run.thread("setter", [e = event.get()] {
    const coil::detail::SpinGuard guard(e->lock);
    e->flag.store(true, Order::release);
  });
  run.thread("waiter", [&] {
    model::block_until([&] { return event->flag.load(Order::acquire); });
    event.reset();
  });
  run.join();
}

}  // namespace
