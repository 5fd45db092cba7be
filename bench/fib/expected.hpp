// What fib(n) must give, and how many calls it takes to compute it by forking: the operations.
#pragma once

#include <cstdint>

namespace bench {

constexpr int fib_warm_up = 20;

constexpr std::int64_t fib_expected(long n) {
  std::int64_t a = 0, b = 1;
  for (long i = 0; i < n; ++i) {
    const std::int64_t next = a + b;
    a = b;
    b = next;
  }
  return a;
}
constexpr std::int64_t fib_calls(long n) { return 2 * fib_expected(n + 1) - 1; }

static_assert(fib_expected(10) == 55 && fib_calls(3) == 5);

}  // namespace bench
