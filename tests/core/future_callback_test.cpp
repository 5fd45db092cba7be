// What a done callback finds: its future, whoever was woken before it and whatever they did.
#include <atomic>
#include <coil/detail/future_state.hpp>
#include <coil/future.hpp>
#include <coil/loop.hpp>
#include <coil/task.hpp>
#include <kit/loops.hpp>
#include <memory>
#include <thread>
#include <unordered_set>
#include <utility>

using namespace coil;
using namespace std::chrono_literals;

namespace {

struct Probe {
  explicit Probe(int& n) : alive(&n) { ++*alive; }
  Probe(const Probe& other) : alive(other.alive) { ++*alive; }
  Probe& operator=(const Probe&) = delete;
  ~Probe() { --*alive; }
  int* alive;
};

// A waiter that lets the last handle go when it is woken.
struct Dropper : detail::FutureWaiter {
  explicit Dropper(Future<Probe> f) : future(std::move(f)) {
    wake = [](detail::FutureWaiter& waiter) noexcept {
      static_cast<Dropper&>(waiter).future = Future<Probe>();
    };
  }
  Future<Probe> future;
};

TEST(done_callbacks, find_their_future_though_a_waiter_before_them_dropped_the_last_handle) {
  int alive = 0;
  int seen = -1;
  {
    auto* state = new detail::FutureState<Probe>;
    Future<Probe> future(detail::FutureRef(state, detail::AdoptRef{}), state);
    Dropper dropper(future);
    ASSERT_TRUE(state->completion().add(dropper));
    future.add_done_callback([&](const Future<Probe>& f) {
      EXPECT_TRUE(f.done());
      seen = alive;
    });
    future = Future<Probe>();
    EXPECT_TRUE(state->try_set_value(alive));
  }
  EXPECT_EQ(seen, 1) << "the callback came when the future had gone";
  EXPECT_EQ(alive, 0);
}

TEST(done_callbacks, find_their_future_when_a_task_on_another_loop_destroys_the_promise) {
  KIT_USES_THREADS();
  const kit::Watchdog watchdog;
  int called = 0;
  constexpr int rounds = 200;
  run(
      [&]() -> Coro<> {
        for (int i = 0; i < rounds; ++i) {
          std::atomic<Promise<int>*> promise{nullptr};
          auto waiter = create_task([&]() -> Coro<> {
            auto own = std::make_unique<Promise<int>>();
            auto future = own->get_future();
            promise = own.get();
            co_await std::move(future);
            own.reset();
          });
          co_await kit::until([&] { return promise.load() != nullptr; });
          Promise<int>* raw = promise;
          for (int k = 0; k < 8; ++k)
            raw->get_future().add_done_callback([&](const Future<int>& f) {
              EXPECT_EQ(f.result(), 1);
              ++called;
            });
          std::thread thread([raw] { raw->set_result(1); });
          co_await waiter;
          thread.join();
        }
      }(),
      {.loops = 3});
  EXPECT_GT(called, 0);
}

TEST(done_callbacks, hear_of_a_dropped_promise_of_which_there_is_no_future) {
  bool broken = false;
  {
    const Promise<int> promise;
    promise.get_future().add_done_callback([&](const Future<int>& future) {
      EXPECT_THROW((void)future.result(), BrokenPromise);
      broken = true;
    });
  }
  EXPECT_TRUE(broken);
}

TEST(future, hashes_when_it_is_empty) {
  std::unordered_set<Future<int>> futures;
  futures.insert(Future<int>());
  futures.insert(create_future<int>());
  EXPECT_EQ(futures.size(), 2U);
  EXPECT_TRUE(futures.contains(Future<int>()));
}

TEST(future, wait_for_takes_every_time_limit) {
  KIT_USES_THREADS();
  auto future = create_future<int>();
  EXPECT_FALSE(future.wait_for(0s));
  EXPECT_FALSE(future.wait_for(-1h));
  EXPECT_FALSE(future.wait_for(0.001s));
  EXPECT_FALSE(future.wait_for(std::optional<std::chrono::milliseconds>(1)));
  std::thread thread([future] { future.set_result(1); });
  EXPECT_TRUE(future.wait_for(std::nullopt));
  EXPECT_TRUE(future.wait_for(std::optional<std::chrono::hours>()));
  EXPECT_TRUE(future.wait_for(std::chrono::hours::max()));
  thread.join();
}

}  // namespace
