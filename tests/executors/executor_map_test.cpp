// Executor::map: in order, in chunks, with a limit, and what becomes of the rest.
#include <gtest/gtest.h>

#include <atomic>
#include <coil/coil.hpp>
#include <kit/loops.hpp>
#include <kit/reports.hpp>
#include <kit/thrown.hpp>
#include <memory>
#include <ranges>
#include <stdexcept>
#include <string>
#include <vector>

#include "executor_kit.hpp"

using namespace coil;
using namespace std::chrono_literals;
using kit::Holding;
using kit::on_loops;
using kit::OwnError;

namespace {

int doubled(int n) { return 2 * n; }

template <class T>
Coro<std::vector<T>> all_of(AsyncGenerator<T> items) {
  std::vector<T> list;
  while (auto item = co_await items.next()) list.push_back(std::move(*item));
  co_return list;
}
std::vector<int> numbers(int count) {
  std::vector<int> list;
  for (int i = 0; i < count; ++i) list.push_back(i);
  return list;
}

TEST(executor_map, gives_the_results_in_the_order_of_the_elements) {
  on_loops([]() -> Coro<> {
    ThreadPoolExecutor pool{{.max_workers = 3}};
    for (const std::size_t chunksize : {1U, 7U, 1000U}) {
      const auto results =
          co_await all_of(pool.map(doubled, numbers(100), {.chunksize = chunksize}));
      EXPECT_EQ(results.size(), 100U);
      for (std::size_t i = 0; i < results.size(); ++i) EXPECT_EQ(results[i], 2 * int(i));
      EXPECT_EQ((co_await all_of(pool.map<&doubled>(numbers(10), {.chunksize = chunksize}))).at(9),
                18);
    }
    EXPECT_TRUE((co_await all_of(pool.map(doubled, std::vector<int>()))).empty());
    co_await pool.shutdown();
  });
}

TEST(executor_map, takes_any_range_and_any_result) {
  on_loops([]() -> Coro<> {
    ThreadPoolExecutor pool{{.max_workers = 2}};
    const auto odd = [](int n) { return n % 2 == 1; };
    EXPECT_EQ(co_await all_of(pool.map(odd, std::views::iota(0, 3), {.chunksize = 2})),
              (std::vector<bool>{false, true, false}));
    const std::vector<bool> bits{true, false};
    EXPECT_EQ(co_await all_of(pool.map([](bool b) { return !b; }, bits)),
              (std::vector<bool>{false, true}));
    const int plain[] = {1, 2};
    EXPECT_EQ(co_await all_of(pool.map(doubled, plain)), (std::vector<int>{2, 4}));
    std::atomic<int> sum = 0;
    const auto nothing = co_await all_of(pool.map([&sum](int n) { sum += n; }, numbers(5)));
    EXPECT_EQ(nothing.size(), 5U);
    EXPECT_EQ(sum, 10);
    std::vector<std::unique_ptr<int>> owned;
    for (int i = 0; i < 3; ++i) owned.push_back(std::make_unique<int>(i));
    const auto moved = co_await all_of(pool.map(
        [](std::unique_ptr<int> n) { return std::make_unique<int>(*n + 1); },
        std::ranges::subrange(std::move_iterator(owned.begin()), std::move_iterator(owned.end()))));
    EXPECT_EQ(*moved.at(2), 3);
    EXPECT_EQ(co_await all_of(pool.map([](const std::string& s) { return s.size(); },
                                       std::vector<std::string>{"a", "bb"}, {.chunksize = 2})),
              (std::vector<std::size_t>{1, 2}));
    co_await pool.shutdown();
  });
}

TEST(executor_map, refuses_empty_chunks) {
  on_loops([]() -> Coro<> {
    ThreadPoolExecutor pool{{.max_workers = 1}};
    EXPECT_THROW((void)pool.map(doubled, numbers(2), {.chunksize = 0}), std::invalid_argument);
    co_await pool.shutdown();
  });
}

TEST(executor_map, submits_everything_at_once_however_full_the_queue_is) {
  KIT_USES_THREADS();
  on_loops([]() -> Coro<> {
    ThreadPoolExecutor pool{{.max_workers = 4, .max_queue = 1}};
    std::latch all(4);
    auto items = pool.map([&all](int) { all.arrive_and_wait(); }, numbers(4));
    EXPECT_EQ((co_await all_of(std::move(items))).size(), 4U);
    EXPECT_EQ((co_await all_of(pool.map(doubled, numbers(50)))).size(), 50U);
    co_await pool.shutdown();
  });
}

TEST(executor_map, cancels_the_rest_when_an_element_fails) {
  KIT_USES_THREADS();
  on_loops([]() -> Coro<> {
    kit::Reports reports;
    ThreadPoolExecutor pool{{.max_workers = 1}};
    std::latch go(1);
    std::atomic<int> ran = 0;
    auto items = pool.map(
        [&](int n) {
          ++ran;
          if (n == 1) throw OwnError("second", 1);
          if (n == 2) go.wait();
          return n;
        },
        numbers(20));
    EXPECT_EQ(co_await items.next(), 0);
    EXPECT_EQ(co_await kit::thrown_by<OwnError>(items.next()), "second");
    EXPECT_FALSE((co_await items.next()).has_value());
    go.count_down();
    co_await pool.shutdown();
    EXPECT_LE(ran, 3) << "those that had not begun never do";
    EXPECT_TRUE(reports.empty()) << reports.text();
  });
}

TEST(executor_map, throws_when_its_time_is_over_and_cancels_the_rest) {
  KIT_USES_THREADS();
  on_loops([]() -> Coro<> {
    ThreadPoolExecutor pool{{.max_workers = 1}};
    Holding holding(pool, 1);
    co_await holding.held();
    std::atomic<int> ran = 0;
    const MapOptions options{.timeout = 2ms};
    auto items = pool.map([&ran](int) { ++ran; }, numbers(5), options);
    EXPECT_THROW(co_await items.next(), TimeoutError);
    holding.let_go();
    co_await pool.shutdown();
    EXPECT_EQ(ran, 0);
  });
}

TEST(executor_map, cancels_the_rest_when_its_generator_goes) {
  KIT_USES_THREADS();
  on_loops([]() -> Coro<> {
    ThreadPoolExecutor pool{{.max_workers = 1}};
    Holding holding(pool, 1);
    co_await holding.held();
    const auto held = std::make_shared<int>(0);
    {
      auto never_begun = pool.map([held](int) {}, numbers(5));
    }
    EXPECT_EQ(held.use_count(), 1);
    holding.let_go();

    std::latch go(1);
    std::atomic<int> ran = 0;
    auto items = pool.map(
        [&](int n) {
          ++ran;
          if (n == 1) go.wait();
        },
        numbers(20));
    EXPECT_TRUE((co_await items.next()).has_value());
    co_await items.aclose();
    go.count_down();
    co_await pool.shutdown();
    EXPECT_LE(ran, 2);
  });
}

}  // namespace
