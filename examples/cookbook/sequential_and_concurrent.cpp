// await one after the other, and tasks side by side.
#include <coil/coil.hpp>
#include <iostream>
#include <string>

using namespace coil;
using namespace std::chrono_literals;

namespace {

Coro<std::string> fetch(std::string name, std::chrono::seconds time) {
  co_await sleep(time);
  co_return name + " is here";
}

std::string since(TimePoint start) {
  const auto passed = get_running_loop().time() - start;
  return std::to_string(std::chrono::round<std::chrono::seconds>(passed).count()) + " s";
}

Coro<> main_task() {
  Loop& loop = get_running_loop();

  auto start = loop.time();
  std::cout << co_await fetch("tea", 1s) << '\n';
  std::cout << co_await fetch("toast", 2s) << '\n';
  std::cout << "one after the other: " << since(start) << '\n';

  start = loop.time();
  auto tea = create_task(fetch("tea", 1s));
  auto toast = create_task(fetch("toast", 2s));
  std::cout << co_await tea << '\n';
  std::cout << co_await toast << '\n';
  std::cout << "side by side: " << since(start) << '\n';
}

}  // namespace

int main() { coil::run(main_task()); }
