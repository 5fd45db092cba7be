// Executors of one's own: what they are given, and what becomes of it.
#include <coil/executor.hpp>

#include <gtest/gtest.h>

#include <coil/coil.hpp>
#include <deque>
#include <kit/loops.hpp>
#include <kit/thrown.hpp>
#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

#include "executor_kit.hpp"

using namespace coil;
using namespace std::chrono_literals;
using kit::on_loops;

namespace {

int doubled(int n) { return 2 * n; }

// Calls whatever it gets when it is told to.
class Drawer final : public Executor {
 public:
  void call_all() {
    while (!works_.empty()) {
      Work work = std::move(works_.front());
      works_.pop_front();
      work();
    }
  }
  void drop_all() { works_.clear(); }
  bool refuses = false;
  int closed = 0;
  int patient = 0;

 private:
  void execute(Work& work) override {
    if (refuses) throw std::runtime_error("the drawer is full");
    patient += work.patient() ? 1 : 0;
    works_.push_back(std::move(work));
  }
  Future<void> close(ShutdownOptions options) override {
    ++closed;
    if (options.cancel_futures) drop_all();
    auto ended = create_future<>();
    ended.set_result();
    return ended;
  }

  std::deque<Work> works_;
};

static_assert(ExecutorLike<Executor> && ExecutorLike<Drawer> && ExecutorLike<ThreadPoolExecutor> &&
              ExecutorLike<ArenaExecutor>);
static_assert(!ExecutorLike<std::vector<int>>);

TEST(executor, of_ones_own_is_given_works_to_call) {
  Drawer drawer;
  Executor& any = drawer;
  auto first = any.submit(doubled, 2);
  auto second = any.submit<&doubled>(3);
  EXPECT_FALSE(first.done());
  drawer.call_all();
  EXPECT_EQ(first.get(), 4);
  EXPECT_EQ(second.get(), 6);
  EXPECT_EQ(drawer.patient, 0);
  any.shutdown().get();
  EXPECT_EQ(drawer.closed, 1);
}

TEST(executor, throws_what_the_executor_refuses_with) {
  Drawer drawer;
  drawer.refuses = true;
  const auto held = std::make_shared<int>(0);
  EXPECT_THROW(drawer.submit([held] {}), std::runtime_error);
  EXPECT_EQ(held.use_count(), 1);
}

TEST(executor, work_that_is_dropped_uncalled_cancels_its_future) {
  Drawer drawer;
  const auto held = std::make_shared<int>(0);
  auto future = drawer.submit([held] {});
  drawer.drop_all();
  EXPECT_TRUE(future.cancelled());
  EXPECT_EQ(held.use_count(), 1);
}

TEST(executor, work_whose_future_was_cancelled_does_nothing) {
  Drawer drawer;
  const auto held = std::make_shared<int>(0);
  bool ran = false;
  auto future = drawer.submit([held, &ran] { ran = true; });
  EXPECT_TRUE(future.cancel());
  EXPECT_EQ(held.use_count(), 1) << "at once";
  drawer.call_all();
  EXPECT_FALSE(ran);
}

TEST(executor, work_may_be_moved_and_taken_apart) {
  struct Last final : Executor {
    void execute(Work& work) override {
      Work moved = std::move(work);
      EXPECT_FALSE(work);
      EXPECT_TRUE(moved);
      last = std::move(moved).take();
    }
    Future<void> close(ShutdownOptions /*options*/) override { return create_future<>(); }
    detail::CallRef last;
  } executor;
  auto future = executor.submit(doubled, 2);
  executor.last->run();
  executor.last->run();  // once
  EXPECT_EQ(future.get(), 4);
}

TEST(executor, works_for_those_who_await_it_are_patient) {
  KIT_USES_THREADS();
  on_loops([]() -> Coro<> {
    Drawer drawer;
    auto future = run_in_executor(&drawer, doubled, 2);
    EXPECT_EQ(drawer.patient, 1);
    std::thread([&drawer] { drawer.call_all(); }).join();
    EXPECT_EQ(co_await future, 4);
  });
}

TEST(executor, map_works_with_it) {
  KIT_USES_THREADS();
  on_loops([]() -> Coro<> {
    Drawer drawer;
    auto items = drawer.map(doubled, std::vector{1, 2, 3}, {.chunksize = 2});
    drawer.call_all();
    int sum = 0;
    while (auto item = co_await items.next()) sum += *item;
    EXPECT_EQ(sum, 12);
  });
}

TEST(executor, under_simulation_calls_on_the_loops_thread_in_order) {
  const kit::Watchdog watchdog;
  run(
      []() -> Coro<> {
        ThreadPoolExecutor pool{{.max_workers = 4}};
        ArenaExecutor arena;
        Drawer drawer;  // is given nothing
        std::vector<int> order;
        const auto here = std::this_thread::get_id();
        for (Executor* executor : std::initializer_list<Executor*>{&pool, &arena, &drawer}) {
          std::vector<Future<>> calls;
          order.clear();
          for (int i = 0; i < 5; ++i) {
            calls.push_back(executor->submit([&order, i, here] {
              EXPECT_EQ(std::this_thread::get_id(), here);
              EXPECT_EQ(get_running_loop_or_null(), nullptr);
              order.push_back(i);
            }));
          }
          EXPECT_TRUE(calls[1].cancel());
          EXPECT_TRUE(order.empty()) << "soon, and not at once";
          auto ended = executor->shutdown();
          EXPECT_THROW(executor->submit([] {}), std::runtime_error);
          co_await ended;
          EXPECT_EQ(order, (std::vector<int>{0, 2, 3, 4}));
        }
        ThreadPoolExecutor other;
        auto cancelled = other.submit(doubled, 1);
        co_await other.shutdown({.cancel_futures = true});
        EXPECT_TRUE(cancelled.cancelled());
      },
      {.loops = 2, .backend = Backend::sim});
}

}  // namespace
