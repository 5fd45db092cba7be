// The board of nqueens: one queen a row, in the column that is kept; a copy of it goes to each
// child. Slow on purpose, and alike for all: a row is tried column by column against each queen
// above it, so that a task has about a hundred nanoseconds of work.
#pragma once

#include <array>
#include <cstdint>

namespace bench {

constexpr int queens_max = 16;
constexpr int queens_warm_up = 6;

struct Board {
  std::array<std::int8_t, queens_max> column{};
  int rows = 0;

  [[nodiscard]] bool allows(int candidate) const {
    for (int row = 0; row < rows; ++row) {
      const int distance = rows - row;
      const int difference = candidate - column[row];
      if (difference == 0 || difference == distance || difference == -distance) return false;
    }
    return true;
  }
  [[nodiscard]] Board with(int candidate) const {
    Board next = *this;
    next.column[next.rows++] = static_cast<std::int8_t>(candidate);
    return next;
  }
};

// How many ways there are; indexed by the number of queens.
constexpr std::array<std::int64_t, queens_max + 1> queens_expected{
    1, 1, 0, 0, 2, 10, 4, 40, 92, 352, 724, 2'680, 14'200, 73'712, 365'596, 2'279'184, 14'772'512};

}  // namespace bench
