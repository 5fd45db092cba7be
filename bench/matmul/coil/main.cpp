// matmul on Coil: the four products of a step are forked.
#include <coil/fork.hpp>
#include <coil/run.hpp>

#include "../../kit/program.hpp"
#include "../matrix.hpp"

namespace {

using bench::Block;

coil::Coro<> multiply(Block a, Block b, Block c) {
  if (a.size <= bench::matmul_leaf) {
    bench::multiply_leaf(a, b, c);
    co_return;
  }
  for (int step = 0; step < 2; ++step) {
    const auto part = [&](int which) { return bench::product(a, b, c, step, which, multiply); };
    co_await coil::fork(part(0), part(1), part(2), part(3));
  }
}

coil::Coro<> measured(bench::Program& program, bench::Matrices& matrices) {
  bench::Matrices small(bench::matmul_warm_up);
  co_await multiply(small.a(), small.b(), small.c());
  program.start();
  for (int round = 0; round < bench::matmul_rounds; ++round)
    co_await multiply(matrices.a(), matrices.b(), matrices.c());
  program.stop();
}

}  // namespace

int main(int argc, char** argv) {
  bench::Program program("matmul", "coil", argc, argv, 1024);
  bench::Matrices matrices(program.size());
  coil::run(measured(program, matrices), {.loops = program.threads()});
  return program.finish(bench::matmul_rounds, matrices.correct(bench::matmul_rounds));
}
