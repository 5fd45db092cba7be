// skynet on Coil: every node forks its ten children.
#include <coil/fork.hpp>
#include <coil/run.hpp>
#include <tuple>

#include "../../kit/program.hpp"
#include "../tree.hpp"

namespace {

coil::Coro<std::int64_t> skynet(std::int64_t first, long leaves) {
  if (leaves == 1) co_return first;
  const long part = leaves / bench::skynet_children;
  const auto child = [&](long i) { return skynet(first + i * part, part); };
  const auto sums = co_await coil::fork(child(0), child(1), child(2), child(3), child(4), child(5),
                                        child(6), child(7), child(8), child(9));
  co_return std::apply([](auto... sum) { return (sum + ...); }, sums);
}

coil::Coro<std::int64_t> measured(bench::Program& program) {
  co_await skynet(0, bench::skynet_warm_up);
  program.start();
  const auto sum = co_await skynet(0, program.size());
  program.stop();
  co_return sum;
}

}  // namespace

int main(int argc, char** argv) {
  bench::Program program("skynet", "coil", argc, argv, 100'000'000);
  const auto sum = coil::run(measured(program), {.loops = program.threads()});
  return program.finish(bench::skynet_tasks(program.size()),
                        sum == bench::skynet_sum(program.size()));
}
