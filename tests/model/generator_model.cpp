// core/coil/detail/generator_state.hpp: one consumer at a time, and one who closes what is left.
#include <coil/detail/generator_state.hpp>

#include "model/model.hpp"

namespace {

using coil::detail::GeneratorState;
using model::check;
using model::Order;
using model::Run;
using Phase = GeneratorState::Phase;
using Step = GeneratorState::Step;

struct Generator {
  GeneratorState state;
  model::Plain<int> frame{0};

  // One step, as next() takes it.
  bool step() {
    if (state.begin() != Step::Run) return false;
    frame = frame + 1;
    state.end(Phase::Suspended);
    return true;
  }
};

MODEL(Generator, "the frame belongs to one consumer at a time") {
  Generator generator;
  bool first = false;
  bool second = false;
  run.thread("first", [&] { first = generator.step(); });
  run.thread("second", [&] { second = generator.step(); });
  run.join();
  const int steps = static_cast<int>(first) + static_cast<int>(second);
  check(steps >= 1, "not both are refused");
  check(generator.frame == steps, "each ran once");
}

MODEL(Generator, "one that has not begun is begun or finished") {
  Generator generator;
  bool finished = false;
  bool stepped = false;
  run.thread("closer", [&] { finished = generator.state.finish_unstarted(); });
  run.thread("consumer", [&] { stepped = generator.step(); });
  run.join();
  check(finished != stepped, "one of the two");
  check((generator.state.phase() == Phase::Finished) == finished, "and it stays so");
}

// The last holder, off any task, and run() at its end.
MODEL(Generator, "dropped while run() ends it is closed once", .preemptions = 3) {
  Generator generator;
  model::Atomic<int> closers{0};
  run.thread("holder", [&] {
    if (!generator.state.drop_ref()) return;
    generator.state.hand_over(true);
    closers.fetch_add(1, Order::relaxed);
  });
  run.thread("run", [&] {
    if (!generator.state.try_add_ref()) return;
    if (generator.state.handed_over()) {
      (void)generator.state.drop_ref();
    } else {
      closers.fetch_add(1, Order::relaxed);
    }
  });
  run.join();
  check(closers.load() == 1, "closed once");
}

MUTATION(Generator, "the frame belongs to one consumer at a time",
         split("phase_", Op::Cas, "begin"));
MUTATION(Generator, "the frame belongs to one consumer at a time",
         weaken("phase_", Op::Cas, Order::relaxed, "begin"));
MUTATION(Generator, "the frame belongs to one consumer at a time",
         weaken("phase_", Op::Store, Order::relaxed, "end"));
MUTATION(Generator, "one that has not begun is begun or finished",
         split("phase_", Op::Cas, "finish_unstarted"));
MUTATION(Generator, "dropped while run() ends it is closed once",
         split("references_", Op::Cas, "try_add_ref"));
MUTATION(Generator, "dropped while run() ends it is closed once",
         weaken("references_", Op::Store, Order::relaxed, "hand_over"));
MUTATION(Generator, "dropped while run() ends it is closed once",
         weaken("references_", Op::Cas, Order::relaxed, "try_add_ref"));
MUTATION(Generator, "dropped while run() ends it is closed once",
         skip("handed_over_", Op::Store, "hand_over"));

}  // namespace
