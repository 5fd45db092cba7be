// Timers of Coil: Loop::call_at and Handle::cancel.
#include <coil/run.hpp>
#include <coil/sleep.hpp>

#include "../plan.hpp"

namespace {

bool fired = false;

class Timers {
 public:
  explicit Timers(long size) : handles_(static_cast<std::size_t>(size)) {
    for (const auto delay : bench::timer_delays(size)) when_.push_back(loop_.time() + delay);
  }
  void arm(std::size_t i) { handles_[i] = loop_.call_at(when_[i], on_time); }
  void cancel(std::size_t i) { handles_[i].cancel(); }
  void arm_cancel(std::size_t i) { loop_.call_at(when_[i], on_time).cancel(); }

 private:
  static void on_time() { fired = true; }

  coil::Loop& loop_ = coil::get_running_loop();
  std::vector<coil::TimePoint> when_;
  std::vector<coil::Handle> handles_;
};

coil::Coro<> measured(bench::Program& program) {
  Timers timers(program.size());
  for (const auto step : bench::timer_steps(program)) {
    bench::start_step(program, step);
    bench::run_step(program, step, timers);
    co_await coil::sleep(std::chrono::seconds(0));
    bench::stop_step(program, step);
  }
}

}  // namespace

int main(int argc, char** argv) {
  auto program = bench::timer_program("coil", argc, argv);
  coil::run(measured(program), {.loops = 1});
  return bench::finish_timers(program, fired);
}
