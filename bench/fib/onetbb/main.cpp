// fib(n) on oneTBB: each call runs one of its two in a task group and the other itself.
#include <oneapi/tbb/task_group.h>

#include "../../kit/onetbb.hpp"
#include "../../kit/program.hpp"
#include "../expected.hpp"

namespace {

std::int64_t fib(long n) {
  if (n < 2) return n;
  std::int64_t a = 0;
  tbb::task_group group;
  group.run([&] { a = fib(n - 1); });
  const std::int64_t b = fib(n - 2);
  group.wait();
  return a + b;
}

}  // namespace

int main(int argc, char** argv) {
  bench::Program program("fib", "onetbb", argc, argv, 38);
  bench::TbbThreads threads(program.threads());
  const auto result = threads.run([&] {
    fib(bench::fib_warm_up);
    program.start();
    const auto value = fib(program.size());
    program.stop();
    return value;
  });
  return program.finish(bench::fib_calls(program.size()),
                        result == bench::fib_expected(program.size()));
}
