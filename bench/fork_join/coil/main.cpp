// One fork of one or two children that do next to nothing, and its join, again and again. With two
// loops the other one has nothing to do and tries to take a child all the time.
#include <coil/fork.hpp>
#include <coil/run.hpp>

#include "../../kit/program.hpp"

namespace {

coil::Coro<std::int64_t> child(std::int64_t x) { co_return x + 1; }

coil::Coro<std::int64_t> fork_one(long times) {
  std::int64_t value = 0;
  for (long i = 0; i < times; ++i) {
    auto [a] = co_await coil::fork(child(value));
    value = a;
  }
  co_return value;
}

coil::Coro<std::int64_t> fork_two(long times) {
  std::int64_t value = 0;
  for (long i = 0; i < times; ++i) {
    auto [a, b] = co_await coil::fork(child(value), child(i));
    value = a + b - i - 1;
  }
  co_return value;
}

coil::Coro<std::int64_t> measured(bench::Program& program) {
  const auto work = program.which() == "one" ? fork_one : fork_two;
  co_await work(program.size() / 10);
  program.start();
  const auto value = co_await work(program.size());
  program.stop();
  co_return value;
}

}  // namespace

int main(int argc, char** argv) {
  bench::Program program("fork_join", "coil", argc, argv, 10'000'000, {"one", "two"});
  const auto value = coil::run(measured(program), {.loops = program.threads()});
  return program.finish(program.size(), value == program.size());
}
