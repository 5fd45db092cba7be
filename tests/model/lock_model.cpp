// Small protocols with known answers: locks, a lost wake-up, reference counts. They show the
// explorer's reports, and are examples for whoever writes a model.
#include <mutex>

#include "model/model.hpp"

namespace {

using model::Atomic;
using model::check;
using model::Order;
using model::Run;

class SpinLock {
 public:
  void lock() {
    while (held_.exchange(true, Order::acquire)) {
      while (held_.load(Order::relaxed)) model::spin_pause();
    }
  }
  void unlock() { held_.store(false, Order::release); }

 private:
  Atomic<bool> held_{false};
};

MODEL(Lock, "a spin lock excludes, and orders what it guards", .preemptions = 3) {
  SpinLock lock;
  model::Plain<int> count{0};
  for (const char* name : {"one", "two"}) {
    run.thread(name, [&] {
      for (int i = 0; i < 2; ++i) {
        const std::scoped_lock guard(lock);
        ++count;
      }
    });
  }
  run.join();
  check(count == 4, "no increment is lost");
}
MUTATION(Lock, "a spin lock excludes, and orders what it guards",
         weaken("held_", Op::Rmw, Order::relaxed, "lock"));
MUTATION(Lock, "a spin lock excludes, and orders what it guards", split("held_", Op::Rmw, "lock"));
MUTATION(Lock, "a spin lock excludes, and orders what it guards",
         skip("held_", Op::Store, "unlock"));
MUTATION(Lock, "a spin lock excludes, and orders what it guards",
         weaken("held_", Op::Store, Order::relaxed, "unlock"));

MODEL(Lock, "a mutex excludes, and orders what it guards", .preemptions = 3) {
  model::Mutex mutex;
  model::Plain<int> count{0};
  for (const char* name : {"one", "two", "three"}) {
    run.thread(name, [&] {
      const std::scoped_lock guard(mutex);
      ++count;
    });
  }
  run.join();
  check(count == 3, "no increment is lost");
}

// Each spins on what it has seen, however old, and both get in.
MODEL(Lock, "who spins on an old value looks again") {
  SpinLock lock;
  Atomic<int> turn{0};
  run.thread("one", [&] {
    lock.lock();
    turn.store(1, Order::relaxed);
    lock.unlock();
  });
  run.thread("two", [&] {
    model::block_until([&] { return turn.load(Order::relaxed) == 1; });
    lock.lock();
    lock.unlock();
  });
  run.join();
}

MODEL(Lock, "spinning ends, however many old values there are", .stale_reads = 1'000) {
  Atomic<int> turn{0};
  run.thread("one", [&] {
    for (int i = 1; i <= 3; ++i) turn.store(i, Order::relaxed);
  });
  run.thread("two", [&] { model::block_until([&] { return turn.load(Order::relaxed) == 3; }); });
  run.join();
}
// A spinner that writes what is there already keeps no other one awake.
MODEL(Lock, "spinning by exchange ends as well") {
  Atomic<bool> held{false};
  for (const char* name : {"one", "two", "three"}) {
    run.thread(name, [&] {
      while (held.exchange(true, Order::acquire)) model::spin_pause();
      held.store(false, Order::release);
    });
  }
  run.join();
}

COUNTEREXAMPLE(Lock, "two mutexes taken in two orders deadlock", "deadlock: ") {
  model::Mutex a{"a"}, b{"b"};
  run.thread("a then b", [&] { const std::lock_guard first(a), second(b); });
  run.thread("b then a", [&] { const std::lock_guard first(b), second(a); });
  run.join();
}

// Peterson's lock stands and falls with seq_cst, as Dekker's does.
void peterson(Run& run) {
  Atomic<bool> wants[2];
  Atomic<int> turn{0};
  model::Plain<int> inside{0};
  for (int me = 0; me < 2; ++me) {
    run.thread(me == 0 ? "zero" : "one", [&, me] {
      wants[me].store(true, Order::seq_cst);
      turn.store(1 - me, Order::seq_cst);
      model::block_until(
          [&] { return !wants[1 - me].load(Order::seq_cst) || turn.load(Order::seq_cst) == me; });
      ++inside;
      wants[me].store(false, Order::release);
    });
  }
  run.join();
}
MODEL(Lock, "Peterson's lock excludes", .preemptions = 3) { peterson(run); }
MUTATION(Lock, "Peterson's lock excludes", weaken("wants[1 - me]", Op::Load, Order::acquire));
MUTATION(Lock, "Peterson's lock excludes", weaken("turn", Op::Store, Order::release));

// Parking: the sleeper announces itself and then looks; the waker works and then looks for
// sleepers. Either order of the two loses no wake-up, as long as each looks last.
void park(Run& run) {
  Atomic<bool> work{false}, idle{false};
  model::EventFd wake{"wake"};
  run.thread("sleeper", [&] {
    idle.store(true, Order::seq_cst);
    if (work.load(Order::seq_cst)) return;
    wake.wait();
    check(work.load(Order::relaxed), "who is woken finds work");
  });
  run.thread("waker", [&] {
    work.store(true, Order::seq_cst);
    if (idle.load(Order::seq_cst)) wake.signal();
  });
  run.join();
}
MODEL(Lock, "no wake-up is lost between announcing and looking") { park(run); }
MUTATION(Lock, "no wake-up is lost between announcing and looking", late("idle", "park"));
MUTATION(Lock, "no wake-up is lost between announcing and looking", late("work", "park"));
MUTATION(Lock, "no wake-up is lost between announcing and looking", skip("idle", Op::Store));
MUTATION(Lock, "no wake-up is lost between announcing and looking",
         weaken("idle", Op::Store, Order::release));
MUTATION(Lock, "no wake-up is lost between announcing and looking",
         weaken("work", Op::Load, Order::acquire));
MUTATION(Lock, "no wake-up is lost between announcing and looking",
         weaken("work", Op::Store, Order::release));
MUTATION(Lock, "no wake-up is lost between announcing and looking",
         weaken("idle", Op::Load, Order::acquire));

// A step that only a hook can break: the second look, after the knock.
MODEL(Lock, "who waits for a door looks again after each knock") {
  Atomic<int> knocks{0};
  Atomic<bool> open{false};
  run.thread("inside", [&] {
    for (int seen = 0; !open.load(); seen = knocks.load()) {
      model::block_until([&] { return knocks.load() != seen; });
      if (model::mutated("door.look_once")) break;
    }
    check(open.load(), "the door is open");
  });
  run.thread("outside", [&] {
    knocks.fetch_add(1);
    open.store(true);
    knocks.fetch_add(1);
  });
  run.join();
}
MUTATION(Lock, "who waits for a door looks again after each knock", hook("door.look_once"));

struct Counted {
  Atomic<int> references{2};
  model::Plain<int> payload{0};
  void drop() {
    if (references.fetch_sub(1, Order::acq_rel) == 1) delete this;
  }
};
MODEL(Lock, "the last reference deletes, after every use") {
  auto* shared = new Counted;
  for (const char* name : {"one", "two"}) {
    run.thread(name, [shared] {
      check(shared->payload == 0, "nobody has written");
      shared->drop();
    });
  }
  run.join();
}
MUTATION(Lock, "the last reference deletes, after every use",
         weaken("references", Op::Rmw, Order::release));
MUTATION(Lock, "the last reference deletes, after every use",
         weaken("references", Op::Rmw, Order::acquire));

COUNTEREXAMPLE(Lock, "an object published with a relaxed store is not safe to touch",
               "used before its construction") {
  Atomic<Counted*> published{nullptr};
  run.thread("maker", [&] { published.store(new Counted, Order::relaxed); });
  run.thread("user", [&] {
    if (Counted* found = published.load(Order::acquire)) found->drop();
  });
  run.join();
  delete published.load();
}
COUNTEREXAMPLE(Lock, "an acquire is needed before what others have used is destroyed",
               "may still be using it") {
  auto* flag = new Atomic<int>{0};
  run.thread("owner", [flag] {
    model::block_until([&] { return flag->load(Order::relaxed) == 1; });
    delete flag;
  });
  run.thread("teller", [flag] { flag->store(1, Order::release); });
  run.join();
}
COUNTEREXAMPLE(Lock, "touching an object after telling its owner to destroy it", "destroyed") {
  auto* flag = new Atomic<int>{0};
  run.thread("owner", [flag] {
    model::block_until([&] { return flag->load(Order::acquire) == 1; });
    delete flag;
  });
  run.thread("teller", [flag] {
    flag->store(1, Order::release);
    flag->load(Order::relaxed);
  });
  run.join();
}

}  // namespace
