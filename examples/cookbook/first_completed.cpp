// wait for the first answer, cancel the rest.
#include <coil/coil.hpp>
#include <iostream>
#include <string>
#include <vector>

using namespace coil;
using namespace std::chrono_literals;

namespace {

Coro<std::string> ask(std::string mirror, std::chrono::seconds time) {
  try {
    co_await sleep(time);
    co_return mirror + " answers";
  } catch (const CancelledError&) {
    std::cout << mirror + " is no longer asked\n";
    throw;
  }
}

Coro<> main_task() {
  std::vector<Task<std::string>> tasks;
  tasks.push_back(create_task(ask("Lisbon", 3s)));
  tasks.push_back(create_task(ask("Oslo", 1s)));
  tasks.push_back(create_task(ask("Quito", 5s)));
  auto [done, pending] = co_await wait(tasks, {.return_when = FIRST_COMPLETED});
  for (auto& task : done) std::cout << task.result() << '\n';
  for (auto& task : pending) task.cancel();
  co_await wait(pending);
}

}  // namespace

int main() { coil::run(main_task()); }
