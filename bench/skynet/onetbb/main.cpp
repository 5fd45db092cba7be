// skynet on oneTBB: nine children of a node in a task group, the tenth by a call.
#include <oneapi/tbb/task_group.h>

#include "../../kit/onetbb.hpp"
#include "../../kit/program.hpp"
#include "../tree.hpp"

namespace {

std::int64_t skynet(std::int64_t first, long leaves) {
  if (leaves == 1) return first;
  const long part = leaves / bench::skynet_children;
  std::array<std::int64_t, bench::skynet_children> sums;
  tbb::task_group group;
  for (long i = 0; i + 1 < bench::skynet_children; ++i)
    group.run([&sums, first, part, i] { sums[i] = skynet(first + i * part, part); });
  sums.back() = skynet(first + (bench::skynet_children - 1) * part, part);
  group.wait();
  std::int64_t sum = 0;
  for (const auto one : sums) sum += one;
  return sum;
}

}  // namespace

int main(int argc, char** argv) {
  bench::Program program("skynet", "onetbb", argc, argv, 100'000'000);
  bench::TbbThreads threads(program.threads());
  const auto sum = threads.run([&] {
    skynet(0, bench::skynet_warm_up);
    program.start();
    const auto value = skynet(0, program.size());
    program.stop();
    return value;
  });
  return program.finish(bench::skynet_tasks(program.size()),
                        sum == bench::skynet_sum(program.size()));
}
