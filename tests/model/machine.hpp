// One execution: threads on fibers, a memory, and the schedule that says who goes on.
//
// Invariant: exactly one thread runs at a time, and it is put aside only where the schedule could
// have chosen otherwise: before an operation, at a pause, at a wait, at its end.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "model/cell.hpp"
#include "model/explorer.hpp"
#include "model/fiber.hpp"
#include "model/memory.hpp"
#include "model/mutate.hpp"
#include "model/schedule.hpp"
#include "model/trace.hpp"

namespace model {

class Machine {
 public:
  struct Limits {
    unsigned preemptions;
    unsigned max_steps;
    unsigned stale_reads;
  };

  // Runs `body` once along `schedule`. True: it failed, message() says how.
  bool execute(const std::function<void(Run&)>& body, Schedule& schedule, const Limits& limits,
               Trace* trace);
  const std::string& message() const { return message_; }

  // From here on called by the running thread.
  Word load(const Access& access, Order order);
  void store(const Access& access, Order order, const Word& value);
  Word rmw_begin(const Access& access, Order& order);
  void rmw_end(const Access& access, Order order, const Word& desired);
  Compared cas_begin(const Access& access, Order& success, Order failure, const Word& expected);
  void await(const Access& access, bool (*ready)(const Word&));
  void name(const Access& access, const char* text);
  void pause(const Site& site);
  void process_barrier(const Site& site);
  unsigned choose(unsigned count, const char* what);
  void note(const std::string& line);
  void destroy(const Cell& cell);
  void read_plain(Race& race, const Site& site);
  void write_plain(Race& race, const Site& site);

  void start(const char* name, Run::Body* body);
  void join();
  [[noreturn]] void fail(const std::string& message);
  unsigned self() const { return current_; }
  Stamp clock() { return threads_[current_].view.clock(current_); }

 private:
  enum class State : std::uint8_t { Ready, Spinning, Waiting, Joining, Done };
  struct Thread {
    Fiber fiber;
    View view;
    const char* name = "";
    Run::Body* body = nullptr;
    State state = State::Done;
    bool fresh = false;           // just switched to: its next operation needs no choice
    std::uint32_t turn = 0;       // counts pauses
    std::uint32_t turn_base = 0;  // foreign changes when this turn began
    bool behind = false;          // Spinning: it has seen something old, and may look again
    std::uint32_t own_changes = 0;
    unsigned location = 0;  // Waiting: for this
    bool (*ready)(const Word&) = nullptr;
    Site site;
    // A store that a mutation has put behind the thread's next operation.
    struct Delayed {
      bool pending = false;
      bool next_begun = false;  // the operation it waits for is under way, or over
      unsigned location = 0;
      Order order = Order::relaxed;
      Word value;
    } delayed;
  };

  static void enter();
  void run_thread();
  void point();
  void give_way();
  void switch_to(unsigned thread);
  bool enabled(const Thread& thread) const;
  std::uint32_t foreign_changes(const Thread& thread) const {
    return changes_ - thread.own_changes;
  }
  [[noreturn]] void report_deadlock();

  unsigned locate(const Access& access);
  // The order after mutation; what else is to be broken goes to fault_.
  Order broken(Op op, Order order, const Access& access, unsigned location);
  void store_delayed();
  // One of candidates_, which has the newest first; another costs one of the stale reads.
  unsigned pick();
  template <class F>
  void collect(unsigned location, Order order, F fits);
  void write(unsigned location, Order order, const Word& value, unsigned behind, bool rmw);
  std::string thread_name(unsigned thread) const;
  void require_ordered(unsigned thread, Stamp stamp, const char* what, const Site& site);
  void trace_call(const Access& access, unsigned location, Order order,
                  const std::string& arguments, const char* remark);
  void trace_read(const Access& access, unsigned location, Order order, unsigned index);

  std::array<Thread, max_threads> threads_;
  unsigned thread_count_ = 0;
  unsigned current_ = 0;
  Fiber outside_;
  Memory memory_;
  Schedule* schedule_ = nullptr;
  Trace* trace_ = nullptr;
  const std::function<void(Run&)>* body_ = nullptr;
  Limits limits_{};
  unsigned preemptions_left_ = 0;
  unsigned stale_left_ = 0;
  unsigned steps_ = 0;
  std::uint32_t changes_ = 0;  // stores that changed a value
  unsigned carried_ = 0;       // the message rmw_begin or cas_begin read
  std::vector<unsigned> candidates_;
  Fault fault_ = Fault::None;  // of the operation under way
  std::uint64_t ignored_ = 0;  // bits that it does not see
  std::uint32_t executions_ = 0;
  bool failed_ = false;
  std::string message_;
};

Machine& machine();

}  // namespace model
