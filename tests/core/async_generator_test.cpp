// AsyncGenerator: items, ends, exceptions, cancels, and what becomes of one that is dropped.
#include <atomic>
#include <coil/async_generator.hpp>
#include <coil/cancel_scope.hpp>
#include <coil/context.hpp>
#include <coil/future.hpp>
#include <coil/gather.hpp>
#include <coil/loop.hpp>
#include <coil/runner.hpp>
#include <coil/task.hpp>
#include <coil/timeout.hpp>
#include <kit/loops.hpp>
#include <kit/reports.hpp>
#include <kit/thrown.hpp>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "async_generator_kit.hpp"

using namespace coil;
using kit::count_for_ever;
using kit::count_to;
using kit::Log;
using kit::on_loops;
using kit::on_one_loop;
using kit::thrown_by;
using namespace std::chrono_literals;

namespace {

TEST(async_generator, gives_its_items_and_then_nothing) {
  on_loops([]() -> Coro<> {
    auto generator = count_to(5);
    int sum = 0;
    while (auto item = co_await generator.next()) sum += *item;
    EXPECT_EQ(sum, 15);
    EXPECT_EQ(co_await generator.next(), std::nullopt);
    EXPECT_EQ(co_await generator.next(), std::nullopt);
  });
}

TEST(async_generator, does_nothing_until_next_is_awaited) {
  on_one_loop([]() -> Coro<> {
    bool ran = false;
    auto make = [&]() -> AsyncGenerator<int> {
      ran = true;
      co_yield 1;
    };
    {
      auto generator = make();
      auto next = generator.next();
      EXPECT_FALSE(ran);
      EXPECT_EQ(co_await next, 1);
      EXPECT_TRUE(ran);
    }
    ran = false;
    {
      const auto dropped = make();
    }
    auto closed = make();
    co_await closed.aclose();
    EXPECT_EQ(co_await closed.next(), std::nullopt);
    EXPECT_FALSE(ran);
  });
}

TEST(async_generator, yields_move_only_items_converted_ones_and_copies_of_variables) {
  on_loops([]() -> Coro<> {
    auto pointers = []() -> AsyncGenerator<std::unique_ptr<int>> {
      co_yield std::make_unique<int>(1);
      auto two = std::make_unique<int>(2);
      co_yield std::move(two);
      EXPECT_EQ(two, nullptr);
    }();
    EXPECT_EQ(**co_await pointers.next(), 1);
    EXPECT_EQ(**co_await pointers.next(), 2);
    EXPECT_FALSE(co_await pointers.next());
    auto texts = []() -> AsyncGenerator<std::string> {
      co_yield "literal";
      const std::string kept(40, 'k');
      co_yield kept;
      EXPECT_EQ(kept, std::string(40, 'k'));
      co_yield {"xyz", 2};
    }();
    EXPECT_EQ(co_await texts.next(), "literal");
    EXPECT_EQ(co_await texts.next(), std::string(40, 'k'));
    EXPECT_EQ(co_await texts.next(), "xy");
    EXPECT_EQ(co_await texts.next(), std::nullopt);
  });
}

TEST(async_generator, of_references_gives_pointers_to_what_was_yielded) {
  on_loops([]() -> Coro<> {
    std::vector<int> numbers{1, 2, 3};
    auto generator = [](std::vector<int>& all) -> AsyncGenerator<int&> {
      for (int& one : all) co_yield one;
    }(numbers);
    while (auto item = co_await generator.next()) *item *= 10;
    EXPECT_EQ(numbers, (std::vector<int>{10, 20, 30}));
    auto constant = [](const std::vector<int>& all) -> AsyncGenerator<const int&> {
      for (const int& one : all) co_yield one;
    }(numbers);
    EXPECT_EQ(co_await constant.next(), &numbers[0]);
  });
}

TEST(async_generator, throws_what_its_body_throws_once_and_has_ended_then) {
  on_loops([]() -> Coro<> {
    auto generator = []() -> AsyncGenerator<int> {
      co_yield 1;
      co_await kit::yield();
      throw std::logic_error("broken");
    }();
    EXPECT_EQ(co_await generator.next(), 1);
    EXPECT_EQ(co_await thrown_by<std::logic_error>(generator.next()), "broken");
    EXPECT_EQ(co_await generator.next(), std::nullopt);
    co_await generator.aclose();
  });
}

TEST(async_generator, refuses_a_next_while_another_is_under_way) {
  on_loops([]() -> Coro<> {
    auto gate = create_future<>();
    auto generator = [](Future<> wait) -> AsyncGenerator<int> {
      co_await wait;
      co_yield 1;
    }(gate);
    auto first = create_task(generator.next());
    co_await kit::until([&] { return TaskRef(first).get()->suspended(); });
    const auto busy = co_await thrown_by<std::runtime_error>(generator.next());
    EXPECT_NE(busy.find("asynchronous generator is already running"), std::string::npos) << busy;
    EXPECT_NE((co_await thrown_by<std::runtime_error>(generator.aclose())).find("aclose()"),
              std::string::npos);
    gate.set_result();
    EXPECT_EQ(co_await first, 1);
    EXPECT_EQ(co_await generator.next(), std::nullopt);
  });
}

TEST(async_generator, one_of_two_steps_at_the_same_moment_is_refused_or_they_follow_each_other) {
  on_loops([]() -> Coro<> {
    for (int round = 0; round < 200; ++round) {
      auto generator = count_to(2);
      auto results = co_await gather_results(generator.next(), generator.next());
      auto& [a, b] = results;
      EXPECT_TRUE(a.has_value() || b.has_value());
      if (a.has_value() && b.has_value()) {
        EXPECT_EQ(a.value().value() + b.value().value(), 3);
      }
      co_await generator.aclose();
    }
  });
}

TEST(async_generator, runs_in_the_task_that_awaits_it) {
  on_loops([]() -> Coro<> {
    ContextVar<int> var{"var", 0};
    auto generator = [](ContextVar<int>& v) -> AsyncGenerator<std::string> {
      for (;;) {
        co_await kit::yield();
        v.set(v.get() + 1);
        co_yield current_task().name() + " " + std::to_string(v.get());
      }
    }(var);
    const auto step = [&]() -> Coro<std::string> { co_return (co_await generator.next()).value(); };
    var.set(10);
    EXPECT_EQ(co_await create_task(step(), {.name = "one"}), "one 11");
    EXPECT_EQ(co_await create_task(step(), {.name = "two"}), "two 11");
    EXPECT_EQ(var.get(), 10);
    co_await generator.next();
    EXPECT_EQ(var.get(), 11) << "set in the consumer's context";
    co_await generator.aclose();
  });
}

TEST(async_generator, keeps_alive_what_a_task_awaits_of_it) {
  on_loops([]() -> Coro<> {
    auto task = create_task([]() -> Coro<int> { co_return 0; });
    Task<std::optional<int>> next;
    {
      auto generator = count_to(3);
      EXPECT_EQ(co_await generator.next(), 1);
      next = create_task(generator.next());
    }
    EXPECT_EQ(co_await next, 2);
    co_await task;
  });
}

TEST(async_generator, is_cancelled_where_it_awaits_and_its_consumer_sees_that) {
  on_loops([]() -> Coro<> {
    bool cleaned = false;
    auto generator = [](bool& clean) -> AsyncGenerator<int> {
      try {
        co_yield 1;
        co_await sleep_forever();
      } catch (const CancelledError&) {
        clean = true;
        throw;
      }
    }(cleaned);
    EXPECT_EQ(co_await generator.next(), 1);
    auto task = create_task([&]() -> Coro<> { (void)co_await generator.next(); });
    co_await kit::until([&] { return TaskRef(task).get()->suspended(); });
    task.cancel("stop");
    EXPECT_EQ(co_await thrown_by<CancelledError>(task), "stop");
    EXPECT_TRUE(cleaned);
    EXPECT_EQ(co_await generator.next(), std::nullopt) << "ended by the exception";
  });
}

TEST(async_generator, is_cut_short_by_a_timeout_and_by_a_scope) {
  on_loops([]() -> Coro<> {
    const auto endless = []() -> AsyncGenerator<int> {
      co_yield 1;
      co_await sleep_forever();
    };
    auto limited = endless();
    co_await limited.next();
    co_await thrown_by<TimeoutError>(wait_for(limited.next(), 1ms));
    EXPECT_EQ(co_await limited.next(), std::nullopt);
    auto scoped = endless();
    co_await scoped.next();
    const auto result = co_await move_on_after(
        1ms, [&]() -> Coro<std::optional<int>> { co_return co_await scoped.next(); });
    EXPECT_TRUE(result.cancelled_caught());
    EXPECT_EQ(co_await scoped.next(), std::nullopt);
  });
}

TEST(async_generator, may_swallow_a_cancel_and_go_on) {
  on_loops([]() -> Coro<> {
    auto generator = []() -> AsyncGenerator<int> {
      for (int i = 1;; ++i) {
        try {
          co_await sleep_forever();
        } catch (const CancelledError&) {
        }
        co_yield i;
      }
    }();
    for (int i = 1; i <= 3; ++i) {
      auto task = create_task(generator.next());
      co_await kit::until([&] { return TaskRef(task).get()->suspended(); });
      task.cancel();
      EXPECT_EQ(co_await task, i);
    }
  });
}

TEST(async_generator, aclose_throws_generator_exit_at_the_yield_and_waits_for_the_end) {
  on_loops([]() -> Coro<> {
    auto log = std::make_shared<Log>();
    auto generator = count_for_ever(log);
    co_await generator.next();
    co_await generator.next();
    co_await generator.aclose();
    EXPECT_TRUE(log->exit);
    EXPECT_TRUE(log->cleaned);
    EXPECT_TRUE(log->unwound);
    EXPECT_EQ(co_await generator.next(), std::nullopt);
    co_await generator.aclose();
  });
}

TEST(async_generator, aclose_lets_generator_exit_through_and_throws_other_exceptions) {
  on_loops([]() -> Coro<> {
    auto plain = count_to(3);
    co_await plain.next();
    co_await plain.aclose();
    auto failing = []() -> AsyncGenerator<int> {
      try {
        co_yield 1;
      } catch (const GeneratorExit&) {
        throw std::logic_error("while closing");
      }
    }();
    co_await failing.next();
    EXPECT_EQ(co_await thrown_by<std::logic_error>(failing.aclose()), "while closing");
    co_await failing.aclose();
  });
}

TEST(async_generator, that_yields_after_generator_exit_is_an_error) {
  on_loops([]() -> Coro<> {
    auto generator = []() -> AsyncGenerator<int> {
      for (;;) {
        try {
          co_yield 1;
        } catch (const GeneratorExit&) {
        }
      }
    }();
    co_await generator.next();
    EXPECT_EQ(co_await thrown_by<std::runtime_error>(generator.aclose()),
              "async generator ignored GeneratorExit");
    EXPECT_EQ(co_await generator.next(), std::nullopt);
  });
}

TEST(async_generator, generator_exit_is_no_std_exception) {
  on_one_loop([]() -> Coro<> {
    bool swallowed = false;
    auto generator = [](bool& caught) -> AsyncGenerator<int> {
      try {
        co_yield 1;
      } catch (const std::exception&) {
        caught = true;
      }
    }(swallowed);
    co_await generator.next();
    co_await generator.aclose();
    EXPECT_FALSE(swallowed);
  });
}

TEST(async_generator, that_is_empty_says_so) {
  on_one_loop([]() -> Coro<> {
    auto generator = count_to(1);
    auto moved = std::move(generator);
    EXPECT_FALSE(generator);  // NOLINT(bugprone-use-after-move): tested
    EXPECT_THROW((void)generator.next(), std::runtime_error);
    EXPECT_THROW((void)generator.aclose(), std::runtime_error);
    EXPECT_EQ(co_await moved.next(), 1);
    generator = std::move(moved);
    EXPECT_EQ(co_await generator.next(), std::nullopt);
  });
}

TEST(async_generator, may_iterate_over_another_one) {
  on_loops([]() -> Coro<> {
    auto log = std::make_shared<Log>();
    {
      auto doubled = [](AsyncGenerator<int> inner) -> AsyncGenerator<int> {
        while (auto item = co_await inner.next()) co_yield *item * 2;
      }(count_for_ever(log));
      EXPECT_EQ(co_await doubled.next(), 2);
      EXPECT_EQ(co_await doubled.next(), 4);
      co_await doubled.aclose();
    }
    co_await kit::until([&] { return log->cleaned.load(); });
  });
}

TEST(async_generator, of_a_million_items_does_not_grow_the_stack) {
  on_one_loop([]() -> Coro<> {
    auto generator = []() -> AsyncGenerator<long> {
      for (long i = 0; i < 1'000'000; ++i) co_yield i;
    }();
    long sum = 0;
    while (auto item = co_await generator.next()) sum += *item;
    EXPECT_EQ(sum, 499'999'500'000L);
  });
}

}  // namespace
