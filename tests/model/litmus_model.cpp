// The classic litmus tests: what the explorer's memory must forbid, and what it must show.
//
// A checker that never fails proves nothing, so each pattern comes with the order that holds and
// with the one just too weak.
#include "model/model.hpp"

namespace {

using model::Atomic;
using model::check;
using model::Order;
using model::Run;

void store_buffering(Run& run, Order store, Order load) {
  Atomic<int> x{0}, y{0};
  int saw_y = -1, saw_x = -1;
  run.thread("left", [&] {
    x.store(1, store);
    saw_y = y.load(load);
  });
  run.thread("right", [&] {
    y.store(1, store);
    saw_x = x.load(load);
  });
  run.join();
  check(saw_x == 1 || saw_y == 1, "one of the two sees the other's store");
}

MODEL(Litmus, "store buffering: seq_cst on all four forbids both zeros") {
  store_buffering(run, Order::seq_cst, Order::seq_cst);
}
COUNTEREXAMPLE(Litmus, "store buffering: release and acquire allow both zeros", "one of the two") {
  store_buffering(run, Order::release, Order::acquire);
}
COUNTEREXAMPLE(Litmus, "store buffering: weaker loads allow both zeros", "one of the two") {
  store_buffering(run, Order::seq_cst, Order::acquire);
}
COUNTEREXAMPLE(Litmus, "store buffering: weaker stores allow both zeros", "one of the two") {
  store_buffering(run, Order::release, Order::seq_cst);
}
MUTATION(Litmus, "store buffering: seq_cst on all four forbids both zeros",
         weaken("x", Op::Store, Order::release, "store_buffering"));
MUTATION(Litmus, "store buffering: seq_cst on all four forbids both zeros",
         weaken("y", Op::Load, Order::acquire));

void two_plus_two_writes(Run& run, Order order) {
  Atomic<int> x{0}, y{0};
  run.thread("left", [&] {
    x.store(1, order);
    y.store(2, order);
  });
  run.thread("right", [&] {
    y.store(1, order);
    x.store(2, order);
  });
  run.join();
  check(!(x == 1 && y == 1), "not both first stores stay");
}
MODEL(Litmus, "two writes each: seq_cst keeps a second one") {
  two_plus_two_writes(run, Order::seq_cst);
}
COUNTEREXAMPLE(Litmus, "two writes each: late release stores keep both first ones",
               "first stores") {
  two_plus_two_writes(run, Order::release);
}

void message_passing(Run& run, Order store, Order load) {
  model::Plain<int> data{0};
  Atomic<bool> ready{false};
  run.thread("writer", [&] {
    data = 42;
    ready.store(true, store);
  });
  run.thread("reader", [&] {
    if (ready.load(load)) check(data == 42, "the reader sees the data");
  });
  run.join();
}

MODEL(Litmus, "message passing: release and acquire order plain data") {
  message_passing(run, Order::release, Order::acquire);
}
COUNTEREXAMPLE(Litmus, "message passing: a relaxed store is a race", "data race") {
  message_passing(run, Order::relaxed, Order::acquire);
}
COUNTEREXAMPLE(Litmus, "message passing: a relaxed load is a race", "data race") {
  message_passing(run, Order::release, Order::relaxed);
}

COUNTEREXAMPLE(Litmus, "message passing: what follows the release is not released", "data race") {
  model::Plain<int> data{0};
  Atomic<bool> ready{false};
  run.thread("writer", [&] {
    ready.store(true, Order::release);
    data = 42;
  });
  run.thread("reader", [&] {
    if (ready.load(Order::acquire)) (void)data.read();
  });
  run.join();
}

void message_passing_atomic(Run& run, Order store, Order load) {
  Atomic<int> data{0}, ready{0};
  run.thread("writer", [&] {
    data.store(42, Order::relaxed);
    ready.store(1, store);
  });
  run.thread("reader", [&] {
    if (ready.load(load) == 1) check(data.load(Order::relaxed) == 42, "the data came along");
  });
  run.join();
}

MODEL(Litmus, "message passing: relaxed atomic data comes along with an acquired flag") {
  message_passing_atomic(run, Order::release, Order::acquire);
}
COUNTEREXAMPLE(Litmus, "message passing: atomic data stays behind a relaxed flag", "came along") {
  message_passing_atomic(run, Order::relaxed, Order::relaxed);
}
// seq_cst orders only seq_cst operations among each other: it is no fence for what is around.
COUNTEREXAMPLE(Litmus, "message passing: seq_cst on different locations carries no data",
               "came along") {
  Atomic<int> data{0}, left{0}, right{0};
  bool after = false;
  run.thread("writer", [&] {
    data.store(42, Order::relaxed);
    left.store(1, Order::seq_cst);
    after = true;
  });
  run.thread("reader", [&] {
    const bool later = after;  // later in S, and yet nothing synchronises
    right.exchange(1, Order::seq_cst);
    if (later) check(data.load(Order::relaxed) == 42, "the data came along");
  });
  run.join();
}

void iriw(Run& run, Order load) {
  Atomic<int> x{0}, y{0};
  int a = 0, b = 0, c = 0, d = 0;
  run.thread("write x", [&] { x.store(1, Order::seq_cst); });
  run.thread("write y", [&] { y.store(1, Order::seq_cst); });
  run.thread("x then y", [&] {
    a = x.load(load);
    b = y.load(load);
  });
  run.thread("y then x", [&] {
    c = y.load(load);
    d = x.load(load);
  });
  run.join();
  check(!(a == 1 && b == 0 && c == 1 && d == 0), "the readers agree which store came first");
}

MODEL(Litmus, "independent reads of independent writes: seq_cst readers agree", .preemptions = 3) {
  iriw(run, Order::seq_cst);
}
COUNTEREXAMPLE(Litmus, "independent reads of independent writes: acquire readers may disagree",
               "agree") {
  iriw(run, Order::acquire);
}

MODEL(Litmus, "write to read causality: a chain of acquires passes everything on") {
  model::Plain<int> data{0};
  Atomic<int> x{0}, y{0};
  run.thread("first", [&] {
    data = 1;
    x.store(1, Order::release);
  });
  run.thread("second", [&] {
    if (x.load(Order::acquire) == 1) y.store(1, Order::release);
  });
  run.thread("third", [&] {
    if (y.load(Order::acquire) == 1) check(data == 1, "the third sees the first's data");
  });
  run.join();
}
MUTATION(Litmus, "write to read causality: a chain of acquires passes everything on",
         weaken("x", Op::Load, Order::relaxed));
MUTATION(Litmus, "write to read causality: a chain of acquires passes everything on",
         weaken("y", Op::Store, Order::relaxed));

MODEL(Litmus, "coherence: nobody reads one location backwards", .preemptions = 3) {
  Atomic<int> x{0};
  run.thread("writer", [&] {
    x.store(1, Order::relaxed);
    x.store(2, Order::relaxed);
  });
  for (const char* name : {"reader", "other reader"}) {
    run.thread(name, [&] {
      const int first = x.load(Order::relaxed);
      check(x.load(Order::relaxed) >= first, "the second read is not older than the first");
    });
  }
  run.join();
  check(x.load(Order::relaxed) == 2, "the last store stays");
}

MODEL(Litmus, "read-modify-write: relaxed increments lose nothing", .preemptions = 3) {
  Atomic<int> x{0};
  for (const char* name : {"one", "two", "three"}) {
    run.thread(name, [&] {
      x.fetch_add(1, Order::relaxed);
      x.fetch_add(1, Order::relaxed);
    });
  }
  run.join();
  check(x.load(Order::relaxed) == 6, "six increments make six");
}
COUNTEREXAMPLE(Litmus, "read-modify-write: a load and a store lose an increment", "two") {
  Atomic<int> x{0};
  for (const char* name : {"one", "two"}) {
    run.thread(name, [&] { x.store(x.load() + 1); });
  }
  run.join();
  check(x == 2, "two increments make two");
}

MODEL(Litmus, "release sequence: a relaxed increment passes the release on") {
  model::Plain<int> data{0};
  Atomic<int> x{0};
  run.thread("writer", [&] {
    data = 1;
    x.store(1, Order::release);
  });
  run.thread("middle", [&] { x.fetch_add(10, Order::relaxed); });
  run.thread("reader", [&] {
    if (x.load(Order::acquire) == 11) check(data == 1, "the data came along");
  });
  run.join();
}
COUNTEREXAMPLE(Litmus, "release sequence: a relaxed store ends it", "data race") {
  model::Plain<int> data{0};
  Atomic<int> x{0};
  run.thread("writer", [&] {
    data = 1;
    x.store(1, Order::release);
    x.store(2, Order::relaxed);
  });
  run.thread("reader", [&] {
    if (x.load(Order::acquire) == 2) check(data == 1, "the data came along");
  });
  run.join();
}

COUNTEREXAMPLE(Litmus, "a failed compare-exchange may have read an old value", "newest") {
  Atomic<int> x{0}, flag{0};
  run.thread("writer", [&] {
    x.store(1, Order::relaxed);
    flag.store(1, Order::relaxed);
  });
  run.thread("reader", [&] {
    if (flag.load(Order::relaxed) == 0) return;
    int expected = 5;
    x.compare_exchange_strong(expected, 6, Order::relaxed);
    check(expected == 1, "the newest value is seen");
  });
  run.join();
}

}  // namespace
