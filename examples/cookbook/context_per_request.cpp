// Context variables: the request's id without passing it.
#include <coil/coil.hpp>
#include <iostream>
#include <string>
#include <vector>

using namespace coil;
using namespace std::chrono_literals;

namespace {

ContextVar<std::string> request_id{"request_id", "-"};

void print(const std::string& text) { std::cout << "[" + request_id.get() + "] " + text + "\n"; }

Coro<> query_database() {
  co_await sleep(100ms);
  print("querying");
}

Coro<> handle(int number) {
  request_id.set("request " + std::to_string(number));
  co_await sleep(std::chrono::seconds(number));
  co_await query_database();
  print("done");
}

Coro<> main_task() {
  std::vector<Coro<>> requests;
  for (const int number : {3, 1, 2}) requests.push_back(handle(number));
  co_await gather(std::move(requests));
  print("outside");
}

}  // namespace

int main() { coil::run(main_task()); }
