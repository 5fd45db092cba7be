// core/coil/detail/completion.hpp: a future is completed once, and its waiters hear of it.
#include <coil/detail/completion.hpp>

#include "model/model.hpp"

namespace {

using coil::detail::Completion;
using coil::detail::FutureWaiter;
using model::Atomic;
using model::check;
using model::Order;
using model::Run;

// A done callback: needs the future once it is done, though others may have let it go by then.
struct Callback : FutureWaiter {
  Callback() { wake = &ignore; }
  static void ignore(FutureWaiter&) noexcept {}
  model::Plain<bool> holds{false};
};

struct Waiter : FutureWaiter {
  Waiter() {
    wake = [](FutureWaiter& waiter) noexcept {
      auto& self = static_cast<Waiter&>(waiter);
      ++self.woken;
      self.bell.signal();  // from here on the waiter may be gone
    };
  }
  model::Plain<int> woken{0};
  model::EventFd bell{"bell"};
};

struct Future {
  Completion completion;
  model::Plain<int> value{0};

  bool try_set(int v) {
    if (!completion.claim()) return false;
    value = v;
    completion.complete(Completion::Phase::Value);
    return true;
  }
};

MODEL(Completion, "a waiter is woken once or removed") {
  Future future;
  Waiter waiter;
  Atomic<bool> added{false};
  bool removed = false;
  run.thread("completer", [&] { check(future.try_set(42), "nobody else completes"); });
  run.thread("waiter", [&] {
    if (future.completion.add(waiter)) {
      added.store(true, Order::release);
      waiter.bell.wait();
      if (!future.completion.done()) return;
    }
    check(future.value == 42, "the value is there");
  });
  run.thread("canceller", [&] {
    if (!added.load(Order::acquire) || !future.completion.remove(waiter)) return;
    removed = true;
    waiter.bell.signal();
  });
  run.join();
  check(waiter.woken + removed == (added.load() ? 1 : 0), "woken once or removed");
}

MODEL(Completion, "a woken waiter may be destroyed at once") {
  Future future;
  run.thread("completer", [&] { future.try_set(42); });
  for (const char* name : {"waiter", "other waiter"}) {
    run.thread(name, [&] {
      auto waiter = std::make_unique<Waiter>();
      if (future.completion.add(*waiter)) waiter->bell.wait();
      check(future.value == 42, "the value is there");
    });
  }
  run.join();
}

MODEL(Completion, "a callback has its reference before anybody is woken") {
  Future future;
  Callback callback;
  check(future.completion.add(callback, /*callback=*/true), "not done yet");
  run.thread("completer", [&] { future.try_set(42); });
  run.thread("waiter", [&] {
    Waiter waiter;
    if (future.completion.add(waiter)) waiter.bell.wait();
    check(callback.holds, "from here on the waiter may let the future go");
  });
  run.join();
}

MODEL(Completion, "of two completers one wins, and who polls sees its value", .preemptions = 3) {
  Future future;
  int won = 0;
  Atomic<int> winner{0};
  for (int me = 1; me <= 2; ++me) {
    run.thread(me == 1 ? "completer" : "other completer", [&future, &winner, me] {
      if (future.try_set(me)) check(winner.exchange(me) == 0, "nobody else has won");
    });
  }
  run.thread("poller", [&] {
    if (future.completion.done()) won = future.value;
  });
  run.join();
  check(winner.load() != 0, "one has won");
  check(won == 0 || won == winner.load(), "the winner's value");
}

MUTATION(Completion, "a waiter is woken once or removed", blind("phase_"));
MUTATION(Completion, "a waiter is woken once or removed", skip("phase_", Op::Store, "complete"));
MUTATION(Completion, "a waiter is woken once or removed", split("held_", Op::Rmw, "lock"));
MUTATION(Completion, "of two completers one wins, and who polls sees its value",
         split("held_", Op::Rmw, "lock"));
MUTATION(Completion, "of two completers one wins, and who polls sees its value",
         weaken("phase_", Op::Store, Order::relaxed, "complete"));
MUTATION(Completion, "of two completers one wins, and who polls sees its value",
         weaken("phase_", Op::Load, Order::relaxed, "phase"));
MUTATION(Completion, "a callback has its reference before anybody is woken",
         weaken("held_", Op::Store, Order::relaxed, "unlock"));
MUTATION(Completion, "a woken waiter may be destroyed at once",
         weaken("held_", Op::Store, Order::relaxed, "unlock"));

}  // namespace

namespace coil::detail {

// As core/callback.cpp has it.
void hold_for_callbacks(FutureWaiter* first) noexcept {
  for (; first != nullptr; first = first->next)
    if (first->wake == &Callback::ignore) static_cast<Callback&>(*first).holds = true;
}

}  // namespace coil::detail
