// Cancels that come from another thread just as what they would cancel ends. COIL_STRESS=N sets
// the number of rounds.
//
// What must hold: a cancel that was accepted is thrown exactly once, at this await or the next, and
// a timeout leaves no cancel behind.
#include <atomic>
#include <coil/future.hpp>
#include <coil/loop.hpp>
#include <coil/task.hpp>
#include <coil/timeout.hpp>
#include <cstdlib>
#include <kit/loops.hpp>
#include <thread>

using namespace coil;
using namespace std::chrono_literals;

namespace {

// More threads than cores take turns of milliseconds: fewer rounds, or they are most of the time.
int rounds(int loops) {
  const char* wanted = std::getenv("COIL_STRESS");
  const int all = wanted != nullptr ? std::atoi(wanted) : 5'000;
  return loops > 1 ? all / 5 : all;
}

// A thread that cancels what it is given, at once.
class Canceller {
 public:
  Canceller()
      : thread_([this] {
          while (!stop_.load(std::memory_order_relaxed)) {
            const int round = round_.load(std::memory_order_acquire);
            if (round == done_.load(std::memory_order_relaxed)) {
              std::this_thread::yield();
              continue;
            }
            for (int i = round % 37; i > 0; --i) detail::spin_pause();
            accepted_ = task_.cancel("stress");
            task_ = {};
            done_.store(round, std::memory_order_release);
          }
        }) {}
  ~Canceller() {
    stop_ = true;
    thread_.join();
  }
  void begin(TaskRef task) {
    task_ = std::move(task);
    round_.fetch_add(1, std::memory_order_release);
  }
  [[nodiscard]] bool accepted() {
    while (done_.load(std::memory_order_acquire) != round_.load(std::memory_order_relaxed))
      std::this_thread::yield();
    return accepted_;
  }

 private:
  TaskRef task_;
  bool accepted_ = false;
  std::atomic<int> round_{0};
  std::atomic<int> done_{0};
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

// Awaits `inner`, then goes on suspending until the cancel has come, if there is one.
Coro<int> count_cancels(Task<> inner, std::atomic<bool>& expect, std::atomic<bool>& known) {
  int thrown = 0;
  try {
    co_await inner;
  } catch (const CancelledError&) {
    ++thrown;
  }
  // By now the cancel has been asked for or refused; what was accepted comes here, if not before.
  for (int i = 0; i < 3 || !known || (expect && thrown == 0); ++i) {
    try {
      co_await sleep(0ms);
    } catch (const CancelledError&) {
      ++thrown;
    }
  }
  co_return thrown;
}

void cancel_the_awaiter_of_a_task_that_ends(int loops) {
  const kit::Watchdog watchdog(std::chrono::seconds(200));
  coil::run(
      [loops]() -> Coro<> {
        Canceller canceller;
        for (int round = 0; round < rounds(loops); ++round) {
          std::atomic<bool> expect{false};
          std::atomic<bool> known{false};
          auto inner = create_task([](int n) -> Coro<> { co_await kit::yield(n); }, round % 3);
          auto outer = create_task(count_cancels(inner, expect, known));
          co_await kit::yield(round % 4);
          canceller.begin(outer);
          co_await kit::yield(2);
          expect = canceller.accepted();
          known = true;
          int thrown = 1;  // if it was cancelled before it started
          try {
            thrown = co_await outer;
          } catch (const CancelledError&) {
          }
          EXPECT_EQ(thrown, expect ? 1 : 0) << "round " << round;
        }
      }(),
      {.loops = loops, .pin = false});
}

void timeouts_of_tasks_that_end(int loops) {
  const kit::Watchdog watchdog(std::chrono::seconds(200));
  coil::run(
      [loops]() -> Coro<> {
        for (int round = 0; round < rounds(loops) / 10; ++round) {
          const auto limit = std::chrono::microseconds(20 + round % 20);
          auto inner = create_task([](std::chrono::microseconds d) -> Coro<> { co_await sleep(d); },
                                   std::chrono::microseconds(30));
          try {
            co_await timeout(limit, [inner]() -> Coro<> { co_await inner; });
          } catch (const TimeoutError&) {
          }
          EXPECT_EQ(current_task().cancelling(), 0);
          co_await sleep(0ms);  // would throw a cancel that was left behind
        }
      }(),
      {.loops = loops, .pin = false});
}

TEST(cancel_stress, is_thrown_once_to_the_awaiter_of_a_task_that_ends) {
  KIT_USES_THREADS();
  for (const int loops : {1, 2, 4}) {
    SCOPED_TRACE(loops);
    cancel_the_awaiter_of_a_task_that_ends(loops);
  }
}

TEST(cancel_stress, of_a_timeout_is_not_left_behind) {
  for (const int loops : {1, 2, 4}) {
    SCOPED_TRACE(loops);
    timeouts_of_tasks_that_end(loops);
  }
}

}  // namespace
