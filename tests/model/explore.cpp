// The search: execution after execution until the tree is exhausted or one fails.
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <stdexcept>

#include "model/arena.hpp"
#include "model/barrier.hpp"
#include "model/machine.hpp"

namespace model {

namespace {

// A model that crashes, or aborts on a broken invariant, has failed like any other.
void on_signal(int signal) {
  if (execution_now == 0) {
    std::signal(signal, SIG_DFL);
    std::raise(signal);
    return;
  }
  const char* what = signal == SIGABRT ? "abort()" : "a crash (bad memory access or trap)";
  machine().fail(std::string("the code under test ended in ") + what);
}

void catch_signals() {
  static bool done = false;
  if (std::exchange(done, true)) return;
  stack_t stack{};
  stack.ss_size = 256 * 1024;
  stack.ss_sp = std::malloc(stack.ss_size);
  sigaltstack(&stack, nullptr);
  struct sigaction action{};
  action.sa_handler = on_signal;
  // The handler leaves by switching stacks, so nothing would unblock the signal.
  action.sa_flags = SA_ONSTACK | SA_NODEFER;
  for (int signal : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT}) {
    sigaction(signal, &action, nullptr);
  }
}

Machine::Limits limits_of(const Options& options, unsigned preemptions) {
  return {preemptions, options.max_steps, options.stale_reads};
}

std::string schedule_text(unsigned preemptions, const Schedule& schedule) {
  return 'p' + std::to_string(preemptions) + '/' + schedule.text();
}

// Walks the tree; leaves the schedule at the failing execution. True: it failed.
bool search(const Options& options, unsigned preemptions, const std::function<void(Run&)>& body,
            Schedule& schedule, Result& result) {
  schedule.clear();
  do {
    ++result.executions;
    if (machine().execute(body, schedule, limits_of(options, preemptions), nullptr)) {
      result.message = machine().message();
      return true;
    }
    if (result.executions >= options.max_executions) {
      result.failed = true;
      result.message = "not exhausted after " + std::to_string(result.executions) +
                       " executions: lower the bounds or make the model smaller";
      return false;
    }
  } while (schedule.advance());
  return false;
}

void replay(const Options& options, unsigned preemptions, const std::function<void(Run&)>& body,
            Schedule& schedule, Result& result) {
  Trace trace;
  const bool failed = machine().execute(body, schedule, limits_of(options, preemptions), &trace);
  if (result.failed && (!failed || machine().message() != result.message)) {
    result.message += " (and the replay differs: the model is not deterministic)";
  } else if (failed) {
    result.message = machine().message();
  }
  result.failed = result.failed || failed;
  result.schedule = schedule_text(preemptions, schedule);
  result.trace = trace.lines();
}

void search_and_explain(const Options& options, const std::function<void(Run&)>& body,
                        Schedule& schedule, Result& result) {
  if (!search(options, options.preemptions, body, schedule, result)) return;
  result.failed = true;
  unsigned preemptions = options.preemptions;
  for (unsigned fewer = 0; options.simplify && fewer < options.preemptions; ++fewer) {
    Schedule simpler;
    Result found;
    if (!search(options, fewer, body, simpler, found)) continue;
    preemptions = fewer;
    schedule = simpler;
    result.message = found.message;
    break;
  }
  replay(options, preemptions, body, schedule, result);
}

}  // namespace

Result explore(const Options& options, const std::function<void(Run&)>& body) {
  if (execution_now != 0) fail("explore() inside a model");
  catch_signals();
  Result result;
  Schedule schedule;
  const auto start = std::chrono::steady_clock::now();
  if (options.replay.empty()) {
    search_and_explain(options, body, schedule, result);
  } else {
    char* rest = nullptr;
    const auto preemptions = std::strtoul(options.replay.c_str() + 1, &rest, 10);
    if (options.replay[0] != 'p' || *rest != '/') {
      throw std::invalid_argument("not a schedule: " + options.replay);
    }
    schedule.parse(rest + 1);
    result.executions = 1;
    replay(options, static_cast<unsigned>(preemptions), body, schedule, result);
  }
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

Run::~Run() {
  if (joined_ != declared_ && std::uncaught_exceptions() == 0) {
    fail("the model declares threads and does not run them: call run.join()");
  }
}

void Run::add(const char* name, std::unique_ptr<Body> body) {
  machine().start(name, body.get());
  bodies_.push_back(std::move(body));
  ++declared_;
}

void Run::join() {
  machine().join();
  joined_ = declared_;
}

void fail(const std::string& message) { machine().fail(message); }
void note(const std::string& line) { machine().note(line); }
unsigned choose(unsigned n, const char* what) { return machine().choose(n, what); }
void spin_pause(Site site) {
  if (execution_now != 0) machine().pause(site);
}
void process_barrier(Site site) {
  if (execution_now != 0) machine().process_barrier(site);
}
unsigned self() { return machine().self(); }

void Cell::born() {
  execution = execution_now;
  born_in = static_cast<std::uint8_t>(machine().self());
  born_at = machine().clock();
}
void Cell::destroyed() {
  if (execution_now == 0) return;
  machine().destroy(*this);
  execution = execution_dead;
}

Word atomic_load(const Access& access, Order order) { return machine().load(access, order); }
void atomic_store(const Access& access, Order order, const Word& value) {
  machine().store(access, order, value);
}
Word rmw_begin(const Access& access, Order& order) { return machine().rmw_begin(access, order); }
void rmw_end(const Access& access, Order order, const Word& value) {
  machine().rmw_end(access, order, value);
}
Compared cas_begin(const Access& access, Order& success, Order failure, const Word& expected) {
  return machine().cas_begin(access, success, failure, expected);
}
void await_word(const Access& access, bool (*ready)(const Word&)) {
  machine().await(access, ready);
}
void name_cell(const Access& access, const char* name) { machine().name(access, name); }

void Race::born() {
  execution = execution_now;
  written_in = static_cast<std::uint8_t>(machine().self());
  written_at = machine().clock();
}
void Race::destroyed() {
  if (execution_now != 0) write(Site::current());
  execution = execution_dead;
}
void Race::read(const Site& site) { machine().read_plain(*this, site); }
void Race::write(const Site& site) { machine().write_plain(*this, site); }

}  // namespace model
