// What a model says to the explorer: its threads, its checks, its bounds. README.md is the manual.
//
// Invariant: a model is a function of the explorer's choices and nothing else. It reads no clock,
// no random source, no address order, and leaves nothing behind, so a schedule can be replayed.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <source_location>
#include <string>
#include <utility>
#include <vector>

namespace model {

using Site = std::source_location;

struct Options {
  // How often a thread that could go on may be put aside in one execution. Switches at a pause, a
  // wait or an end are free. Most known races need one or two.
  unsigned preemptions = 2;
  // Reaching either limit is a failure: an exploration that stopped early has shown nothing.
  std::uint64_t max_executions = 20'000'000;
  unsigned max_steps = 4'000;
  // How often one execution may read, or write in front of, another than the newest value.
  unsigned stale_reads = 3;
  // On failure, look for one with fewer preemptions: it is easier to read.
  bool simplify = true;
  // Run this one schedule and trace it, whatever comes of it.
  std::string replay = {};
};

struct Result {
  bool failed = false;
  std::string message;
  std::uint64_t executions = 0;
  double seconds = 0;
  std::string schedule;            // for Options::replay
  std::vector<std::string> trace;  // of the failing execution, or of the replayed one
};

class Run {
 public:
  Run() = default;
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;
  ~Run();

  // Declares a thread. Everything the body did before join() happens before it.
  template <class F>
  void thread(const char* name, F body) {
    add(name, std::make_unique<BodyOf<F>>(std::move(body)));
  }
  // Runs the threads to their ends, in every order. What follows sees all they did.
  void join();

  struct Body {
    virtual ~Body() = default;
    virtual void run() = 0;
  };

 private:
  template <class F>
  struct BodyOf final : Body {
    explicit BodyOf(F f) : call(std::move(f)) {}
    void run() override { call(); }
    F call;
  };

  void add(const char* name, std::unique_ptr<Body> body);

  std::vector<std::unique_ptr<Body>> bodies_;
  unsigned declared_ = 0;
  unsigned joined_ = 0;
};

Result explore(const Options& options, const std::function<void(Run&)>& body);

// Ends this execution as a failure, and with it the exploration.
[[noreturn]] void fail(const std::string& message);
inline void check(bool holds, const char* claim) {
  if (!holds) fail(std::string("not so: ") + claim);
}

// Adds a line to the trace.
void note(const std::string& line);

// A choice that is not the model's to make (does the kernel complete or cancel?): 0..n-1, each
// explored.
unsigned choose(unsigned n, const char* what);

// For spin loops: sleeps until another thread has changed something. All threads asleep is a
// deadlock, which is how a lost wake-up shows.
void spin_pause(Site site = Site::current());

// Waits for a condition that other threads make true.
template <class Condition>
void block_until(Condition holds, Site site = Site::current()) {
  while (!holds()) spin_pause(site);
}

// The number of the running thread: 0 is the body, 1 the first thread.
unsigned self();

// Asked by COIL_MUTATION: is this step to be broken?
bool mutated(const char* name);

enum class Op : std::uint8_t { Load, Store, Rmw, Cas };

}  // namespace model
