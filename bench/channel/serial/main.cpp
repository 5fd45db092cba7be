// The items through a std::deque under a mutex, filled and drained in turn on one thread.
#include <algorithm>
#include <deque>
#include <mutex>

#include "../../kit/program.hpp"

int main(int argc, char** argv) {
  bench::Program program("channel", "serial", argc, argv, 10'000'000, {"128", "1"});
  const long places = program.which() == "1" ? 1 : 128;
  std::deque<long> queue;
  std::mutex mutex;
  long sum = 0;
  program.start();
  for (long first = 0; first < program.size(); first += places) {
    const long last = std::min(first + places, program.size());
    for (long i = first; i < last; ++i) {
      const std::lock_guard lock(mutex);
      queue.push_back(i);
    }
    for (long i = first; i < last; ++i) {
      const std::lock_guard lock(mutex);
      sum += queue.front();
      queue.pop_front();
    }
  }
  program.stop();
  return program.finish(program.size(), sum == program.size() * (program.size() - 1) / 2);
}
