// Timers as entries of a std::multimap.
#include <map>

#include "../plan.hpp"

namespace {

class Timers {
 public:
  using Map = std::multimap<std::chrono::milliseconds, std::size_t>;

  explicit Timers(long size) : delays_(bench::timer_delays(size)), places_(delays_.size()) {}
  void arm(std::size_t i) { places_[i] = map_.emplace(delays_[i], i); }
  void cancel(std::size_t i) { map_.erase(places_[i]); }
  void arm_cancel(std::size_t i) { map_.erase(map_.emplace(delays_[i], i)); }

 private:
  std::vector<std::chrono::milliseconds> delays_;
  Map map_;
  std::vector<Map::iterator> places_;
};

}  // namespace

int main(int argc, char** argv) {
  auto program = bench::timer_program("serial", argc, argv);
  Timers timers(program.size());
  for (const auto step : bench::timer_steps(program)) {
    bench::start_step(program, step);
    bench::run_step(program, step, timers);
    bench::stop_step(program, step);
  }
  return bench::finish_timers(program, false);
}
