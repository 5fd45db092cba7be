// nqueens by plain calls.
#include "../../kit/program.hpp"
#include "../board.hpp"

namespace {

std::int64_t solve(bench::Board board, int queens) {
  if (board.rows == queens) return 1;
  std::int64_t ways = 0;
  for (int column = 0; column < queens; ++column)
    if (board.allows(column)) ways += solve(board.with(column), queens);
  return ways;
}

}  // namespace

int main(int argc, char** argv) {
  bench::Program program("nqueens", "serial", argc, argv, 13);
  const int queens = static_cast<int>(program.size());
  if (queens > bench::queens_max) return 2;
  program.start();
  const auto ways = solve({}, queens);
  program.stop();
  return program.finish(1, ways == bench::queens_expected[queens]);
}
