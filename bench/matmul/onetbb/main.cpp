// matmul on oneTBB: the four products of a step by parallel_invoke.
#include <oneapi/tbb/parallel_invoke.h>

#include "../../kit/onetbb.hpp"
#include "../../kit/program.hpp"
#include "../matrix.hpp"

namespace {

using bench::Block;

void multiply(Block a, Block b, Block c) {
  if (a.size <= bench::matmul_leaf) return bench::multiply_leaf(a, b, c);
  for (int step = 0; step < 2; ++step) {
    const auto part = [&](int which) { bench::product(a, b, c, step, which, multiply); };
    tbb::parallel_invoke([&] { part(0); }, [&] { part(1); }, [&] { part(2); }, [&] { part(3); });
  }
}

}  // namespace

int main(int argc, char** argv) {
  bench::Program program("matmul", "onetbb", argc, argv, 1024);
  bench::Matrices matrices(program.size());
  bench::TbbThreads threads(program.threads());
  threads.run([&] {
    bench::Matrices small(bench::matmul_warm_up);
    multiply(small.a(), small.b(), small.c());
    program.start();
    for (int round = 0; round < bench::matmul_rounds; ++round)
      multiply(matrices.a(), matrices.b(), matrices.c());
    program.stop();
  });
  return program.finish(bench::matmul_rounds, matrices.correct(bench::matmul_rounds));
}
