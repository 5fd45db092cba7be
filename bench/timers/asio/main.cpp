// Timers of Asio: steady_timer, whose cancelled handlers are run by the context. They run every
// thousand in arm_cancel, as they would in a program that goes on.
#include <asio.hpp>

#include "../plan.hpp"

namespace {

bool fired = false;

class Timers {
 public:
  using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                           asio::wait_traits<std::chrono::steady_clock>,
                                           asio::io_context::executor_type>;

  explicit Timers(asio::io_context& context, long size) : context_(context), single_(context) {
    const auto now = std::chrono::steady_clock::now();
    for (const auto delay : bench::timer_delays(size)) when_.push_back(now + delay);
    timers_.reserve(when_.size());
    for (std::size_t i = 0; i < when_.size(); ++i) timers_.emplace_back(context);
  }
  void arm(std::size_t i) { start(timers_[i], i); }
  void cancel(std::size_t i) { timers_[i].cancel(); }
  void arm_cancel(std::size_t i) {
    start(single_, i);
    single_.cancel();
    if (i % 1000 == 999) context_.poll();
  }

 private:
  void start(Timer& timer, std::size_t i) {
    timer.expires_at(when_[i]);
    timer.async_wait([](asio::error_code error) { fired |= !error; });
  }

  asio::io_context& context_;
  std::vector<std::chrono::steady_clock::time_point> when_;
  std::vector<Timer> timers_;
  Timer single_;
};

}  // namespace

int main(int argc, char** argv) {
  auto program = bench::timer_program("asio", argc, argv);
  asio::io_context context(1);
  const auto guard = asio::make_work_guard(context);
  Timers timers(context, program.size());
  for (const auto step : bench::timer_steps(program)) {
    bench::start_step(program, step);
    bench::run_step(program, step, timers);
    context.poll();
    bench::stop_step(program, step);
  }
  return bench::finish_timers(program, fired);
}
