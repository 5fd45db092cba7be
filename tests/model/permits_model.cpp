// core/coil/detail/permits.hpp: what Lock and Semaphore are made of. A permit is never lost and
// never had twice, whether it is taken on the fast path, handed over, or left by a cancel.
#include <coil/detail/permits.hpp>
#include <memory>
#include <optional>

#include "model/model.hpp"

namespace {

using coil::detail::LeafKind;
using coil::detail::Permits;
using coil::detail::Waiter;
using model::Atomic;
using model::check;
using model::Order;
using model::Run;

constinit const LeafKind sleeper_kind{"sleeper"};

// A task that waits in line; its awaiter.
struct Sleeper : Waiter {
  explicit Sleeper(Permits& permits) : Waiter(sleeper_kind, permits.line()) {}
  void wake() { bell.signal(); }
  model::EventFd bell{"bell"};
};

void acquire(Permits& permits) {
  if (permits.try_take()) return;
  Sleeper sleeper(permits);
  if (permits.line_up(sleeper)) sleeper.bell.wait();
}
void release(Permits& permits, std::uint64_t limit = 1) {
  Waiter* next = nullptr;
  check(permits.give(limit, next), "it was taken");
  if (next != nullptr) static_cast<Sleeper*>(next)->wake();
}

MODEL(Permits, "a lock excludes, and whoever waits gets it", .preemptions = 3) {
  Permits permits(1);
  model::Plain<int> inside{0};
  for (const char* name : {"one", "two"}) {
    run.thread(name, [&] {
      for (int i = 0; i < 2; ++i) {
        acquire(permits);
        ++inside;
        release(permits);
      }
    });
  }
  run.join();
  check(inside == 4 && permits.free() == 1 && !permits.awaited(), "it is free again");
}

MODEL(Permits, "three take turns") {
  Permits permits(1);
  model::Plain<int> inside{0};
  for (const char* name : {"one", "two", "three"}) {
    run.thread(name, [&] {
      acquire(permits);
      ++inside;
      release(permits);
    });
  }
  run.join();
  check(inside == 3 && permits.free() == 1 && !permits.awaited(), "it is free again");
}

MODEL(Permits, "no more are inside than there are permits") {
  Permits permits(2);
  Atomic<int> inside{0};
  for (const char* name : {"one", "two", "three"}) {
    run.thread(name, [&] {
      acquire(permits);
      check(inside.fetch_add(1, Order::relaxed) < 2, "there is room");
      inside.fetch_sub(1, Order::relaxed);
      release(permits, 2);
    });
  }
  run.join();
  check(permits.free() == 2 && !permits.awaited(), "both are back");
}

// The cancel hook of `first` against the release that would hand it the permit.
MODEL(Permits, "a cancelled waiter takes no permit with it") {
  Permits permits(0);
  Sleeper first(permits);
  check(permits.line_up(first), "there is no permit");
  bool left = false;
  run.thread("holder", [&] { release(permits); });
  run.thread("canceller", [&] {
    left = permits.leave(first);
    if (left) first.wake();
  });
  run.thread("other", [&] {
    acquire(permits);
    release(permits);
  });
  run.thread("first", [&] {
    first.bell.wait();
    if (!left) release(permits);
  });
  run.join();
  check(permits.free() == 1 && !permits.awaited(), "the permit is back");
}

MODEL(Permits, "a newcomer never passes one in line", .preemptions = 3) {
  Permits permits(0);
  Sleeper first(permits);
  Sleeper second(permits);
  check(permits.line_up(first) && permits.line_up(second), "there is no permit");
  run.thread("holder", [&] { release(permits); });
  run.thread("newcomer", [&] { check(!permits.try_take(), "it is the first one's"); });
  run.thread("first", [&] { first.bell.wait(); });
  run.thread("canceller", [&] { check(permits.leave(second), "the first one comes first"); });
  run.join();
  check(permits.free() == 0 && !permits.awaited(), "the first one has it");
}

// The release finds the line emptied by a cancel, and then gives the permit to whoever looks, who
// destroys the lock.
MODEL(Permits, "whoever gets the permit may destroy it", .preemptions = 3) {
  auto permits = std::make_unique<Permits>(0);
  auto cancelled = std::make_unique<Sleeper>(*permits);
  check(permits->line_up(*cancelled), "there is no permit");
  run.thread("holder", [p = permits.get()] { release(*p); });
  run.thread("getter", [&] {
    if (permits->leave(*cancelled)) {
      acquire(*permits);
    } else {
      cancelled->bell.wait();
    }
    cancelled.reset();
    permits.reset();
  });
  run.join();
}

// A condition: wait() against a notifier who takes the lock as soon as it is free.
MODEL(Permits, "who waits for a notification is in line before the lock is free",
      .preemptions = 3) {
  Permits lock(0);
  coil::detail::WaitLine line;
  Sleeper sleeper(lock);
  run.thread("waiter", [&] {
    check(line_up_and_release(line, sleeper, lock) == nullptr, "nobody else waits");
    sleeper.bell.wait();
  });
  run.thread("notifier", [&] {
    model::block_until([&] { return lock.try_take(); });
    Waiter* notified = nullptr;
    {
      const coil::detail::SpinGuard guard(line.lock());
      notified = line.pop();
    }
    check(notified != nullptr, "it is there");
    static_cast<Sleeper*>(notified)->wake();
  });
  run.join();
}
MUTATION(Permits, "who waits for a notification is in line before the lock is free",
         hook("permits.release_first"));

#define EXCLUDES "a lock excludes, and whoever waits gets it"
#define CANCELLED "a cancelled waiter takes no permit with it"
MUTATION(Permits, EXCLUDES, split("word_", Op::Cas, "try_take"));
MUTATION(Permits, EXCLUDES, split("word_", Op::Cas, "line_up"));
MUTATION(Permits, EXCLUDES, skip("word_", Op::Cas, "line_up"));
MUTATION(Permits, EXCLUDES, split("word_", Op::Cas, "give"));
MUTATION(Permits, EXCLUDES, skip("word_", Op::Store, "clear_if_last"));
MUTATION(Permits, EXCLUDES, weaken("word_", Op::Cas, Order::relaxed, "try_take"));
MUTATION(Permits, EXCLUDES, weaken("word_", Op::Cas, Order::relaxed, "give"));
MUTATION(Permits, EXCLUDES, split("held_", Op::Rmw, "lock"));
MUTATION(Permits, CANCELLED, skip("word_", Op::Store, "clear_if_last"));
MUTATION(Permits, CANCELLED, split("held_", Op::Rmw, "lock"));
MUTATION(Permits, CANCELLED, hook("permits.leave_anyway"));
MUTATION(Permits, "three take turns", hook("permits.clear_always"));
MUTATION(Permits, "no more are inside than there are permits", split("word_", Op::Cas, "try_take"));
// Without a look at Waiting, a release adds to the word what belongs to the first in line.
MUTATION(Permits, "a newcomer never passes one in line", ignore("word_", Op::Load, 1, "give"),
         ignore("word_", Op::Cas, 1, "give"));
// Unlocked after the wake-up.
MUTATION(Permits, "whoever gets the permit may destroy it", late("held_", "unlock"));

// Why give() unlocks before it adds to the word.
COUNTEREXAMPLE(Permits, "a permit given under the line's lock lets it be destroyed too soon",
               "destroyed") {
  auto permits = std::make_unique<Permits>(0);
  run.thread("holder", [p = permits.get()] {
    const coil::detail::SpinGuard guard(p->line().lock());
    release(*p);
  });
  run.thread("getter", [&] {
    model::block_until([&] { return permits->try_take(); });
    permits.reset();
  });
  run.join();
}

}  // namespace
