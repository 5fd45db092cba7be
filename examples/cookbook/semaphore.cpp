// At most three at a time.
#include <coil/coil.hpp>
#include <iostream>
#include <vector>

using namespace coil;
using namespace std::chrono_literals;

namespace {

Coro<> job(Semaphore& semaphore, std::chrono::seconds time) {
  auto permit = co_await semaphore.scoped();
  co_await sleep(time);
}

Coro<> main_task() {
  const auto start = get_running_loop().time();
  Semaphore semaphore(3);
  std::vector<Coro<>> jobs;
  for (const auto time : {1s, 2s, 3s, 2s, 3s}) jobs.push_back(job(semaphore, time));
  co_await gather(std::move(jobs));
  const auto passed = get_running_loop().time() - start;
  std::cout << "11 s of work, three at a time: "
            << std::chrono::round<std::chrono::seconds>(passed).count() << " s\n";
}

}  // namespace

int main() { coil::run(main_task()); }
