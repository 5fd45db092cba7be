// sched/coil/detail/operation.hpp with the task's state word and the inbox: a completion and a
// cancel race, and the frame with the operation and its buffer goes once, after the kernel.
#include <coil/detail/operation.hpp>
#include <coil/detail/task_state.hpp>

#include "model/model.hpp"
#include "mpsc_stack.hpp"

namespace {

using coil::detail::MpscStack;
using coil::detail::Operation;
using coil::detail::OperationPhase;
using coil::detail::OpPhase;
using coil::detail::TaskState;
using model::Atomic;
using model::check;
using model::Order;
using model::Run;

static_assert(static_cast<int>(OpPhase::CancelPosted) == 2);  // see the last mutations

struct Frame {
  Operation operation;
  model::Plain<int> buffer{0};
};

struct World {
  TaskState task;
  Frame* frame = new Frame;
  MpscStack<Operation> inbox;
  Atomic<int> completion{0};  // the ring: 1 is a completion to be reaped
  Atomic<int> ended{0};

  // Resumes the task, whose frame then goes.
  void resume() {
    check(frame->buffer == 42, "the kernel's bytes are there");
    delete frame;
    check(ended.fetch_add(1, Order::release) == 0, "the operation is finished once");
  }
  void finish() {
    if (task.wake() == TaskState::Wake::Schedule) resume();
  }
  // The leaf's hook: the operation stays what it is, the loop is asked to have it cancelled.
  void run_hook() {
    if (frame->operation.phase.post_cancel())
      check(inbox.push(frame->operation), "the inbox is open");
    if (task.end_hook(0) == TaskState::Wake::Schedule) resume();
  }

  void kernel() {
    frame->buffer = 42;
    completion.store(1, Order::release);
  }
  // The owning loop: suspends the task in the operation, then serves ring and inbox.
  void loop() {
    switch (task.suspend()) {
      case TaskState::Suspended::Yes:
        break;
      case TaskState::Suspended::Woken:
        check(false, "only this loop finishes");
        break;
      case TaskState::Suspended::CancelFirst:
        check(task.take(TaskState::EdgeBit), "by an edge");
        run_hook();
        break;
    }
    Operation* operation = &frame->operation;
    bool reaped = false;
    bool done = false;
    while (!done) {
      model::block_until(
          [&] { return !inbox.empty() || (!reaped && completion.load(Order::acquire) == 1); });
      for (Operation* message = inbox.take_all(); message != nullptr;) {
        Operation* next = message->next;
        if (message->phase.take_message() == OperationPhase::Taken::Finish) {
          finish();
          done = true;
        }
        message = next;
      }
      if (done || reaped || completion.load(Order::acquire) == 0) continue;
      reaped = true;
      if (operation->phase.complete()) {
        finish();
        done = true;
      }
    }
  }
  void cancel() {
    if (task.request(TaskState::EdgeBit) == TaskState::Request::Hook) run_hook();
  }
};

void race(Run& run, World& world, bool with_cancel) {
  world.frame->operation.phase.arm();
  run.thread("loop", [&] { world.loop(); });
  run.thread("kernel", [&] { world.kernel(); });
  if (with_cancel) run.thread("canceller", [&] { world.cancel(); });
  run.join();
  check(world.ended.load() == 1, "the operation is finished");
  check(world.inbox.empty(), "no message is left");
}

MODEL(Operation, "an operation that nobody cancels is finished once", .preemptions = 3) {
  World world;
  race(run, world, false);
}
MODEL(Operation, "the operation is finished once", .preemptions = 2) {
  World world;
  race(run, world, true);
}

MUTATION(Operation, "the operation is finished once", split("phase_", Op::Cas, "post_cancel"));
MUTATION(Operation, "the operation is finished once", split("phase_", Op::Rmw, "complete"));
MUTATION(Operation, "the operation is finished once", skip("phase_", Op::Cas, "post_cancel"));
MUTATION(Operation, "the operation is finished once", skip("phase_", Op::Rmw, "complete"));
// complete() does not look whether a message is under way.
MUTATION(Operation, "the operation is finished once",
         ignore("phase_", Op::Rmw, 2 /* CancelPosted */, "complete"));
MUTATION(Operation, "the operation is finished once", skip("word_", Op::Cas, "request"));
MUTATION(Operation, "the operation is finished once", split("word_", Op::Cas, "end_hook"));

}  // namespace
