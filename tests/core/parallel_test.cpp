// fork_each, parallel_for, parallel_reduce.
#include <algorithm>
#include <atomic>
#include <coil/cancel_scope.hpp>
#include <coil/context.hpp>
#include <coil/event.hpp>
#include <coil/loop.hpp>
#include <coil/parallel.hpp>
#include <coil/task.hpp>
#include <cstdint>
#include <kit/loops.hpp>
#include <kit/thrown.hpp>
#include <limits>
#include <list>
#include <memory>
#include <string>
#include <vector>

using namespace coil;
using kit::on_loops;
using kit::thrown_by;
using namespace std::chrono_literals;

namespace {

TEST(fork_each, gives_a_vector_in_the_order_of_the_range) {
  on_loops([]() -> Coro<> {
    std::vector<int> numbers(1000);
    for (int i = 0; i < 1000; ++i) numbers[static_cast<std::size_t>(i)] = i;
    const auto squares = co_await fork_each(numbers, [](int n) -> Coro<long> {
      if (n % 7 == 0) co_await sleep(0ms);
      co_return long{n} * n;
    });
    static_assert(std::is_same_v<decltype(squares), const std::vector<long>>);
    EXPECT_EQ(squares.size(), 1000U);
    for (long i = 0; i < 1000; ++i) EXPECT_EQ(squares[static_cast<std::size_t>(i)], i * i);
  });
}

TEST(fork_each, takes_any_range_and_any_result) {
  on_loops([]() -> Coro<> {
    std::list<std::string> words{"a", "bb", "ccc"};
    const auto owned =
        co_await fork_each(words, [](std::string& word) -> Coro<std::unique_ptr<int>> {
          word += "!";
          co_return std::make_unique<int>(static_cast<int>(word.size()));
        });
    EXPECT_EQ(*owned.at(2), 4);
    EXPECT_EQ(words.back(), "ccc!");

    std::vector<std::unique_ptr<int>> given;
    for (int i = 0; i < 5; ++i) given.push_back(std::make_unique<int>(i));
    const auto sums = co_await fork_each(
        std::move(given), [](std::unique_ptr<int> n) -> Coro<int> { co_return *n + 1; });
    EXPECT_EQ(sums, (std::vector<int>{1, 2, 3, 4, 5}));

    const auto none = co_await fork_each(std::vector<int>(), [](int) -> Coro<> { co_return; });
    EXPECT_TRUE(none.empty());
  });
}

TEST(fork_each, lets_the_others_run_while_an_element_waits_for_them) {
  on_loops([]() -> Coro<> {
    for (const int count : {2, 3, 4, 5, 9, 40}) {
      std::vector<Event> events(static_cast<std::size_t>(count));
      std::vector<int> numbers;
      for (int i = 0; i < count; ++i) numbers.push_back(i);
      const auto order = co_await fork_each(numbers, [&](int i) -> Coro<int> {
        if (i + 1 < count) co_await events[static_cast<std::size_t>(i) + 1].wait();
        events[static_cast<std::size_t>(i)].set();
        co_return i;
      });
      EXPECT_EQ(order, numbers);
    }
  });
}

ContextVar<int> variable{"variable", 0};

TEST(fork_each, elements_and_steps_change_the_context_for_themselves) {
  on_loops([]() -> Coro<> {
    for (int i = 0; i < 2; ++i) {
      co_await fork_each(std::vector<int>{1, 2, 3, 4, 5, 6}, [i](int n) -> Coro<> {
        EXPECT_EQ(variable.get(), i);
        variable.set(n + 10);
        if (n % 2 == 0) co_await sleep(0ms);
        EXPECT_EQ(variable.get(), n + 10);
      });
      co_await parallel_for(0, 6, 1, [i](int n) {
        EXPECT_EQ(variable.get(), i);
        variable.set(n + 10);
      });
      EXPECT_EQ(variable.get(), i);
      variable.set(i + 1);
    }
  });
}

TEST(fork_each, throws_what_an_element_throws_once_all_have_ended) {
  on_loops([]() -> Coro<> {
    std::atomic<int> running{0};
    std::atomic<int> begun{0};
    const auto one = [&](int n) -> Coro<> {
      ++running;
      ++begun;
      co_await sleep(1ms);
      --running;
      if (n == 3) throw std::runtime_error("three");
    };
    const std::vector<int> numbers{1, 2, 3, 4, 5};
    EXPECT_EQ(co_await thrown_by<std::runtime_error>(fork_each(numbers, one)), "three");
    EXPECT_EQ(running, 0);
    EXPECT_EQ(begun, 5);
  });
}

TEST(parallel_for, calls_it_once_for_each_position) {
  on_loops([]() -> Coro<> {
    for (const int grain : {1, 3, 64, 100'000}) {
      std::vector<std::atomic<int>> calls(10'000);
      co_await parallel_for(0, 10'000, grain, [&](int i) { ++calls[static_cast<std::size_t>(i)]; });
      for (const auto& n : calls) EXPECT_EQ(n, 1);
    }
  });
}

TEST(parallel_for, gives_stretches_of_at_most_the_grain) {
  on_loops([]() -> Coro<> {
    std::atomic<long> sum{0};
    co_await parallel_for(10, 1'000, 16, [&](int begin, int end) {
      EXPECT_LE(end - begin, 16);
      EXPECT_LT(begin, end);
      for (int i = begin; i < end; ++i) sum += i;
    });
    EXPECT_EQ(sum, 999L * 1000 / 2 - 45);
  });
}

TEST(parallel_for, takes_any_integers_and_iterators) {
  on_loops([]() -> Coro<> {
    std::atomic<int> calls{0};
    const auto count = [&](auto) { ++calls; };
    co_await parallel_for(-5, 5, 2, count);
    co_await parallel_for(std::numeric_limits<std::int64_t>::max() - 3,
                          std::numeric_limits<std::int64_t>::max(), 1, count);
    co_await parallel_for(std::numeric_limits<int>::min(), std::numeric_limits<int>::min() + 4, 1,
                          count);
    co_await parallel_for(0, std::size_t{3}, 1, count);
    co_await parallel_for(5, -5, 1, count);  // empty
    co_await parallel_for(std::uint8_t{250}, std::uint8_t{255}, 2, count);
    EXPECT_EQ(calls, 10 + 3 + 4 + 3 + 5);
    std::vector<int> values(100, 1);
    co_await parallel_for(values.begin(), values.end(), 7, [](auto it) { *it += 1; });
    EXPECT_EQ(values, std::vector<int>(100, 2));
  });
}

TEST(parallel_for, awaits_what_the_function_gives) {
  on_loops([]() -> Coro<> {
    std::atomic<int> sum{0};
    co_await parallel_for(0, 20, 3, [&](int i) -> Coro<> {
      co_await sleep(0ms);
      sum += i;
    });
    co_await parallel_for(0, 20, 3, [&](int begin, int end) -> Coro<> {
      co_await sleep(0ms);
      sum += end - begin;
    });
    EXPECT_EQ(sum, 190 + 20);
  });
}

TEST(parallel_for, in_a_task_that_is_bound_to_its_loop_makes_no_tasks) {
  on_loops([]() -> Coro<> {
    auto pinned = create_task(
        []() -> Coro<> {
          const Loop* const home = &get_running_loop();
          std::size_t most = 0;
          co_await parallel_for(0, 1000, 1, [&](int) {
            EXPECT_EQ(&get_running_loop(), home);
            most = std::max(most, all_tasks().size());
          });
          EXPECT_LE(most, 2U);
        },
        {.affinity = Affinity::loop});
    co_await pinned;
  });
}

TEST(parallel_for, refuses_a_negative_bound_beside_an_unsigned_one) {
  on_loops([]() -> Coro<> {
    const auto nothing = [](auto) {};
    EXPECT_THROW((void)parallel_for(-5, 10U, 1, nothing), std::invalid_argument);
    EXPECT_THROW((void)parallel_reduce(
                     0U, -1, 1, 0, [](unsigned) { return 0; }, [](int, int) { return 0; }),
                 std::invalid_argument);
    co_return;
  });
}

TEST(parallel_for, refuses_a_grain_below_one) {
  on_loops([]() -> Coro<> {
    const auto nothing = [](int) {};
    EXPECT_THROW((void)parallel_for(0, 1, 0, nothing), std::invalid_argument);
    EXPECT_THROW((void)parallel_for(0, 1, -1, nothing), std::invalid_argument);
    co_return;
  });
}

TEST(parallel_for, notices_between_two_steps_that_it_was_cancelled) {
  KIT_USES_THREADS();
  on_loops([]() -> Coro<> {
    std::atomic<long> done{0};
    auto task = create_task([&]() -> Coro<> {
      TaskRef self = current_task();
      co_await parallel_for(0, 1'000'000'000, 1, [&, self](int i) mutable {
        if (i == 100) self.cancel("enough");
        ++done;
      });
    });
    EXPECT_EQ(co_await thrown_by<CancelledError>(task), "enough");
    EXPECT_LT(done, 1'000'000'000);
  });
}

TEST(parallel_reduce, combines_in_order) {
  on_loops([]() -> Coro<> {
    for (const int grain : {1, 4, 100}) {
      const auto text = co_await parallel_reduce(
          0, 26, grain, std::string(">"),
          [](int i) { return std::string(1, static_cast<char>('a' + i)); },
          [](std::string a, const std::string& b) { return std::move(a) + b; });
      EXPECT_EQ(text, ">abcdefghijklmnopqrstuvwxyz");
    }
    const long sum = co_await parallel_reduce(
        1L, 100'001L, 100, 0L, [](long i) { return i; }, [](long a, long b) { return a + b; });
    EXPECT_EQ(sum, 100'000L * 100'001 / 2);
    EXPECT_EQ(co_await parallel_reduce(
                  3, 3, 1, 42, [](int i) { return i; }, [](int a, int b) { return a + b; }),
              42);
  });
}

TEST(parallel_reduce, throws_what_the_function_throws) {
  on_loops([]() -> Coro<> {
    EXPECT_EQ(co_await thrown_by<std::runtime_error>(parallel_reduce(
                  0, 1000, 1, 0,
                  [](int i) {
                    if (i == 500) throw std::runtime_error("500");
                    return i;
                  },
                  [](int a, int b) { return a + b; })),
              "500");
  });
}

}  // namespace
