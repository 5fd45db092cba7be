// nqueens on Coil: every queen that can be placed is a child that is forked, four or fewer at a
// time. (One fork_each over the columns says the same in a line, and takes half as long again: it
// makes vectors of what is here on the stack.)
#include <array>
#include <coil/fork.hpp>
#include <coil/run.hpp>
#include <tuple>

#include "../../kit/program.hpp"
#include "../board.hpp"

namespace {

std::int64_t sum(const auto& ways) {
  return std::apply([](auto... one) { return (one + ...); }, ways);
}

coil::Coro<std::int64_t> solve(bench::Board board, int queens) {
  if (board.rows == queens) co_return 1;
  std::array<int, bench::queens_max> columns;
  int left = 0;
  for (int column = 0; column < queens; ++column)
    if (board.allows(column)) columns[left++] = column;
  const auto next = [&] { return solve(board.with(columns[--left]), queens); };

  std::int64_t ways = 0;
  while (left >= 4) ways += sum(co_await coil::fork(next(), next(), next(), next()));
  if (left == 3) co_return ways + sum(co_await coil::fork(next(), next(), next()));
  if (left == 2) co_return ways + sum(co_await coil::fork(next(), next()));
  if (left == 1) ways += co_await next();
  co_return ways;
}

coil::Coro<std::int64_t> measured(bench::Program& program, int queens) {
  co_await solve({}, bench::queens_warm_up);
  program.start();
  const auto ways = co_await solve({}, queens);
  program.stop();
  co_return ways;
}

}  // namespace

int main(int argc, char** argv) {
  bench::Program program("nqueens", "coil", argc, argv, 13);
  const int queens = static_cast<int>(program.size());
  if (queens > bench::queens_max) return 2;
  const auto ways = coil::run(measured(program, queens), {.loops = program.threads()});
  return program.finish(1, ways == bench::queens_expected[queens]);
}
