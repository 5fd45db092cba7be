// Structured concurrency: one failure ends the others, all failures are seen.
#include <coil/coil.hpp>
#include <iostream>
#include <stdexcept>
#include <string>

using namespace coil;
using namespace std::chrono_literals;

namespace {

Coro<> download(std::string name, std::chrono::seconds time) {
  try {
    co_await sleep(time);
    std::cout << name + " downloaded\n";
  } catch (const CancelledError&) {
    std::cout << name + " given up\n";
    throw;
  }
}

Coro<> broken(std::chrono::seconds time) {
  co_await sleep(time);
  throw std::invalid_argument("the disk is full");
}

Coro<> main_task() {
  co_await with_task_group([](TaskGroup& group) -> Coro<> {
    group.create_task(download("one", 1s));
    group.create_task(download("two", 2s));
    co_return;
  });
  std::cout << "all is well\n";

  try {
    co_await with_task_group([](TaskGroup& group) -> Coro<> {
      group.create_task(download("three", 1s));
      group.create_task(broken(2s));
      group.create_task(download("four", 3s));
      co_return;
    });
  } catch (const ExceptionGroup& failures) {
    for (const auto& failure : failures.exceptions()) {
      try {
        std::rethrow_exception(failure);
      } catch (const std::invalid_argument& error) {
        std::cout << "failed: " << error.what() << '\n';
      }
    }
  }
}

}  // namespace

int main() { coil::run(main_task()); }
