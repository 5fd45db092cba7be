// wait_for, timeout, and moving a deadline.
#include <coil/coil.hpp>
#include <iostream>
#include <string>

using namespace coil;
using namespace std::chrono_literals;

namespace {

Coro<std::string> answer(Duration time) {
  co_await sleep(time);
  co_return "an answer";
}

Coro<> main_task() {
  std::cout << co_await wait_for(answer(1s), 2s) << '\n';
  try {
    co_await wait_for(answer(3s), 2s);
  } catch (const TimeoutError&) {
    std::cout << "no answer in time\n";
  }

  try {
    co_await timeout(2s, []() -> Coro<> {
      co_await answer(1s);
      std::cout << "the first step took 1 s\n";
      co_await answer(1500ms);
      std::cout << "never\n";
    });
  } catch (const TimeoutError&) {
    std::cout << "both steps together took too long\n";
  }

  co_await timeout(1s, [](Timeout& limit) -> Coro<> {
    limit.reschedule(get_running_loop().time() + 5s);
    std::cout << "with more time: " << co_await answer(3s) << '\n';
  });
}

}  // namespace

int main() { coil::run(main_task()); }
