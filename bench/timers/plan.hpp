// What every timers program does: `size` timers armed, with deadlines in one to two hours in no
// order, and cancelled; some rounds of it.
//   arm         the time to arm them all
//   cancel      the time to cancel them all
//   arm_cancel  beside them, as many armed and cancelled at once, one after the other
// A turn of the loop is in the measured part, so that what a library puts off counts too. Deadlines
// are computed before: reading the clock is not what is compared.
//
// Invariant: none of the timers fires; a callback that runs makes the result wrong.
#pragma once

#include <chrono>
#include <cstdint>
#include <random>
#include <vector>

#include "../kit/program.hpp"

namespace bench {

constexpr int timer_rounds = 3;

inline std::vector<std::chrono::milliseconds> timer_delays(long size) {
  std::mt19937_64 random(7);
  std::uniform_int_distribution<std::int64_t> ms(3'600'000, 7'200'000);
  std::vector<std::chrono::milliseconds> delays(static_cast<std::size_t>(size));
  for (auto& delay : delays) delay = std::chrono::milliseconds(ms(random));
  return delays;
}

struct TimerStep {
  std::string_view what;
  bool measured;
};

// A program takes the steps in turn: start_step(), run_step(), a turn of its loop, stop_step().
// Those of the first round are not measured: they fetch the memory.
inline std::vector<TimerStep> timer_steps(const Program& program) {
  std::vector<TimerStep> steps;
  for (int round = 0; round <= timer_rounds; ++round)
    for (const auto* what : {"arm", "arm_cancel", "cancel"})
      if (what != std::string_view("arm_cancel") || program.which() == "arm_cancel")
        steps.push_back({what, round > 0 && program.which() == what});
  return steps;
}

inline void start_step(Program& program, TimerStep step) {
  if (step.measured) program.start();
}
// `timers` has arm(i), cancel(i) and arm_cancel(i).
template <class Timers>
void run_step(const Program& program, TimerStep step, Timers& timers) {
  const auto size = static_cast<std::size_t>(program.size());
  if (step.what == "arm") {
    for (std::size_t i = 0; i < size; ++i) timers.arm(i);
  } else if (step.what == "cancel") {
    for (std::size_t i = 0; i < size; ++i) timers.cancel(i);
  } else {
    for (std::size_t i = 0; i < size; ++i) timers.arm_cancel(i);
  }
}
inline void stop_step(Program& program, TimerStep step) {
  if (step.measured) program.stop();
}

inline int finish_timers(const Program& program, bool fired) {
  return program.finish(std::int64_t{program.size()} * timer_rounds, !fired);
}

inline Program timer_program(const char* contender, int argc, char** argv) {
  return {"timers", contender, argc, argv, 1'000'000, {"arm", "cancel", "arm_cancel"}};
}

}  // namespace bench
