// nqueens on oneTBB: every queen that can be placed is a task of the row's group.
#include <oneapi/tbb/task_group.h>

#include "../../kit/onetbb.hpp"
#include "../../kit/program.hpp"
#include "../board.hpp"

namespace {

std::int64_t solve(const bench::Board& board, int queens) {
  if (board.rows == queens) return 1;
  std::array<std::int64_t, bench::queens_max> ways;
  int children = 0;
  tbb::task_group group;
  for (int column = 0; column < queens; ++column) {
    if (!board.allows(column)) continue;
    group.run([&ways, i = children++, next = board.with(column), queens] {
      ways[i] = solve(next, queens);
    });
  }
  group.wait();
  std::int64_t sum = 0;
  for (int i = 0; i < children; ++i) sum += ways[i];
  return sum;
}

}  // namespace

int main(int argc, char** argv) {
  bench::Program program("nqueens", "onetbb", argc, argv, 13);
  const int queens = static_cast<int>(program.size());
  if (queens > bench::queens_max) return 2;
  bench::TbbThreads threads(program.threads());
  const auto ways = threads.run([&] {
    solve({}, bench::queens_warm_up);
    program.start();
    const auto value = solve({}, queens);
    program.stop();
    return value;
  });
  return program.finish(1, ways == bench::queens_expected[queens]);
}
