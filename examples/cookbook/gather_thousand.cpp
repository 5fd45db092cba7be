// A thousand coroutines at once, results in order.
#include <coil/coil.hpp>
#include <iostream>
#include <numeric>
#include <vector>

using namespace coil;
using namespace std::chrono_literals;

namespace {

Coro<int> square(int i) {
  co_await sleep(10ms);
  co_return i* i;
}

Coro<> main_task() {
  std::vector<Coro<int>> work;
  work.reserve(1000);
  for (int i = 0; i < 1000; ++i) work.push_back(square(i));
  const auto squares = co_await gather(std::move(work));
  std::cout << "results: " << squares.size() << '\n';
  std::cout << "the first: " << squares[0] << ' ' << squares[1] << ' ' << squares[2] << '\n';
  std::cout << "the last: " << squares.back() << '\n';
  std::cout << "sum: " << std::accumulate(squares.begin(), squares.end(), 0) << '\n';
}

}  // namespace

int main() { coil::run(main_task()); }
