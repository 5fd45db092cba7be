// fib(n) on Coil: each call forks its two.
#include <coil/fork.hpp>
#include <coil/run.hpp>

#include "../../kit/program.hpp"
#include "../expected.hpp"

namespace {

coil::Coro<std::int64_t> fib(long n) {
  if (n < 2) co_return n;
  auto [a, b] = co_await coil::fork(fib(n - 1), fib(n - 2));
  co_return a + b;
}

coil::Coro<std::int64_t> measured(bench::Program& program) {
  co_await fib(bench::fib_warm_up);
  program.start();
  const auto result = co_await fib(program.size());
  program.stop();
  co_return result;
}

}  // namespace

int main(int argc, char** argv) {
  bench::Program program("fib", "coil", argc, argv, 38);
  const auto result = coil::run(measured(program), {.loops = program.threads()});
  return program.finish(bench::fib_calls(program.size()),
                        result == bench::fib_expected(program.size()));
}
