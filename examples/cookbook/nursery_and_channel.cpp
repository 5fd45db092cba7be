// Trio's nursery, memory channel and move_on_after.
#include <coil/coil.hpp>
#include <iostream>
#include <string>

using namespace coil;
using namespace std::chrono_literals;

namespace {

Coro<> producer(MemorySendChannel<std::string> sender) {
  for (int i = 0; i < 3; ++i) {
    co_await sleep(1s);
    co_await sender.send("message " + std::to_string(i));
  }
}  // the sender is closed here

Coro<> consumer(MemoryReceiveChannel<std::string> receiver) {
  while (auto message = co_await receiver.next()) std::cout << "received " << *message << '\n';
  std::cout << "the channel is closed\n";
}

Coro<> main_task() {
  co_await open_nursery([](Nursery& nursery) -> Coro<> {
    auto [sender, receiver] = open_memory_channel<std::string>(0);
    nursery.start_soon(producer(std::move(sender)));
    nursery.start_soon(consumer(std::move(receiver)));
    co_return;
  });

  auto scope = co_await move_on_after(2s, []() -> Coro<> { co_await sleep_forever(); });
  std::cout << "moved on: " << (scope.cancelled_caught() ? "yes" : "no") << '\n';
}

}  // namespace

int main() { coil::run(main_task()); }
