// An asynchronous context manager, left also on a cancel.
#include <coil/coil.hpp>
#include <iostream>
#include <string>

using namespace coil;
using namespace std::chrono_literals;

namespace {

struct Connection {
  Coro<Connection&> aenter() {
    co_await sleep(1s);
    std::cout << "connected\n";
    co_return *this;
  }
  Coro<> aexit(std::exception_ptr) {
    co_await sleep(1s);
    std::cout << "disconnected\n";
  }
  Coro<std::string> query(std::chrono::seconds time) {
    co_await sleep(time);
    co_return "rows";
  }
};

Coro<> main_task() {
  co_await with(Connection(), [](Connection& connection) -> Coro<> {
    std::cout << co_await connection.query(1s) << '\n';
  });

  try {
    co_await timeout(3s, []() -> Coro<> {
      co_await with(Connection(),
                    [](Connection& connection) -> Coro<> { co_await connection.query(10s); });
    });
  } catch (const TimeoutError&) {
    std::cout << "too slow, and disconnected all the same\n";
  }
}

}  // namespace

int main() { coil::run(main_task()); }
