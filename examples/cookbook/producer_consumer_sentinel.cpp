// A bounded Queue, and an item that means the end.
#include <coil/coil.hpp>
#include <iostream>
#include <optional>
#include <string>

using namespace coil;
using namespace std::chrono_literals;

namespace {

using Items = Queue<std::optional<std::string>>;

Coro<> producer(Items& queue) {
  for (int i = 0; i < 5; ++i) {
    co_await sleep(100ms);
    co_await queue.put("item " + std::to_string(i));
  }
  co_await queue.put(std::nullopt);  // the end
}

Coro<> consumer(Items& queue) {
  while (auto item = co_await queue.get()) std::cout << "consumed " << *item << '\n';
  std::cout << "nothing more\n";
}

Coro<> main_task() {
  Items queue(2);
  co_await gather(producer(queue), consumer(queue));
}

}  // namespace

int main() { coil::run(main_task()); }
