// Timers of libuv: uv_timer_start and uv_timer_stop, on handles that were initialised before.
#include <uv.h>

#include "../plan.hpp"

namespace {

bool fired = false;

class Timers {
 public:
  explicit Timers(uv_loop_t* loop, long size)
      : delays_(bench::timer_delays(size)), handles_(delays_.size()) {
    for (auto& handle : handles_) uv_timer_init(loop, &handle);
    uv_timer_init(loop, &single_);
  }
  void arm(std::size_t i) { start(handles_[i], i); }
  void cancel(std::size_t i) { uv_timer_stop(&handles_[i]); }
  void arm_cancel(std::size_t i) {
    start(single_, i);
    uv_timer_stop(&single_);
  }

 private:
  void start(uv_timer_t& handle, std::size_t i) {
    uv_timer_start(
        &handle, [](uv_timer_t*) { fired = true; }, static_cast<std::uint64_t>(delays_[i].count()),
        0);
  }

  std::vector<std::chrono::milliseconds> delays_;
  std::vector<uv_timer_t> handles_;
  uv_timer_t single_{};
};

}  // namespace

int main(int argc, char** argv) {
  auto program = bench::timer_program("libuv", argc, argv);
  uv_loop_t* loop = uv_default_loop();
  Timers timers(loop, program.size());
  for (const auto step : bench::timer_steps(program)) {
    bench::start_step(program, step);
    bench::run_step(program, step, timers);
    uv_run(loop, UV_RUN_NOWAIT);
    bench::stop_step(program, step);
  }
  return bench::finish_timers(program, fired);
}
