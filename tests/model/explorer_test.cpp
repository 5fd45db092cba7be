// The explorer's own tests: it finds what it should, counts what it should, says what it should.
#include "model/model.hpp"

namespace {

using model::Atomic;
using model::check;
using model::explore;
using model::Options;
using model::Order;
using model::Result;
using model::Run;

// Two threads with n stores each to locations of their own.
Result count_interleavings(int stores, unsigned preemptions) {
  return explore({.preemptions = preemptions}, [stores](Run& run) {
    Atomic<int> x{0}, y{0};
    run.thread("x", [&] {
      for (int i = 0; i < stores; ++i) x.store(i);
    });
    run.thread("y", [&] {
      for (int i = 0; i < stores; ++i) y.store(i);
    });
    run.join();
  });
}

SELF_TEST(Explorer, "without a bound it walks every interleaving once") {
  check(count_interleavings(1, 100).executions == 2, "2 choose 1");
  check(count_interleavings(2, 100).executions == 6, "4 choose 2");
  check(count_interleavings(5, 100).executions == 252, "10 choose 5");
}

SELF_TEST(Explorer, "a bound of zero leaves the orders of whole threads") {
  check(count_interleavings(5, 0).executions == 2, "one after the other, either way");
  // One thread is put aside once, at one of the places between its stores; or never.
  check(count_interleavings(5, 1).executions == 2 * (1 + 4), "bound of one");
}

SELF_TEST(Explorer, "a load may see every value that is not yet superseded") {
  unsigned seen = 0;
  const Result result = explore({.preemptions = 0}, [&](Run& run) {
    Atomic<int> x{0};
    run.thread("writer", [&] {
      for (int i = 1; i <= 3; ++i) x.store(i, Order::relaxed);
    });
    run.thread("reader", [&] { seen |= 1U << x.load(Order::relaxed); });
    run.join();
  });
  check(!result.failed && seen == 0b1111U, "all four values are seen");
  check(result.executions == 5, "reader first: one; writer first: four");
}

SELF_TEST(Explorer, "what the body writes before the threads start is old to them") {
  const Result result = explore({}, [](Run& run) {
    Atomic<int> x{0};
    x.store(1, Order::relaxed);
    run.thread("reader", [&] { check(x.load(Order::relaxed) == 1, "seen"); });
    x.store(1, Order::relaxed);
    run.join();
  });
  check(!result.failed && result.executions == 1, "one execution");
}

Result failing() {
  return explore({.preemptions = 2}, [](Run& run) {
    Atomic<int> x{0};
    for (const char* name : {"one", "two"}) {
      run.thread(name, [&] { x.store(x.load() + 1); });
    }
    run.join();
    check(x == 2, "nothing lost");
  });
}

SELF_TEST(Explorer, "a failure comes with its schedule and trace, and the simplest one it finds") {
  const Result result = failing();
  check(result.failed && result.message == "not so: nothing lost", "the message");
  check(result.schedule.starts_with("p1/"), "one preemption is enough");
  bool store = false;
  for (const std::string& line : result.trace) {
    store = store || (line.find("x.store(1, seq_cst)") != std::string::npos &&
                      line.find("explorer_test.cpp:") != std::string::npos);
  }
  check(store, "the trace names the operation, its value and its place");
}

SELF_TEST(Explorer, "a schedule replays") {
  const auto body = [](Run& run) {
    Atomic<int> x{0};
    run.thread("one", [&] { x.store(1, Order::seq_cst); });
    run.thread("two", [&] { x.store(2, Order::seq_cst); });
    run.join();
    check(x != 1, "one comes first");
  };
  const Result found = explore({}, body);
  const Result again = explore({.replay = found.schedule}, body);
  check(found.failed && again.failed, "both fail");
  check(again.executions == 1 && again.trace == found.trace, "in the same way, at once");
  check(!explore({.replay = "p2/"}, body).failed, "another schedule does not");
}

SELF_TEST(Explorer, "limits are failures") {
  const Result endless = explore({.max_steps = 100}, [](Run& run) {
    Atomic<bool> never{false};
    run.thread("spinner", [&] {
      while (!never.load()) {
      }
    });
    run.join();
  });
  check(endless.failed && endless.message.starts_with("more than 100 steps"), "max_steps");
  const Result large = explore({.preemptions = 100, .max_executions = 10}, [](Run& run) {
    Atomic<int> x{0};
    for (const char* name : {"one", "two", "three"}) {
      run.thread(name, [&] {
        for (int i = 0; i < 5; ++i) x.fetch_add(1);
      });
    }
    run.join();
  });
  check(large.failed && large.message.starts_with("not exhausted after 10"), "max_executions");
}

SELF_TEST(Explorer, "a deadlock names who waits for what") {
  const Result result = explore({}, [](Run& run) {
    model::EventFd bell{"bell"};
    Atomic<bool> flag{false};
    run.thread("sleeper", [&] { bell.wait(); });
    run.thread("spinner", [&] { model::block_until([&] { return flag.load(); }); });
    run.join();
  });
  check(result.failed && result.message.starts_with("deadlock: "), "it is one");
  check(result.message.find("sleeper waits for bell at explorer_test.cpp:") != std::string::npos,
        "the sleeper");
  check(result.message.find("spinner spins at explorer_test.cpp:") != std::string::npos,
        "the spinner");
}

SELF_TEST(Explorer, "leaks, double frees, crashes, exceptions and forgotten joins are failures") {
  const auto message = [](void (*body)(Run&)) { return explore({}, body).message; };
  check(
      message([](Run&) { [[maybe_unused]] int* volatile lost = new int; }).starts_with("leak: 1 "),
      "leak");
  check(message([](Run&) {
          int* volatile block = new int;
          delete block;
          delete block;
        }) == "memory is freed twice",
        "double free");
  check(message([](Run&) { *static_cast<volatile int*>(nullptr) = 1; }).find("crash") !=
            std::string::npos,
        "crash");
  check(message([](Run& run) {
          run.thread("thrower", [] { throw std::runtime_error("thrown"); });
          run.join();
        }) == "an exception leaves the thread: thrown",
        "exception");
  check(
      message([](Run& run) { run.thread("idle", [] {}); }).find("run.join()") != std::string::npos,
      "join");
}

SELF_TEST(Explorer, "exceptions may be in flight on several threads") {
  const Result result = explore({}, [](Run& run) {
    Atomic<int> x{0};
    for (int me = 1; me <= 2; ++me) {
      run.thread("thrower", [&x, me] {
        try {
          throw me;
        } catch (int caught) {
          x.fetch_add(caught);  // a switch inside a handler
          try {
            throw;
          } catch (int again) {
            check(again == me, "the thread's own exception");
          }
        }
      });
    }
    run.join();
    check(x == 3, "both caught");
  });
  check(!result.failed, "each thread rethrows its own");
}

SELF_TEST(Explorer, "choose explores every answer") {
  unsigned seen = 0;
  const Result result = explore({}, [&](Run&) { seen |= 1U << model::choose(3, "kernel"); });
  check(result.executions == 3 && seen == 0b111U, "three");
}

SELF_TEST(Explorer, "an atomic made outside an execution is an ordinary one") {
  Atomic<int> x{1};
  int expected = 2;
  check(!x.compare_exchange_strong(expected, 3) && expected == 1, "compare-exchange fails");
  check(x.compare_exchange_weak(expected, 3) && x.fetch_add(1) == 3 && x == 4, "and adds");
}

}  // namespace
