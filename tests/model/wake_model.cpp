// sched/backend/io_uring/wake.hpp: whoever has pushed wakes a sleeping loop, and rings no bell for
// one that is awake.
#include "backend/io_uring/wake.hpp"

#include "model/model.hpp"

namespace {

using coil::detail::uring::WakeState;
using model::check;
using model::Order;
using model::Run;

// Work is a relaxed flag: that the loop sees it must come from the word alone.
struct Loop {
  WakeState state;
  model::EventFd ring{"ring"};
  model::Atomic<int> work{0};

  void push() {
    work.fetch_add(1, Order::relaxed);
    if (state.notify()) ring.signal();
  }
  void run_until(int items) {
    while (work.load(Order::relaxed) < items) {
      if (!state.begin_park()) continue;
      ring.wait();
      state.end_park();
    }
  }
};

MODEL(Wake, "a push reaches a loop that goes to sleep", .preemptions = 3) {
  Loop loop;
  run.thread("loop", [&] { loop.run_until(1); });
  run.thread("pusher", [&] { loop.push(); });
  run.join();
}

MODEL(Wake, "two pushers reach a loop that goes to sleep", .preemptions = 3) {
  Loop loop;
  run.thread("loop", [&] { loop.run_until(2); });
  run.thread("pusher", [&] { loop.push(); });
  run.thread("other pusher", [&] { loop.push(); });
  run.join();
  check(loop.ring.drain() == 0, "nobody rings for a loop that is awake");
}

MUTATION(Wake, "a push reaches a loop that goes to sleep", split("word_", Op::Rmw, "notify"));
MUTATION(Wake, "a push reaches a loop that goes to sleep", split("word_", Op::Cas, "begin_park"));
MUTATION(Wake, "a push reaches a loop that goes to sleep", skip("word_", Op::Cas, "begin_park"));
MUTATION(Wake, "a push reaches a loop that goes to sleep", skip("word_", Op::Rmw, "notify"));
MUTATION(Wake, "a push reaches a loop that goes to sleep",
         weaken("word_", Op::Rmw, Order::acquire, "notify"));
MUTATION(Wake, "two pushers reach a loop that goes to sleep",
         weaken("word_", Op::Rmw, Order::release, "end_park"));

}  // namespace
