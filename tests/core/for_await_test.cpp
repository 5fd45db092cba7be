// COIL_FOR_AWAIT: what it iterates over, and how it is left.
#include <atomic>
#include <coil/async_generator.hpp>
#include <coil/cancel_scope.hpp>
#include <coil/exceptions.hpp>
#include <coil/task.hpp>
#include <kit/loops.hpp>
#include <kit/thrown.hpp>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace coil;
using kit::on_loops;
using kit::thrown_by;
using namespace std::chrono_literals;

namespace {

AsyncGenerator<int> count_to(int n) {
  for (int i = 1; i <= n; ++i) {
    co_await kit::yield(i % 2);
    co_yield i;
  }
}

// Counts for ever; sets `closed` after having awaited something.
AsyncGenerator<int> count_for_ever(std::shared_ptr<std::atomic<bool>> closed) {
  try {
    for (int i = 1;; ++i) co_yield i;
  } catch (const GeneratorExit&) {
  }
  co_await kit::yield(2);
  *closed = true;
}

template <class A, class B>
AsyncGenerator<std::pair<A, B>> pairs(A a, B b) {
  co_yield {a, b};
  co_yield {b, a};
}

// Not a generator, and nothing to close.
struct Countdown {
  int left;
  Coro<std::optional<int>> next() {
    co_await kit::yield();
    if (left == 0) co_return std::nullopt;
    co_return left--;
  }
};

// Its items are pointers, and it wants to be closed.
struct Words {
  std::vector<std::string> words;
  std::size_t at = 0;
  int closed = 0;
  struct Next {
    Words& self;
    bool await_ready() { return true; }
    void await_suspend(std::coroutine_handle<>) {}
    std::string* await_resume() {
      return self.at < self.words.size() ? &self.words[self.at++] : nullptr;
    }
  };
  Next next() { return {*this}; }
  Coro<> aclose() {
    ++closed;
    co_await kit::yield();
  }
};

static_assert(AsyncIterable<AsyncGenerator<int>>);
static_assert(AsyncIterable<AsyncGenerator<int>&>);
static_assert(AsyncIterable<AsyncGenerator<int&>>);
static_assert(AsyncIterable<Countdown>);
static_assert(AsyncIterable<Words>);
static_assert(!AsyncIterable<std::vector<int>>);
static_assert(!AsyncIterable<int>);

TEST(for_await, runs_its_body_for_each_item) {
  on_loops([]() -> Coro<> {
    std::vector<int> seen;
    COIL_FOR_AWAIT(auto&& x, count_to(4)) { seen.push_back(x); }
    EXPECT_EQ(seen, (std::vector<int>{1, 2, 3, 4}));
    auto generator = count_to(3);
    int sum = 0;
    COIL_FOR_AWAIT(const int x, generator) sum += x;
    EXPECT_EQ(sum, 6);
    COIL_FOR_AWAIT(int x, count_to(0)) { ADD_FAILURE() << x; }
  });
}

TEST(for_await, knows_continue_and_break) {
  on_loops([]() -> Coro<> {
    std::vector<int> seen;
    COIL_FOR_AWAIT(auto x, count_to(100)) {
      if (x % 2 == 0) continue;
      if (x > 7) break;
      seen.push_back(x);
    }
    EXPECT_EQ(seen, (std::vector<int>{1, 3, 5, 7}));
  });
}

TEST(for_await, nests) {
  on_loops([]() -> Coro<> {
    int sum = 0;
    COIL_FOR_AWAIT(auto x, count_to(3)) {
      COIL_FOR_AWAIT(auto y, count_to(10)) {
        if (y > x) break;
        sum += x * y;
      }
    }
    EXPECT_EQ(sum, 1 + 2 * 3 + 3 * 6);
  });
}

TEST(for_await, may_stand_in_a_generator) {
  on_loops([]() -> Coro<> {
    auto closed = std::make_shared<std::atomic<bool>>(false);
    const auto evens = [](std::shared_ptr<std::atomic<bool>> flag) -> AsyncGenerator<int> {
      COIL_FOR_AWAIT(auto x, count_for_ever(flag)) {
        if (x > 6) break;
        if (x % 2 == 0) co_yield x;
      }
      EXPECT_TRUE(*flag);
    };
    std::vector<int> seen;
    COIL_FOR_AWAIT(auto x, evens(closed)) seen.push_back(x);
    EXPECT_EQ(seen, (std::vector<int>{2, 4, 6}));
  });
}

TEST(for_await, stands_where_a_statement_stands) {
  on_loops([]() -> Coro<> {
    int sum = 0;
    const bool yes = sum == 0;
    if (yes)
      COIL_FOR_AWAIT(auto x, count_to(3)) sum += x;
    else
      ADD_FAILURE();
    EXPECT_EQ(sum, 6);
    co_return;
  });
}

TEST(for_await, takes_a_declaration_with_a_comma_in_parentheses) {
  on_loops([]() -> Coro<> {
    std::string text;
    COIL_FOR_AWAIT((auto&& [a, b]), pairs(1, 2)) {
      text += std::to_string(a) + std::to_string(b) + " ";
    }
    COIL_FOR_AWAIT((const std::pair<int, int> both), pairs<int, int>(3, 4)) {
      text += std::to_string(both.first);
    }
    EXPECT_EQ(text, "12 21 34");
  });
}

TEST(for_await, gives_items_away) {
  on_loops([]() -> Coro<> {
    const auto pointers = []() -> AsyncGenerator<std::unique_ptr<int>> {
      for (int i = 0; i < 3; ++i) co_yield std::make_unique<int>(i);
    };
    std::vector<std::unique_ptr<int>> kept;
    COIL_FOR_AWAIT(auto pointer, pointers()) kept.push_back(std::move(pointer));
    EXPECT_EQ(kept.size(), 3U);
    std::vector<int> numbers{1, 2};
    auto references = [&]() -> AsyncGenerator<int&> {
      for (int& one : numbers) co_yield one;
    };
    COIL_FOR_AWAIT(auto& one, references()) one += 5;
    EXPECT_EQ(numbers, (std::vector<int>{6, 7}));
  });
}

TEST(for_await, takes_whatever_has_a_next) {
  on_loops([]() -> Coro<> {
    int sum = 0;
    COIL_FOR_AWAIT(auto x, Countdown{4}) sum += x;
    EXPECT_EQ(sum, 10);
    Words words{.words = {"a", "b", "c"}};
    std::string text;
    COIL_FOR_AWAIT(auto& word, words) {
      text += word;
      if (word == "b") break;
    }
    EXPECT_EQ(text, "ab");
    EXPECT_EQ(words.closed, 1) << "awaited on break";
  });
}

TEST(for_await, awaits_aclose_on_break) {
  on_loops([]() -> Coro<> {
    auto closed = std::make_shared<std::atomic<bool>>(false);
    COIL_FOR_AWAIT(auto x, count_for_ever(closed)) {
      if (x == 3) break;
    }
    EXPECT_TRUE(*closed);
    *closed = false;
    auto named = count_for_ever(closed);
    COIL_FOR_AWAIT(auto x, named) {
      if (x == 3) break;
    }
    EXPECT_TRUE(*closed);
    EXPECT_EQ(co_await named.next(), std::nullopt);
  });
}

TEST(for_await, throws_what_aclose_throws_on_break) {
  on_loops([]() -> Coro<> {
    const auto failing = []() -> AsyncGenerator<int> {
      try {
        co_yield 1;
      } catch (const GeneratorExit&) {
        throw std::logic_error("clean-up");
      }
    };
    const auto loop = [&]() -> Coro<> { COIL_FOR_AWAIT([[maybe_unused]] auto x, failing()) break; };
    EXPECT_EQ(co_await thrown_by<std::logic_error>(loop()), "clean-up");
  });
}

TEST(for_await, left_by_an_exception_has_the_loop_close_it) {
  on_loops([]() -> Coro<> {
    auto closed = std::make_shared<std::atomic<bool>>(false);
    const auto unnamed = [&]() -> Coro<> {
      COIL_FOR_AWAIT(auto x, count_for_ever(closed)) {
        if (x == 2) throw std::logic_error("out");
      }
    };
    EXPECT_EQ(co_await thrown_by<std::logic_error>(unnamed()), "out");
    co_await kit::until([&] { return closed->load(); });

    *closed = false;
    auto named = count_for_ever(closed);
    try {
      COIL_FOR_AWAIT(auto x, named) {
        if (x == 2) throw std::logic_error("out");
      }
    } catch (const std::logic_error&) {
    }
    EXPECT_EQ(co_await named.next(), std::nullopt) << "it is being closed";
    co_await named.aclose();
    EXPECT_TRUE(*closed) << "aclose() waits for the loop's";
  });
}

TEST(for_await, left_by_return_has_the_loop_close_it) {
  on_loops([]() -> Coro<> {
    auto closed = std::make_shared<std::atomic<bool>>(false);
    const auto find = [&]() -> Coro<int> {
      COIL_FOR_AWAIT(auto x, count_for_ever(closed)) {
        if (x == 5) co_return x;
      }
      co_return 0;
    };
    EXPECT_EQ(co_await find(), 5);
    co_await kit::until([&] { return closed->load(); });
  });
}

TEST(for_await, left_by_a_cancel_has_the_loop_close_it) {
  on_loops([]() -> Coro<> {
    auto closed = std::make_shared<std::atomic<bool>>(false);
    auto edge = create_task([closed]() -> Coro<> {
      COIL_FOR_AWAIT(auto x, count_for_ever(closed)) {
        if (x == 2) co_await sleep_forever();
      }
    });
    co_await kit::until([&] { return TaskRef(edge).get()->suspended(); });
    edge.cancel();
    co_await thrown_by<CancelledError>(edge);
    co_await kit::until([&] { return closed->load(); });

    *closed = false;
    const auto level = co_await move_on_after(1ms, [&]() -> Coro<> {
      COIL_FOR_AWAIT(auto x, count_for_ever(closed)) {
        if (x == 2) co_await sleep_forever();
      }
    });
    EXPECT_TRUE(level.cancelled_caught());
    co_await kit::until([&] { return closed->load(); });
  });
}

TEST(for_await, left_as_the_last_thing_is_closed_before_run_returns) {
  auto closed = std::make_shared<std::atomic<bool>>(false);
  for (const int loops : {1, 2, 4}) {
    *closed = false;
    try {
      coil::run(
          [&]() -> Coro<> {
            COIL_FOR_AWAIT(auto x, count_for_ever(closed)) {
              if (x == 2) throw std::logic_error("out");
            }
          }(),
          {.loops = loops});
      ADD_FAILURE();
    } catch (const std::logic_error&) {
    }
    EXPECT_TRUE(*closed);
  }
}

}  // namespace
