// An asynchronous generator that fetches pages as they are needed.
#include <coil/coil.hpp>
#include <iostream>
#include <string>
#include <vector>

using namespace coil;
using namespace std::chrono_literals;

namespace {

Coro<std::vector<std::string>> fetch_page(int number) {
  co_await sleep(1s);
  std::cout << "(page " << number << " fetched)\n";
  std::vector<std::string> page;
  for (int i = 0; number < 4 && i < 3; ++i)
    page.push_back("entry " + std::to_string(number) + "." + std::to_string(i));
  co_return page;
}

AsyncGenerator<std::string> entries() {
  for (int number = 0;; ++number) {
    auto page = co_await fetch_page(number);
    if (page.empty()) co_return;
    for (auto& entry : page) co_yield std::move(entry);
  }
}

Coro<> main_task() {
  COIL_FOR_AWAIT(auto entry, entries()) {
    std::cout << entry << '\n';
    if (entry == "entry 1.1") break;  // page 2 is never fetched
  }
  int count = 0;
  COIL_FOR_AWAIT([[maybe_unused]] auto entry, entries()) { ++count; }
  std::cout << "count: " << count << '\n';
}

}  // namespace

int main() { coil::run(main_task()); }
