// One or two tasks of a group that do next to nothing, and its wait; of two, the second by a call,
// as one would write it.
#include <oneapi/tbb/task_group.h>

#include "../../kit/onetbb.hpp"
#include "../../kit/program.hpp"

namespace {

std::int64_t child(std::int64_t x) { return x + 1; }

std::int64_t work(bool two, long times) {
  std::int64_t value = 0;
  for (long i = 0; i < times; ++i) {
    std::int64_t a = 0;
    std::int64_t b = i + 1;
    tbb::task_group group;
    group.run([&] { a = child(value); });
    if (two) b = child(i);
    group.wait();
    value = a + b - i - 1;
  }
  return value;
}

}  // namespace

int main(int argc, char** argv) {
  bench::Program program("fork_join", "onetbb", argc, argv, 10'000'000, {"one", "two"});
  const bool two = program.which() == "two";
  bench::TbbThreads threads(program.threads());
  const auto value = threads.run([&] {
    work(two, program.size() / 10);
    program.start();
    const auto sum = work(two, program.size());
    program.stop();
    return sum;
  });
  return program.finish(program.size(), value == program.size());
}
