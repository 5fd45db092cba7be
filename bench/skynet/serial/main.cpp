// skynet by plain calls.
#include "../../kit/program.hpp"
#include "../tree.hpp"

namespace {

[[gnu::noinline]] std::int64_t skynet(std::int64_t first, long leaves) {
  if (leaves == 1) return first;
  const long part = leaves / bench::skynet_children;
  std::int64_t sum = 0;
  for (long i = 0; i < bench::skynet_children; ++i) sum += skynet(first + i * part, part);
  return sum;
}

}  // namespace

int main(int argc, char** argv) {
  bench::Program program("skynet", "serial", argc, argv, 100'000'000);
  program.start();
  const auto sum = skynet(0, program.size());
  program.stop();
  return program.finish(bench::skynet_tasks(program.size()),
                        sum == bench::skynet_sum(program.size()));
}
