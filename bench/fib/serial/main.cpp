// fib(n) by plain calls, as the compiler makes it: it turns the second call into a loop.
#include "../../kit/program.hpp"
#include "../expected.hpp"

namespace {

[[gnu::noinline]] std::int64_t fib(long n) {
  if (n < 2) return n;
  return fib(n - 1) + fib(n - 2);
}

}  // namespace

int main(int argc, char** argv) {
  bench::Program program("fib", "serial", argc, argv, 38);
  program.start();
  const auto result = fib(program.size());
  program.stop();
  return program.finish(bench::fib_calls(program.size()),
                        result == bench::fib_expected(program.size()));
}
