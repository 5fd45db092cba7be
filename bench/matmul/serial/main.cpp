// matmul by plain calls.
#include "../../kit/program.hpp"
#include "../matrix.hpp"

namespace {

using bench::Block;

void multiply(Block a, Block b, Block c) {
  if (a.size <= bench::matmul_leaf) return bench::multiply_leaf(a, b, c);
  for (int step = 0; step < 2; ++step)
    for (int which = 0; which < 4; ++which) bench::product(a, b, c, step, which, multiply);
}

}  // namespace

int main(int argc, char** argv) {
  bench::Program program("matmul", "serial", argc, argv, 1024);
  bench::Matrices matrices(program.size());
  program.start();
  for (int round = 0; round < bench::matmul_rounds; ++round)
    multiply(matrices.a(), matrices.b(), matrices.c());
  program.stop();
  return program.finish(bench::matmul_rounds, matrices.correct(bench::matmul_rounds));
}
