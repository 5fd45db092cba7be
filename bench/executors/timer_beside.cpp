// How late a 10 ms timer of one loop is while executors compute all the time.
//
// usage: timer_beside threads|arena|both|none THREADS LOOPS SECONDS
// THREADS: compute threads of each executor; 0: as many as an ArenaExecutor takes by itself, beside
// LOOPS. Prints one line of JSON: from the moment the timer was armed to the moment its task ran.
#include <algorithm>
#include <atomic>
#include <coil/coil.hpp>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <vector>

namespace {

using namespace std::chrono_literals;
using Milliseconds = std::chrono::duration<double, std::milli>;

std::atomic<bool> over = false;

// A piece of work of about 1 ms.
void compute() {
  const auto end = coil::Clock::now() + 1ms;
  while (coil::Clock::now() < end) {
  }
}

// Never fewer calls than twice the threads.
coil::Coro<> saturate(coil::Executor& executor) {
  while (!over) co_await coil::run_in_executor(&executor, compute);
}

coil::Coro<> measure(std::vector<double>& samples, double seconds) {
  const auto end = coil::Clock::now() + std::chrono::duration<double>(seconds);
  while (coil::Clock::now() < end) {
    const auto begin = coil::Clock::now();
    co_await coil::sleep(10ms);
    samples.push_back(Milliseconds(coil::Clock::now() - begin).count());
  }
  over = true;
}

double at(const std::vector<double>& sorted, double part) {
  return sorted[static_cast<std::size_t>(part * static_cast<double>(sorted.size() - 1))];
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: %s threads|arena|both|none THREADS LOOPS SECONDS\n", argv[0]);
    return 2;
  }
  const std::string_view kind = argv[1];
  const int asked = std::atoi(argv[2]);
  coil::Runner runner({.loops = std::atoi(argv[3])});
  const int threads = asked != 0 ? asked : coil::ArenaExecutor().concurrency();
  std::vector<std::unique_ptr<coil::Executor>> executors;
  if (kind == "threads" || kind == "both")
    executors.push_back(std::make_unique<coil::ThreadPoolExecutor>(
        coil::ThreadPoolOptions{.max_workers = threads}));
  if (kind == "arena" || kind == "both")
    executors.push_back(
        std::make_unique<coil::ArenaExecutor>(coil::ArenaOptions{.concurrency = threads}));
  std::vector<double> samples;
  runner.run([&]() -> coil::Coro<> {
    std::vector<coil::Task<>> tasks;
    for (auto& executor : executors)
      for (int i = 0; i < 2 * threads; ++i) tasks.push_back(coil::create_task(saturate(*executor)));
    co_await runner.loops()[0]->create_task(measure(samples, std::atof(argv[4])));
    for (auto& task : tasks) co_await task;
  });
  std::sort(samples.begin(), samples.end());
  std::printf(
      "{\"executors\": \"%s\", \"threads\": %d, \"loops\": %s, \"samples\": %zu, "
      "\"p50_ms\": %.3f, \"p99_ms\": %.3f, \"max_ms\": %.3f}\n",
      argv[1], threads, argv[3], samples.size(), at(samples, 0.5), at(samples, 0.99),
      samples.back());
}
