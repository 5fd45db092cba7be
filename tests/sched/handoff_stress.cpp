// No lost wake-up: batons handed between loops, foreign threads and rings, with random pauses, so
// that loops are caught asleep, awake and on their way between the two. COIL_STRESS=N sets the
// number of hand-offs (default 1,000,000).
//
// What must hold: every hand-off arrives. A watchdog ends the program if none does for a second.
#include <gtest/gtest.h>

#include <atomic>
#include <coil/detail/operation_awaiter.hpp>
#include <coil/future.hpp>
#include <coil/run.hpp>
#include <coil/sleep.hpp>
#include <coil/task_group.hpp>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <kit/needs_kernel.hpp>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

using namespace coil;
using namespace std::chrono_literals;

namespace {

enum class Way { Loop, Pinned, Anywhere, Thread, Ring, Timer, Count };
constexpr const char* way_names[] = {"a loop's inbox",   "a pinned task", "a task for any loop",
                                     "a foreign thread", "a ring",        "a timer"};

// A thread that is no loop: completes futures that it is given.
class Foreigner {
 public:
  Foreigner() : thread_([this] { serve(); }) {}
  ~Foreigner() {
    give(Future<>());
    thread_.join();
  }
  Foreigner(const Foreigner&) = delete;
  Foreigner& operator=(const Foreigner&) = delete;

  void give(Future<> baton) {
    const std::lock_guard lock(mutex_);
    batons_.push_back(std::move(baton));
    arrived_.notify_one();
  }

 private:
  void serve() {
    std::mt19937 random(11);
    for (;;) {
      std::unique_lock lock(mutex_);
      arrived_.wait(lock, [&] { return !batons_.empty(); });
      const Future<> baton = std::move(batons_.front());
      batons_.pop_front();
      lock.unlock();
      if (!baton) return;
      if (random() % 16 == 0) std::this_thread::sleep_for(std::chrono::microseconds(random() % 80));
      baton.set_result();
    }
  }

  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<Future<>> batons_;
  std::thread thread_;
};

constexpr detail::LeafKind nop_leaf{.name = "nop",
                                    .cancel = &detail::OperationAwaiter::cancel_leaf};
struct Nop : detail::OperationAwaiter {
  Nop() : OperationAwaiter(nop_leaf) { code = detail::OpCode::Nop; }
};

Coro<> nothing() { co_return; }

struct Baton {
  std::atomic<int> at{-1};  // the way it is on
};

struct Course {
  std::vector<Loop*> loops;
  std::vector<Foreigner> foreigners{2};
  std::atomic<long> left{0};
  std::atomic<long> done{0};
  std::vector<Baton> batons;
};

Coro<> hand_over(Course& course, Way way, std::mt19937& random) {
  Loop& loop = *course.loops[random() % course.loops.size()];
  switch (way) {
    case Way::Loop: {
      auto arrived = create_future<>();
      loop.call_soon_threadsafe([arrived] { arrived.set_result(); });
      co_await arrived;
      break;
    }
    case Way::Pinned:
      co_await loop.create_task(nothing());
      break;
    case Way::Anywhere:
      co_await create_task(nothing());
      break;
    case Way::Thread: {
      auto arrived = create_future<>();
      course.foreigners[random() % course.foreigners.size()].give(arrived);
      co_await arrived;
      break;
    }
    case Way::Ring: {
      Nop nop;
      EXPECT_EQ(co_await nop, 0);
      break;
    }
    default:
      co_await sleep(std::chrono::nanoseconds(random() % 50'000));
      break;
  }
}

Coro<> carry(Course& course, std::size_t number) {
  std::mt19937 random(static_cast<unsigned>(number));
  Baton& baton = course.batons[number];
  while (course.left.fetch_sub(2) > 0) {
    // Timers are pauses, in which loops fall asleep: few where many batons keep them awake.
    const auto draw = random() % (course.batons.size() > 4 ? 100 : 10);
    const Way way = draw == 0 ? Way::Timer : static_cast<Way>(draw % 5);
    baton.at.store(static_cast<int>(way));
    co_await hand_over(course, way, random);
    course.done.fetch_add(2);  // there and back
  }
  baton.at.store(-1);
}

// Ends the program when nothing arrives for a second, and says where every baton is.
class StallWatch {
 public:
  explicit StallWatch(Course& course) : thread_([this, &course] { watch(course); }) {}
  ~StallWatch() {
    stop_ = true;
    thread_.join();
  }
  StallWatch(const StallWatch&) = delete;
  StallWatch& operator=(const StallWatch&) = delete;

 private:
  void watch(Course& course) {
    long seen = -1;
    auto moved = Clock::now();
    while (!stop_) {
      std::this_thread::sleep_for(20ms);
      const long done = course.done.load();
      if (done != seen) {
        seen = done;
        moved = Clock::now();
      } else if (Clock::now() - moved > limit) {
        std::fprintf(stderr, "no hand-off for a second, after %ld\n", done);
        for (std::size_t i = 0; i < course.batons.size(); ++i)
          if (const int at = course.batons[i].at; at >= 0)
            std::fprintf(stderr, "  baton %zu is on its way through %s\n", i, way_names[at]);
        std::abort();
      }
    }
  }

#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
  static constexpr auto limit = 10s;
#else
  static constexpr auto limit = 1s;
#endif
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

long hand_offs() {
  const char* text = std::getenv("COIL_STRESS");
  return text != nullptr ? std::atol(text) : 1'000'000;
}

void run_course(int loops, std::size_t batons, long count) {
  Runner runner({.loops = loops});
  Course course;
  course.batons = std::vector<Baton>(batons);
  course.loops.assign(runner.loops().begin(), runner.loops().end());
  course.left = count;
  const StallWatch watch(course);
  runner.run([&]() -> Coro<> {
    co_await with_task_group([&](TaskGroup& group) -> Coro<> {
      for (std::size_t i = 0; i < course.batons.size(); ++i) group.create_task(carry(course, i));
      co_return;
    });
  });
  EXPECT_GE(course.done.load(), count - 1);
}

TEST(handoff_stress, loses_nothing_on_two_loops) {
  KIT_NEEDS_KERNEL("rings and threads");
  run_course(2, 24, hand_offs() / 2);
}

TEST(handoff_stress, loses_nothing_on_more_loops_than_processors) {
  KIT_NEEDS_KERNEL("rings and threads");
  run_course(6, 24, hand_offs() / 5);
}

TEST(handoff_stress, loses_nothing_on_one_loop) {
  KIT_NEEDS_KERNEL("rings and threads");
  run_course(1, 24, hand_offs() / 10);
}

// Nearly everybody sleeps: a wake-up that is lost is not made good by the next one.
TEST(handoff_stress, loses_nothing_when_a_single_baton_goes_round) {
  KIT_NEEDS_KERNEL("rings and threads");
  for (const int loops : {1, 2, 4, 8}) run_course(loops, 1, hand_offs() / 40);
}

TEST(handoff_stress, loses_nothing_when_two_batons_go_round) {
  KIT_NEEDS_KERNEL("rings and threads");
  for (const int loops : {2, 3, 6, 8}) run_course(loops, 2, hand_offs() / 40);
}

}  // namespace
