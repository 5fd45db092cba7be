// Workers that clean up when they are cancelled.
#include <algorithm>
#include <coil/coil.hpp>
#include <iostream>
#include <string>
#include <vector>

using namespace coil;
using namespace std::chrono_literals;

namespace {

Coro<> worker(std::string name, std::chrono::seconds closing) {
  auto work = []() -> Coro<> {
    for (;;) co_await sleep(1s);
  };
  auto close_files = [&]() -> Coro<> {
    co_await sleep(closing);
    std::cout << name + " has closed its files\n";
  };
  co_await try_finally(work, close_files);
}

Coro<> main_task() {
  std::vector workers{create_task(worker("first", 2s)), create_task(worker("second", 1s))};
  co_await sleep(3500ms);
  std::cout << "stopping\n";
  for (auto& task : workers) task.cancel();
  co_await gather_results(workers);
  std::cout << "cancelled: " << std::count_if(workers.begin(), workers.end(), [](const auto& task) {
    return task.cancelled();
  }) << '\n';
}

}  // namespace

int main() { coil::run(main_task()); }
