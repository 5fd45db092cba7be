// Memory of a parked task: resident growth per task beside its own coroutine frame.
#include <unistd.h>

#include <coil/detail/task_impl.hpp>
#include <coil/sleep.hpp>
#include <coil/task.hpp>
#include <cstdio>
#include <vector>

#include "in_loop.hpp"

namespace {

std::size_t resident_bytes() {
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  if (file == nullptr) return 0;
  long total = 0;
  long resident = 0;
  const int read = std::fscanf(file, "%ld %ld", &total, &resident);
  std::fclose(file);
  return read == 2 ? static_cast<std::size_t>(resident * ::sysconf(_SC_PAGESIZE)) : 0;
}

coil::Coro<> parked() { co_await coil::sleep(std::chrono::hours(1)); }

void parked_tasks(benchmark::State& state) {
  constexpr int tasks = 200'000;
  bench::in_loop(state, 1, [](auto& s) -> coil::Coro<> {
    for (auto _ : s) {
      std::vector<coil::Task<>> handles;
      handles.reserve(tasks);
      const std::size_t before = resident_bytes();
      for (int i = 0; i < tasks; ++i) handles.push_back(coil::create_task(parked()));
      co_await coil::sleep(std::chrono::nanoseconds(0));
      const auto grown = static_cast<double>(resident_bytes() - before);
      s.counters["bytes_per_task"] = grown / tasks - sizeof(coil::Task<>);
      s.counters["task_object"] = sizeof(coil::detail::TaskImpl<void>);
      for (auto& handle : handles) handle.cancel();
      co_await coil::sleep(std::chrono::nanoseconds(0));
    }
  });
}
BENCHMARK(parked_tasks)->Iterations(1)->Unit(benchmark::kMillisecond);

}  // namespace
