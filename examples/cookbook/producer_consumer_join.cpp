// Workers on a Queue, join and task_done.
#include <coil/coil.hpp>
#include <iomanip>
#include <iostream>
#include <mutex>
#include <numeric>
#include <vector>

using namespace coil;
using Seconds = std::chrono::duration<double>;

namespace {

// The workers may run on several loops at once.
struct Done {
  std::mutex mutex;
  std::vector<double> delays;
};

Coro<> worker(Queue<double>& queue, Done& done) {
  for (;;) {
    const double delay = co_await queue.get();
    co_await sleep(Seconds(delay));
    {
      const std::lock_guard lock(done.mutex);
      done.delays.push_back(delay);
    }
    queue.task_done();
  }
}

Coro<> main_task() {
  const auto start = get_running_loop().time();
  Queue<double> queue;
  Done done;
  for (const double delay : {0.3, 0.2, 0.2, 0.1, 0.4, 0.1}) queue.put_nowait(delay);

  std::vector<Task<>> workers;
  workers.reserve(3);
  for (int i = 0; i < 3; ++i) workers.push_back(create_task(worker(queue, done)));
  co_await queue.join();
  for (auto& task : workers) task.cancel();
  co_await gather_results(workers);

  const Seconds passed = get_running_loop().time() - start;
  std::cout << "jobs done: " << done.delays.size() << '\n' << std::fixed << std::setprecision(1);
  std::cout << "work: " << std::accumulate(done.delays.begin(), done.delays.end(), 0.0)
            << " s, with three workers: " << passed.count() << " s\n";
}

}  // namespace

int main() { coil::run(main_task()); }
