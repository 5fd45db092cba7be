// core/coil/detail/flag_lock.hpp, as core/event.cpp uses it.
#include <coil/detail/flag_lock.hpp>
#include <coil/detail/wait_line.hpp>
#include <memory>

#include "model/model.hpp"

namespace {

using coil::detail::FlagLock;
using coil::detail::LeafKind;
using coil::detail::Waiter;
using coil::detail::WaitLine;
using model::Atomic;
using model::check;
using model::Order;
using model::Run;

constinit const LeafKind sleeper_kind{"sleeper"};

struct Sleeper : Waiter {
  explicit Sleeper(WaitLine& line) : Waiter(sleeper_kind, line) {}
  model::EventFd bell{"bell"};
};

struct Event {
  void set() {
    (void)lock.lock();
    Waiter* waiter = line.pop_all();
    lock.unlock(true);
    while (waiter != nullptr) {
      Waiter* next = waiter->next;
      static_cast<Sleeper*>(waiter)->bell.signal();
      waiter = next;
    }
  }
  void clear() {
    (void)lock.lock();
    lock.unlock(false);
  }
  void wait() {
    if (lock.flag()) return;
    Sleeper sleeper(line);
    const bool set = lock.lock();
    if (!set) line.push(sleeper);
    lock.unlock(set);
    if (!set) sleeper.bell.wait();
  }
  bool leave(Sleeper& sleeper) {
    const bool set = lock.lock();
    const bool linked = sleeper.linked;
    if (linked) line.remove(sleeper);
    lock.unlock(set);
    return linked;
  }

  FlagLock lock;
  WaitLine line;
};

MODEL(FlagLock, "an event wakes who waits, with what was written before", .preemptions = 3) {
  Event event;
  model::Plain<int> data{0};
  run.thread("setter", [&] {
    data = 1;
    event.set();
  });
  for (const char* name : {"waiter", "other waiter"}) {
    run.thread(name, [&] {
      event.wait();
      check(data == 1, "it is there");
    });
  }
  run.join();
}

MODEL(FlagLock, "whoever sees an event set may destroy it", .preemptions = 3) {
  auto event = std::make_unique<Event>();
  run.thread("setter", [e = event.get()] { e->set(); });
  run.thread("waiter", [&] {
    event->wait();
    event.reset();
  });
  run.join();
}

MODEL(FlagLock, "who clears before looking misses nothing", .preemptions = 3) {
  Event event;
  Atomic<int> made{0};
  event.set();
  run.thread("maker", [&] {
    for (int i = 0; i < 2; ++i) {
      made.store(i + 1, Order::relaxed);
      event.set();
    }
  });
  run.thread("taker", [&] {
    for (int seen = 0; seen < 2;) {
      event.clear();
      const int there = made.load(Order::relaxed);
      if (there == seen) event.wait();
      seen = there;
    }
  });
  run.join();
}

MODEL(FlagLock, "a waiter is woken once or leaves", .preemptions = 3) {
  Event event;
  Sleeper sleeper(event.line);
  event.line.push(sleeper);
  run.thread("setter", [&] { event.set(); });
  run.thread("canceller", [&] {
    if (event.leave(sleeper)) sleeper.bell.signal();
  });
  run.thread("waiter", [&] { sleeper.bell.wait(); });
  run.join();
  check(sleeper.bell.drain() == 0, "woken once");
  check(event.lock.flag(), "it is set, whoever came last");
}

#define WAKES "an event wakes who waits, with what was written before"
MUTATION(FlagLock, WAKES, split("word_", Op::Rmw, "lock"));
MUTATION(FlagLock, WAKES, weaken("word_", Op::Load, Order::relaxed, "flag"));
MUTATION(FlagLock, WAKES, weaken("word_", Op::Store, Order::relaxed, "unlock"));
MUTATION(FlagLock, WAKES, blind("word_", "flag"), skip("word_", Op::Store, "unlock"));
MUTATION(FlagLock, "whoever sees an event set may destroy it",
         weaken("word_", Op::Load, Order::relaxed, "flag"));
MUTATION(FlagLock, "who clears before looking misses nothing",
         weaken("word_", Op::Rmw, Order::relaxed, "lock"));
MUTATION(FlagLock, "who clears before looking misses nothing",
         weaken("word_", Op::Store, Order::relaxed, "unlock"));
MUTATION(FlagLock, "a waiter is woken once or leaves", split("word_", Op::Rmw, "lock"));

// Why the flag is changed by unlocking.
COUNTEREXAMPLE(FlagLock, "a flag beside the lock lets both be destroyed too soon", "destroyed") {
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
