// An API with callbacks, one of which comes twice, as an awaitable.
#include <coil/coil.hpp>
#include <functional>
#include <iostream>
#include <stdexcept>

using namespace coil;
using namespace std::chrono_literals;

namespace {

// An API with callbacks. It reports a reading, and then once more that it has.
struct Sensor {
  void read(std::function<void(int)> on_reading, std::function<void(std::runtime_error)> on_error) {
    Loop& loop = get_running_loop();
    loop.call_later(1s, [=] { on_reading(21); });
    loop.call_later(2s, [=] { on_reading(22); });
    loop.call_later(3s, [=] { on_error(std::runtime_error("unplugged")); });
  }
};

Coro<int> read(Sensor& sensor) {
  auto future = create_future<int>();
  // set_result would throw InvalidStateError the second time; try_set_result says whether it was
  // the first. Testing done() before, as Python does, is not enough where threads are several.
  sensor.read([=](int value) { future.try_set_result(value); },
              [=](const std::runtime_error& error) {
                if (!future.try_set_exception(error))
                  std::cout << "too late: " << error.what() << '\n';
              });
  co_return co_await future;
}

Coro<> main_task() {
  Sensor sensor;
  std::cout << "reading: " << co_await read(sensor) << '\n';
  co_await sleep(5s);
}

}  // namespace

int main() { coil::run(main_task()); }
