// Threads and the choices between them. The operations are in operations.cpp.
#include "model/machine.hpp"

#include <exception>
#include <stdexcept>

#include "model/arena.hpp"

namespace model {

Machine& machine() {
  static Machine the_machine;
  return the_machine;
}

bool Machine::execute(const std::function<void(Run&)>& body, Schedule& schedule,
                      const Limits& limits, Trace* trace) {
  body_ = &body;
  schedule_ = &schedule;
  limits_ = limits;
  trace_ = trace;
  preemptions_left_ = limits.preemptions;
  stale_left_ = limits.stale_reads;
  steps_ = 0;
  changes_ = 0;
  failed_ = false;
  schedule.rewind();
  memory_.reset();
  thread_count_ = 0;
  arena::reset();
  start("body", nullptr);
  current_ = 0;
  threads_[0].state = State::Ready;
  if (++executions_ == execution_dead) ++executions_;
  execution_now = executions_;
  arena::start();
  Fiber::switch_to(outside_, threads_[0].fiber);
  arena::stop();
  execution_now = 0;
  return failed_;
}

void Machine::start(const char* name, Run::Body* body) {
  if (thread_count_ == max_threads) fail("a model has at most 7 threads");
  const unsigned number = thread_count_++;
  Thread& thread = threads_[number];
  thread.fiber.prepare(&Machine::enter);
  thread.name = name;
  thread.body = body;
  thread.state = State::Ready;
  thread.fresh = true;
  thread.turn = 0;
  thread.own_changes = 0;
  thread.delayed = {};
  if (number != 0) return;  // join() lets it begin
  thread.turn = 1;
  thread.view.slot.fill(0);
  thread.view.clock(0) = 1;
}

void Machine::enter() {
  machine().run_thread();
  std::abort();  // nobody switches to a thread that has ended
}

void Machine::run_thread() {
  try {
    if (current_ == 0) {
      {
        Run run;
        (*body_)(run);
      }
      if (const auto live = arena::live(); live != 0) {
        fail("leak: " + std::to_string(live) + " allocations are alive after the model's end");
      }
      Fiber::switch_to(threads_[0].fiber, outside_);
    }
    threads_[current_].body->run();
    store_delayed();
  } catch (const std::exception& error) {
    fail(std::string("an exception leaves the thread: ") + error.what());
  } catch (...) {
    fail("an exception leaves the thread");
  }
  threads_[current_].state = State::Done;
  give_way();
}

void Machine::join() {
  Thread& body = threads_[0];
  if (current_ != 0) fail("only the body may join()");
  for (unsigned i = 1; i < thread_count_; ++i) {
    Thread& thread = threads_[i];
    if (thread.turn != 0) continue;
    thread.turn = 1;
    thread.turn_base = changes_;
    thread.view = body.view;
    thread.view.clock(i) = 1;
  }
  ++body.view.clock(0);
  body.state = State::Joining;
  give_way();
  for (unsigned i = 1; i < thread_count_; ++i) {
    model::join(body.view.slot.data(), threads_[i].view.slot.data(), memory_.slots());
  }
}

// Before an operation: shall another thread go first?
void Machine::point() {
  Thread& thread = threads_[current_];
  if (std::exchange(thread.delayed.next_begun, thread.delayed.pending)) store_delayed();
  if (++steps_ > limits_.max_steps) {
    fail("more than " + std::to_string(limits_.max_steps) +
         " steps: a loop that never ends (a spin loop without spin_pause()?)");
  }
  if (thread.fresh) {
    thread.fresh = false;
    return;
  }
  if (current_ == 0 || preemptions_left_ == 0) return;
  std::array<unsigned, max_threads> others;
  unsigned count = 0;
  for (unsigned i = 1; i < thread_count_; ++i) {
    if (i != current_ && enabled(threads_[i])) others[count++] = i;
  }
  if (count == 0) return;
  const unsigned choice = schedule_->choose(count + 1);
  if (choice == 0) return;
  --preemptions_left_;
  switch_to(others[choice - 1]);
}

// The running thread cannot or need not go on: another one does, or itself if it is enabled.
void Machine::give_way() {
  std::array<unsigned, max_threads> ready;
  unsigned count = 0;
  for (unsigned i = 1; i <= thread_count_; ++i) {
    const unsigned candidate = (current_ + i) % thread_count_;
    if (candidate != 0 && enabled(threads_[candidate])) ready[count++] = candidate;
  }
  if (count == 0) {
    for (unsigned i = 1; i < thread_count_; ++i) {
      if (threads_[i].state != State::Done) report_deadlock();
    }
    if (threads_[0].state != State::Joining) report_deadlock();
    ready[count++] = 0;
  }
  switch_to(ready[schedule_->choose(count)]);
}

void Machine::switch_to(unsigned number) {
  Thread& to = threads_[number];
  if (to.state == State::Spinning) {
    memory_.catch_up(number, to.turn);
    ++to.turn;
    to.turn_base = foreign_changes(to);
  }
  if (to.state != State::Ready) to.fresh = true;
  to.state = State::Ready;
  if (number == current_) return;
  const unsigned from = current_;
  current_ = number;
  Fiber::switch_to(threads_[from].fiber, to.fiber);
}

bool Machine::enabled(const Thread& thread) const {
  switch (thread.state) {
    case State::Ready:
      return true;
    case State::Spinning:
      return thread.behind || foreign_changes(thread) != thread.turn_base;
    case State::Waiting:
      return thread.ready(memory_[thread.location].messages.back().value);
    case State::Joining:
    case State::Done:
      return false;
  }
  return false;
}

void Machine::pause(const Site& site) {
  Thread& thread = threads_[current_];
  if (++steps_ > limits_.max_steps) fail("a spin loop that never ends");
  store_delayed();
  if (trace_ != nullptr) {
    arena::Pause pause;
    trace_->add(steps_, thread_name(current_), "pauses until another thread changes something",
                site);
  }
  thread.site = site;
  thread.state = State::Spinning;
  thread.behind = memory_.behind(current_, thread.turn);
  give_way();
}

// Each thread's past before the caller's future, and the caller's past before each one's future.
// Of locations only: it orders accesses, and passes on no data that is not atomic.
void Machine::process_barrier(const Site& site) {
  point();
  if (trace_ != nullptr) {
    arena::Pause pause;
    trace_->add(steps_, thread_name(current_), "a barrier in all threads", site);
  }
  View& mine = threads_[current_].view;
  const View before = mine;
  for (unsigned i = 0; i < thread_count_; ++i) {
    View& theirs = threads_[i].view;
    for (unsigned slot = max_threads; slot < memory_.slots(); ++slot) {
      mine.slot[slot] = std::max(mine.slot[slot], theirs.slot[slot]);
      theirs.slot[slot] = std::max(theirs.slot[slot], before.slot[slot]);
    }
  }
}

unsigned Machine::choose(unsigned count, const char* what) {
  const unsigned choice = schedule_->choose(count);
  if (trace_ != nullptr) {
    arena::Pause pause;
    trace_->add(steps_, thread_name(current_),
                "# " + std::string(what) + ": " + std::to_string(choice));
  }
  return choice;
}

void Machine::note(const std::string& line) {
  if (trace_ == nullptr) return;
  arena::Pause pause;
  trace_->add(steps_, thread_name(current_), "# " + line);
}

std::string Machine::thread_name(unsigned thread) const { return threads_[thread].name; }

void Machine::report_deadlock() {
  arena::Pause pause;
  std::string text = "deadlock:";
  for (unsigned i = 0; i < thread_count_; ++i) {
    const Thread& thread = threads_[i];
    if (thread.state == State::Spinning) {
      text += " " + thread_name(i) + " spins at " + short_site(thread.site) + ";";
    } else if (thread.state == State::Waiting) {
      const char* name = memory_[thread.location].name;
      text += " " + thread_name(i) + " waits for " + (name != nullptr ? name : "?") + " at " +
              short_site(thread.site) + ";";
    }
  }
  text.pop_back();
  fail(text);
}

void Machine::fail(const std::string& message) {
  arena::stop();
  if (execution_now == 0) throw std::logic_error(message);
  failed_ = true;
  message_ = message;
  // The fibers are abandoned where they stand: what broke the model may have broken them too.
  Fiber::switch_to(threads_[current_].fiber, outside_);
  std::abort();
}

}  // namespace model
