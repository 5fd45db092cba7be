// Locks, semaphores, limiters, events, conditions and barriers under random use: a crowd of tasks
// on 1 to 8 loops, each of which is cancelled again and again, by its scope, by a timeout, by the
// others, wherever it is.
//
// What must hold: nobody is inside who should not be; no permit and no wake-up is lost, which
// would show as a hang; in the end all is as it was at first.
//
// COIL_STRESS=N sets the number of steps on 8 loops (a tenth of it on 1 and on 2). The same crowds,
// smaller, run simulated, once per seed: COIL_SEEDS=N sets the number of seeds, and COIL_SIM_SEED=S
// runs the seed S alone, to see again what a failure has named.
#include <atomic>
#include <coil/barrier.hpp>
#include <coil/cancel_scope.hpp>
#include <coil/capacity_limiter.hpp>
#include <coil/condition.hpp>
#include <coil/event.hpp>
#include <coil/future.hpp>
#include <coil/lock.hpp>
#include <coil/loop.hpp>
#include <coil/semaphore.hpp>
#include <coil/sleep.hpp>
#include <coil/task.hpp>
#include <coil/timeout.hpp>
#include <coil/would_block.hpp>
#include <cstdlib>
#include <kit/environment.hpp>
#include <kit/loops.hpp>
#include <optional>
#include <random>
#include <string>
#include <vector>

using namespace coil;
using namespace std::chrono_literals;

namespace {

using Random = std::minstd_rand;
int draw(Random& random, int below) {
  return static_cast<int>(random() / 16 % static_cast<unsigned>(below));
}

// A scene has workers(), step(worker, random), which may be cancelled wherever it suspends,
// finished(worker), maybe know(tasks) and settled(), and check_end().

// Some count to `steps`, all together.
class Counted {
 public:
  explicit Counted(long steps) : left_(steps) {}
  [[nodiscard]] bool finished(int /*worker*/) const { return left_ <= 0; }

 protected:
  void count() { --left_; }

 private:
  std::atomic<long> left_;
};

// Inside for a while, maybe for some turns, maybe until cancelled.
Coro<> stay(Random& random) {
  if (draw(random, 4) == 0) co_await kit::yield(draw(random, 3));
  if (draw(random, 500) == 0) co_await sleep(std::chrono::microseconds(draw(random, 20)));
}

class LockScene : public Counted {
 public:
  using Counted::Counted;
  static constexpr int workers() { return 12; }

  Coro<> step(int /*worker*/, Random& random) {
    Lock::Guard guard;
    switch (draw(random, 4)) {
      case 0:
        co_await lock_.acquire();
        guard = Lock::Guard(lock_);
        break;
      case 1:
        if (!try_acquire()) {
          co_await kit::yield();
          co_return;
        }
        guard = Lock::Guard(lock_);
        break;
      default:
        guard = co_await lock_.scoped();
    }
    EXPECT_TRUE(lock_.locked());
    struct Inside {
      explicit Inside(int& n) : count(n) { EXPECT_EQ(++count, 1); }
      ~Inside() { --count; }
      int& count;
    };
    const Inside inside(inside_);
    co_await stay(random);
    count();
  }
  void check_end() {
    EXPECT_EQ(inside_, 0);
    EXPECT_FALSE(lock_.locked());
    lock_.acquire_nowait();
    lock_.release();
  }

 private:
  [[nodiscard]] bool try_acquire() {
    try {
      lock_.acquire_nowait();
    } catch (const WouldBlock&) {
      return false;
    }
    return true;
  }

  Lock lock_;
  int inside_ = 0;  // the lock orders the accesses
};

// How many are inside, at most.
class Room {
 public:
  explicit Room(std::atomic<int>& inside, int limit) : inside_(inside) {
    EXPECT_LT(inside_.fetch_add(1), limit);
  }
  ~Room() { --inside_; }
  Room(const Room&) = delete;
  Room& operator=(const Room&) = delete;

 private:
  std::atomic<int>& inside_;
};

class SemaphoreScene : public Counted {
 public:
  using Counted::Counted;
  static constexpr int workers() { return 12; }

  Coro<> step(int /*worker*/, Random& random) {
    Semaphore::Guard guard = co_await semaphore_.scoped();
    {
      const Room room(inside_, permits);
      co_await stay(random);
    }
    count();
    // A permit may come back from elsewhere.
    if (draw(random, 8) != 0) co_return;
    ++on_the_way_;
    get_running_loop().call_soon([this, mine = std::move(guard)]() mutable {
      mine.release();
      --on_the_way_;
    });
  }
  [[nodiscard]] bool settled() const { return on_the_way_ == 0; }
  void check_end() { EXPECT_EQ(semaphore_.value(), permits); }

 private:
  static constexpr int permits = 3;
  BoundedSemaphore semaphore_{permits};
  std::atomic<int> on_the_way_{0};
  std::atomic<int> inside_{0};
};

class LimiterScene : public Counted {
 public:
  using Counted::Counted;
  static constexpr int workers() { return 12; }

  Coro<> step(int /*worker*/, Random& random) {
    if (draw(random, 20) == 0) limiter_.set_total_tokens(1 + draw(random, most));
    const auto guard = co_await limiter_.scoped();
    const Room room(inside_, most);
    EXPECT_THROW(limiter_.acquire_nowait(), std::runtime_error);
    co_await stay(random);
    count();
  }
  void check_end() {
    EXPECT_EQ(limiter_.borrowed_tokens(), 0);
    EXPECT_EQ(limiter_.available_tokens(), limiter_.total_tokens());
  }

 private:
  static constexpr int most = 4;
  CapacityLimiter limiter_{2};
  std::atomic<int> inside_{0};
};

// Some hand a token round in a ring, each by setting the next one's event. The others wait for
// these events too, without taking part.
class EventScene {
 public:
  explicit EventScene(long steps) : left_(steps) { events_[0].set(); }
  static constexpr int workers() { return 12; }
  [[nodiscard]] bool finished(int /*worker*/) const { return over_; }

  Coro<> step(int worker, Random& random) {
    if (worker >= ring) {
      co_await events_[static_cast<std::size_t>(draw(random, ring))].wait();
      if (draw(random, 3) == 0) co_await kit::yield();
      co_return;
    }
    auto& mine = events_[static_cast<std::size_t>(worker)];
    co_await mine.wait();
    if (over_) co_return;
    mine.clear();
    EXPECT_EQ(holders_.fetch_add(1), 0) << "there is one token";
    --holders_;
    if (--left_ > 0) {
      events_[static_cast<std::size_t>((worker + 1) % ring)].set();
      co_return;
    }
    over_ = true;
    for (auto& event : events_) event.set();
  }
  void check_end() {
    for (const auto& event : events_) EXPECT_TRUE(event.is_set());
  }

 private:
  static constexpr int ring = 4;
  Event events_[ring];
  std::atomic<int> holders_{0};
  long left_;  // who has the token changes it
  std::atomic<bool> over_{false};
};

// Producers and consumers of a buffer for one, each of whom tells one other, and then, with the
// lock still held, cancels somebody: maybe the one it has told. A notification that was lost with
// him leaves all of them waiting, if he does not come back for the same: most choose their role
// anew.
class ConditionScene {
 public:
  explicit ConditionScene(long steps) : target_(steps) {}
  static constexpr int workers() { return 6; }
  [[nodiscard]] bool finished(int /*worker*/) const { return finished_; }
  void know(const std::vector<Task<>>& crowd) { crowd_ = &crowd; }

  Coro<> step(int worker, Random& random) {
    const bool producer = worker == 0 || (worker != 1 && draw(random, 2) == 0);
    const auto guard = co_await lock_.scoped();
    if (draw(random, 20) == 0) co_await kit::yield();
    long& done = producer ? produced_ : consumed_;
    Condition& mine = producer ? not_full_ : not_empty_;
    Condition& theirs = producer ? not_empty_ : not_full_;
    co_await mine.wait_for([&] { return done == target_ || full_ != producer; });
    EXPECT_TRUE(lock_.locked());
    EXPECT_EQ(holders_.fetch_add(1), 0) << "one holds the lock";
    --holders_;
    if (done == target_) co_return;
    full_ = producer;
    theirs.notify();
    if (++done == target_) {
      mine.notify_all();
      finished_ = consumed_ == target_;
    }
    if (draw(random, 4) != 0) co_return;
    (*crowd_)[static_cast<std::size_t>(draw(random, workers()))].cancel();
    co_await kit::yield(draw(random, 3));
  }
  void check_end() {
    EXPECT_EQ(produced_, target_);
    EXPECT_EQ(consumed_, target_);
    EXPECT_FALSE(full_);
    EXPECT_FALSE(lock_.locked());
  }

 private:
  const long target_;
  const std::vector<Task<>>* crowd_ = nullptr;
  Lock lock_;
  Condition not_full_{lock_};
  Condition not_empty_{lock_};
  std::atomic<int> holders_{0};
  std::atomic<bool> finished_{false};
  // The lock orders the accesses.
  bool full_ = false;
  long produced_ = 0;
  long consumed_ = 0;
};

// As many workers as parties, so that all go through the same rounds, however often the barrier is
// left or broken meanwhile.
class BarrierScene {
 public:
  explicit BarrierScene(long steps) : rounds_(1 + steps / parties) {}
  static constexpr int workers() { return parties; }
  [[nodiscard]] bool finished(int worker) const { return at(worker).passed == rounds_; }

  Coro<> step(int worker, Random& random) {
    if (draw(random, 100) == 0) {
      barrier_.abort();
      barrier_.reset();
    }
    auto& me = at(worker);
    me.arrived = me.passed + 1;
    int place = 0;
    try {
      place = co_await barrier_.wait();
    } catch (const BrokenBarrierError&) {
      co_return;
    }
    const long round = ++me.passed;
    for (const auto& other : workers_) EXPECT_GE(other.arrived, round) << "somebody was missing";
    EXPECT_NE(places_[static_cast<std::size_t>(place)].exchange(round), round) << "given twice";
    if (draw(random, 4) == 0) co_await kit::yield();
  }
  void check_end() {
    for (const auto& worker : workers_) EXPECT_EQ(worker.passed, rounds_);
    EXPECT_EQ(barrier_.n_waiting(), 0);
    EXPECT_FALSE(barrier_.broken());
  }

 private:
  static constexpr int parties = 6;
  struct Worker {
    std::atomic<long> arrived{0};
    long passed = 0;
  };
  [[nodiscard]] Worker& at(int worker) { return workers_[static_cast<std::size_t>(worker)]; }
  [[nodiscard]] const Worker& at(int worker) const {
    return workers_[static_cast<std::size_t>(worker)];
  }

  const long rounds_;
  Barrier barrier_{parties};
  Worker workers_[parties];
  std::atomic<long> places_[parties] = {};
};

// One step, which may be cut short.
template <class Scene>
Coro<> attempt(Scene& scene, int worker, Random& random) {
  const auto soon = std::chrono::microseconds(draw(random, 30));
  switch (draw(random, 24)) {
    case 0:
      co_await move_on_after(soon, [&]() -> Coro<> { co_await scene.step(worker, random); });
      break;
    case 1:
      try {
        co_await timeout(soon, [&]() -> Coro<> { co_await scene.step(worker, random); });
      } catch (const TimeoutError&) {
      }
      break;
    case 2:
      co_await with_cancel_scope([&](CancelScope& scope) -> Coro<> {
        scope.cancel();
        co_await scene.step(worker, random);
      });
      break;
    default:
      co_await scene.step(worker, random);
  }
}

template <class Scene>
Coro<> work(Scene& scene, int worker, const std::vector<Task<>>& others, std::atomic<int>& ready,
            Future<> start, unsigned seed) {
  ++ready;
  co_await start;
  Random random(seed);
  while (!scene.finished(worker)) {
    try {
      co_await attempt(scene, worker, random);
      if (draw(random, 16) == 0)
        others[static_cast<std::size_t>(draw(random, Scene::workers()))].cancel();
      // One who never has to wait gives way now and then.
      if (draw(random, 64) == 0) co_await checkpoint();
    } catch (const CancelledError&) {
      while (current_task().uncancel() > 0) {
      }
    }
  }
  // One that has just cancelled itself would end cancelled.
  while (current_task().uncancel() > 0) {
  }
}

template <class Scene>
void play(const RunOptions& options, long steps, unsigned seed) {
  Scene scene(steps);
  coil::run(
      [](Scene& s, unsigned first_seed) -> Coro<> {
        std::vector<Task<>> tasks;
        tasks.reserve(Scene::workers());
        std::atomic<int> ready{0};  // nobody is cancelled before it has begun
        auto start = create_future<>();
        if constexpr (requires { s.know(tasks); }) s.know(tasks);
        for (int worker = 0; worker < Scene::workers(); ++worker)
          tasks.push_back(create_task(work(s, worker, tasks, ready, start,
                                           first_seed * 1000 + static_cast<unsigned>(worker))));
        co_await kit::until([&] { return ready == Scene::workers(); });
        start.set_result();
        for (auto& task : tasks) co_await task;
        if constexpr (requires { s.settled(); }) co_await kit::until([&] { return s.settled(); });
        s.check_end();
      }(scene, seed),
      options);
}

long number(const char* name, long otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::atol(text) : otherwise;
}

template <class Scene>
class sync_random_stress : public testing::Test {};
using Scenes = testing::Types<LockScene, SemaphoreScene, LimiterScene, EventScene, ConditionScene,
                              BarrierScene>;
struct Names {
  template <class Scene>
  static std::string GetName(int /*index*/) {
    if (std::is_same_v<Scene, LockScene>) return "lock";
    if (std::is_same_v<Scene, SemaphoreScene>) return "semaphore";
    if (std::is_same_v<Scene, LimiterScene>) return "capacity_limiter";
    if (std::is_same_v<Scene, EventScene>) return "event";
    if (std::is_same_v<Scene, ConditionScene>) return "condition";
    return "barrier";
  }
};
TYPED_TEST_SUITE(sync_random_stress, Scenes, Names);

TYPED_TEST(sync_random_stress, loses_nothing_on_any_number_of_loops) {
  if (kit::simulated()) GTEST_SKIP() << "the test below is for that";
  const long steps = number("COIL_STRESS", 20'000);
  for (const int loops : {1, 2, 8}) {
    SCOPED_TRACE(loops);
    const kit::Watchdog watchdog(std::chrono::seconds(120 + steps / 10'000));
    play<TypeParam>({.loops = loops}, loops == 8 ? steps : steps / 10, 1);
    if (this->HasFailure()) return;
  }
}

TYPED_TEST(sync_random_stress, loses_nothing_whatever_the_seed) {
  const char* wanted = std::getenv("COIL_SIM_SEED");
  const long first = wanted != nullptr ? std::atol(wanted) : 1;
  const long last = wanted != nullptr ? first : number("COIL_SEEDS", 100);
  for (long seed = first; seed <= last; ++seed) {
    SCOPED_TRACE("COIL_SIM_SEED=" + std::to_string(seed));
    const kit::EnvironmentVariable seeded("COIL_SIM_SEED", std::to_string(seed).c_str());
    const kit::Watchdog watchdog;
    try {
      play<TypeParam>({.loops = static_cast<int>(1 + seed % 8), .backend = Backend::sim}, 200,
                      static_cast<unsigned>(seed));
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what();
    }
    if (this->HasFailure()) return;
  }
}

}  // namespace
