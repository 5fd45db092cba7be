// core/coil/detail/task_state.hpp: the task, its wake source and its cancellers, as task_base.hpp
// and task_cancel.cpp bring them together.
#include <coil/detail/task_state.hpp>

#include "model/model.hpp"

namespace {

using coil::detail::TaskState;
using model::Atomic;
using model::check;
using model::Order;
using model::Run;

class Task {
 public:
  TaskState state;
  Atomic<bool> armed{false};
  Atomic<bool> scope_cancelled{false};

  // The task's thread, from before it arms its leaf.
  void run() {
    frame_ = 1;
    armed.store(true, Order::release);
    switch (state.suspend()) {
      case TaskState::Suspended::Yes:
        return;
      case TaskState::Suspended::Woken:
        return resume();
      case TaskState::Suspended::CancelFirst:
        return cancel_own_leaf();
    }
  }
  // The timer that the task sleeps on.
  void fire() {
    model::block_until([&] { return armed.load(Order::acquire); });
    if (source_.exchange(false, Order::acq_rel)) wake();
  }
  void cancel() {
    if (state.request(TaskState::EdgeBit) == TaskState::Request::Hook)
      end(run_hook() ? 0 : TaskState::EdgeBit);
  }
  void cancel_scope() {
    scope_cancelled.store(true, Order::release);
    if (state.request(TaskState::LevelBit) == TaskState::Request::Hook) {
      run_hook();
      end(0);
    }
  }
  // Somebody who wants to see its frames.
  void look() {
    if (state.hold() != TaskState::Hold::Held) return;
    check(frame_ == 1, "the frame stays while somebody looks at it");
    let_go();
  }
  int resumed() { return resumed_.load(); }
  bool aborted() { return aborted_ == 1; }

 private:
  // Runs on: the frame is this thread's alone now.
  void resume() {
    check(resumed_.fetch_add(1, Order::relaxed) == 0, "a suspended task is scheduled once");
    frame_ = 2;
  }
  void wake() {
    if (state.wake() == TaskState::Wake::Schedule) resume();
  }
  void end(std::uint32_t flag) {
    if (state.end_hook(flag) == TaskState::Wake::Schedule) resume();
  }
  // The leaf's hook: true if the timer will not fire any more, so that the cancel wakes the task.
  bool run_hook() {
    check(frame_ == 1, "the frame stays while its hook runs");
    if (!source_.exchange(false, Order::acq_rel)) return false;
    aborted_ = 1;
    check(state.wake() == TaskState::Wake::Left, "nobody resumes under a hook");
    return true;
  }
  void cancel_own_leaf() {
    for (;;) {
      const bool edge = state.take(TaskState::EdgeBit);
      if (!edge && !take_level()) {
        switch (state.abandon_hook()) {
          case TaskState::Abandon::Retry:
            continue;
          case TaskState::Abandon::Schedule:
            return resume();
          case TaskState::Abandon::Left:
            return;
        }
      }
      const bool taken = run_hook();
      return end(edge && !taken ? TaskState::EdgeBit : 0);
    }
  }
  void let_go() {
    for (;;) {
      switch (state.abandon_hook()) {
        case TaskState::Abandon::Schedule:
          return resume();
        case TaskState::Abandon::Left:
          return;
        case TaskState::Abandon::Retry:
          break;
      }
      const bool edge = state.take(TaskState::EdgeBit);
      if (!edge && !take_level()) continue;
      const bool taken = run_hook();
      return end(edge && !taken ? TaskState::EdgeBit : 0);
    }
  }
  bool take_level() {
    if (!state.take(TaskState::LevelBit)) return false;
    if (!scope_cancelled.load(Order::acquire)) return false;
    state.flag(TaskState::LevelBit);
    return true;
  }

  Atomic<bool> source_{true};  // who takes it ends the suspension
  Atomic<int> resumed_{0};
  model::Plain<int> frame_{0};
  model::Plain<int> aborted_{0};
};

MODEL(TaskState, "a suspended task is scheduled exactly once", .preemptions = 3) {
  Task task;
  run.thread("task", [&] { task.run(); });
  run.thread("timer", [&] { task.fire(); });
  run.thread("canceller", [&] { task.cancel(); });
  run.join();
  check(task.resumed() == 1, "it goes on");
  check(task.aborted() || task.state.cancel_pending(), "the cancel is delivered, now or next");
}

MODEL(TaskState, "a cancel alone ends a suspension", .preemptions = 3) {
  Task task;
  run.thread("task", [&] { task.run(); });
  run.thread("canceller", [&] { task.cancel(); });
  run.join();
  check(task.resumed() == 1 && task.aborted(), "it goes on, cancelled");
}

// An old Level flag sends the task to its own hook; a scope that is cancelled just then counts.
MODEL(TaskState, "a scope's cancel ends a suspension, past a stale flag", .preemptions = 3) {
  Task task;
  task.state.flag(TaskState::LevelBit);
  run.thread("task", [&] { task.run(); });
  run.thread("canceller", [&] { task.cancel_scope(); });
  run.join();
  check(task.resumed() == 1 && task.aborted(), "it goes on, cancelled");
}

MODEL(TaskState, "two cancellers and a timer schedule it once", .preemptions = 2,
      .stale_reads = 2) {
  Task task;
  run.thread("task", [&] { task.run(); });
  run.thread("timer", [&] { task.fire(); });
  run.thread("canceller", [&] { task.cancel(); });
  run.thread("scope", [&] { task.cancel_scope(); });
  run.join();
  check(task.resumed() == 1, "it goes on");
  check(task.aborted() || task.state.cancel_pending(), "the cancel is delivered, now or next");
}

MODEL(TaskState, "two cancels keep the frame until both hooks have ended", .preemptions = 3) {
  Task task;
  run.thread("task", [&] { task.run(); });
  run.thread("canceller", [&] { task.cancel(); });
  run.thread("scope", [&] { task.cancel_scope(); });
  run.join();
  check(task.resumed() == 1 && task.aborted(), "it goes on, cancelled");
}

MODEL(TaskState, "an old flag without a cause costs no wake-up", .preemptions = 3) {
  Task task;
  task.state.flag(TaskState::LevelBit);
  run.thread("task", [&] { task.run(); });
  run.thread("timer", [&] { task.fire(); });
  run.join();
  check(task.resumed() == 1 && !task.aborted(), "it goes on, not cancelled");
}

MODEL(TaskState, "a look at a suspended task loses no wake-up", .preemptions = 3) {
  Task task;
  run.thread("task", [&] { task.run(); });
  run.thread("timer", [&] { task.fire(); });
  run.thread("looker", [&] { task.look(); });
  run.join();
  check(task.resumed() == 1 && !task.aborted(), "it goes on, not cancelled");
}

MODEL(TaskState, "a look at a suspended task loses no cancel", .preemptions = 3) {
  Task task;
  run.thread("task", [&] { task.run(); });
  run.thread("canceller", [&] { task.cancel(); });
  run.thread("looker", [&] { task.look(); });
  run.join();
  check(task.resumed() == 1 && task.aborted(), "it goes on, cancelled");
}

MODEL(TaskState, "a look at a suspended task loses no scope's cancel", .preemptions = 3) {
  Task task;
  run.thread("task", [&] { task.run(); });
  run.thread("canceller", [&] { task.cancel_scope(); });
  run.thread("looker", [&] { task.look(); });
  run.join();
  check(task.resumed() == 1 && task.aborted(), "it goes on, cancelled");
}

MODEL(TaskState, "two who look at a task keep its frame until both are done", .preemptions = 2) {
  Task task;
  run.thread("task", [&] { task.run(); });
  run.thread("timer", [&] { task.fire(); });
  run.thread("looker", [&] { task.look(); });
  run.thread("second looker", [&] { task.look(); });
  run.join();
  check(task.resumed() == 1 && !task.aborted(), "it goes on, not cancelled");
}

MUTATION(TaskState, "a look at a suspended task loses no wake-up", split("word_", Op::Cas, "hold"));
MUTATION(TaskState, "a look at a suspended task loses no wake-up",
         weaken("word_", Op::Cas, Order::relaxed, "hold"),
         weaken("word_", Op::Load, Order::relaxed, "hold"));
MUTATION(TaskState, "a suspended task is scheduled exactly once",
         split("word_", Op::Cas, "suspend"));
MUTATION(TaskState, "a suspended task is scheduled exactly once", split("word_", Op::Cas, "wake"));
MUTATION(TaskState, "a suspended task is scheduled exactly once",
         split("word_", Op::Cas, "request"));
MUTATION(TaskState, "a suspended task is scheduled exactly once",
         split("word_", Op::Cas, "end_hook"));
MUTATION(TaskState, "a suspended task is scheduled exactly once",
         skip("word_", Op::Cas, "request"));
MUTATION(TaskState, "a suspended task is scheduled exactly once",
         weaken("word_", Op::Cas, Order::relaxed, "suspend"));
MUTATION(TaskState, "a suspended task is scheduled exactly once",
         weaken("word_", Op::Cas, Order::relaxed, "wake"));
MUTATION(TaskState, "a suspended task is scheduled exactly once",
         weaken("word_", Op::Cas, Order::relaxed, "end_hook"));
MUTATION(TaskState, "a scope's cancel ends a suspension, past a stale flag",
         split("word_", Op::Cas, "abandon_hook"));
// Each check of a bit, gone. An operation reads the word twice: by the load, then by the
// compare-exchange.
#define UNCHECKED(text, bits, function)                                \
  MUTATION(TaskState, text, ignore("word_", Op::Load, bits, function), \
           ignore("word_", Op::Cas, bits, function))
UNCHECKED("a suspended task is scheduled exactly once", TaskState::WokenBit, "suspend");
UNCHECKED("a suspended task is scheduled exactly once", TaskState::HookingBit, "wake");
UNCHECKED("a suspended task is scheduled exactly once", TaskState::SuspendedBit, "wake");
UNCHECKED("a suspended task is scheduled exactly once", TaskState::WokenBit, "end_hook");
UNCHECKED("a cancel alone ends a suspension", TaskState::EdgeBit, "suspend");
UNCHECKED("two cancels keep the frame until both hooks have ended", TaskState::HookingBit,
          "request");
UNCHECKED("a scope's cancel ends a suspension, past a stale flag", TaskState::LevelBit,
          "abandon_hook");
UNCHECKED("a look at a suspended task loses no cancel", TaskState::EdgeBit, "abandon_hook");
UNCHECKED("a look at a suspended task loses no scope's cancel", TaskState::LevelBit,
          "abandon_hook");
UNCHECKED("two who look at a task keep its frame until both are done", TaskState::HookingBit,
          "hold");
UNCHECKED("an old flag without a cause costs no wake-up", TaskState::WokenBit, "abandon_hook");

}  // namespace
