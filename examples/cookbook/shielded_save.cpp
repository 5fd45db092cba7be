// shield: what must be finished though the request is cancelled.
#include <coil/coil.hpp>
#include <iostream>
#include <string>

using namespace coil;
using namespace std::chrono_literals;

namespace {

Coro<> save(std::string document) {
  co_await sleep(1s);
  std::cout << "saved " << document << '\n';
}

Coro<> request() {
  try {
    co_await shield(save("the document"));
    std::cout << "never: the client has gone\n";
  } catch (const CancelledError&) {
    std::cout << "the request is cancelled, the saving is not\n";
    throw;
  }
}

Coro<> main_task() {
  auto task = create_task(request());
  co_await sleep(500ms);
  task.cancel();
  try {
    co_await task;
  } catch (const CancelledError&) {
    std::cout << "request cancelled\n";
  }
  co_await sleep(1s);
}

}  // namespace

int main() { coil::run(main_task()); }
