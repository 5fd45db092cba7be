// Coro: what comes out of it, and that neither a long loop nor a deep chain needs stack.
#include <coil/task.hpp>
#include <kit/loops.hpp>
#include <kit/thrown.hpp>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

using namespace coil;
using kit::on_loops;
using kit::on_one_loop;

namespace {

constexpr int chain_depth = 100'000;
constexpr int loop_length = 10'000'000;

struct Plain {  // no std::exception
  int code;
};
struct Derived : std::runtime_error {
  using std::runtime_error::runtime_error;
  int extra = 42;
};

Coro<int> give(int value) { co_return value; }
Coro<> nothing() { co_return; }
Coro<std::unique_ptr<int>> give_owned(int value) { co_return std::make_unique<int>(value); }
Coro<int&> refer(int& value) { co_return value; }
Coro<> fail_plain(int code) {
  co_await nothing();
  throw Plain{code};
}
Coro<int> fail_derived() {
  throw Derived("deep");
  co_return 1;
}

struct Tracer {
  explicit Tracer(std::vector<std::string>& l, std::string n) : log(l), name(std::move(n)) {}
  ~Tracer() { log.push_back("-" + name); }
  std::vector<std::string>& log;
  std::string name;
};

Coro<long> descend(int depth) {
  if (depth == 0) co_return 0;
  co_return 1 + co_await descend(depth - 1);
}
Coro<> descend_and_throw(int depth) {
  if (depth == 0) throw Derived("bottom");
  co_await descend_and_throw(depth - 1);
}
Coro<> descend_and_sleep(int depth) {
  if (depth == 0) {
    co_await sleep(std::chrono::milliseconds(1));
  } else {
    co_await descend_and_sleep(depth - 1);
  }
}

TEST(coro, gives_the_value_it_returned) {
  on_loops([]() -> Coro<> {
    EXPECT_EQ(co_await give(7), 7);
    auto later = give(8);
    EXPECT_EQ(co_await std::move(later), 8);
    EXPECT_EQ(*co_await give_owned(9), 9);
  });
}

TEST(coro, gives_the_reference_it_returned) {
  on_one_loop([]() -> Coro<> {
    int value = 1;
    int& same = co_await refer(value);
    EXPECT_EQ(&same, &value);
    (co_await refer(value)) = 5;
    EXPECT_EQ(value, 5);
  });
}

TEST(coro, runs_in_place_without_letting_others_run) {
  on_one_loop([]() -> Coro<> {
    bool other_ran = false;
    auto other = create_task([&]() -> Coro<> {
      other_ran = true;
      co_return;
    });
    for (int i = 0; i < 100; ++i) co_await nothing();
    EXPECT_FALSE(other_ran);
    co_await other;
    EXPECT_TRUE(other_ran);
  });
}

TEST(coro, does_nothing_until_it_is_awaited) {
  on_one_loop([]() -> Coro<> {
    bool ran = false;
    {
      auto dropped = [](bool& flag) -> Coro<> {
        flag = true;
        co_return;
      }(ran);
      co_await kit::yield(3);
    }
    EXPECT_FALSE(ran);
  });
}

TEST(coro, can_be_awaited_only_once) {
  on_one_loop([]() -> Coro<> {
    auto coro = give(1);
    EXPECT_EQ(co_await std::move(coro), 1);
    bool refused = false;
    try {
      (void)co_await std::move(coro);
    } catch (const std::runtime_error&) {
      refused = true;
    }
    EXPECT_TRUE(refused);
    Coro<int> empty;
    EXPECT_FALSE(empty);
    co_await kit::thrown_by<std::runtime_error>(std::move(empty));
  });
}

TEST(coro, lets_exceptions_through_with_their_type) {
  on_loops([]() -> Coro<> {
    int code = 0;
    try {
      co_await [](int c) -> Coro<> { co_await fail_plain(c); }(3);
    } catch (const Plain& plain) {
      code = plain.code;
    }
    EXPECT_EQ(code, 3);
    int extra = 0;
    try {
      co_await fail_derived();
    } catch (const std::exception& error) {
      const auto* derived = dynamic_cast<const Derived*>(&error);
      extra = derived != nullptr ? derived->extra : 0;
    }
    EXPECT_EQ(extra, 42);
  });
}

TEST(coro, carries_exceptions_through_tasks_on_any_loop) {
  on_loops([]() -> Coro<> {
    for (int i = 0; i < 50; ++i) {
      auto task = create_task(
          [](int code) -> Coro<> {
            auto inner = create_task(fail_plain(code));
            co_await kit::yield();
            co_await inner;
          },
          i);
      int code = -1;
      try {
        co_await task;
      } catch (const Plain& plain) {
        code = plain.code;
      }
      EXPECT_EQ(code, i);
    }
  });
}

TEST(coro, destroys_its_locals_before_its_awaiter_goes_on) {
  on_one_loop([]() -> Coro<> {
    std::vector<std::string> log;
    const auto child = [](std::vector<std::string>& l, bool fail) -> Coro<> {
      const Tracer first(l, "first");
      const Tracer second(l, "second");
      co_await kit::yield();
      if (fail) throw Plain{1};
    };
    co_await child(log, false);
    log.emplace_back("resumed");
    try {
      co_await child(log, true);
    } catch (const Plain&) {
      log.emplace_back("caught");
    }
    EXPECT_EQ(log, (std::vector<std::string>{"-second", "-first", "resumed", "-second", "-first",
                                             "caught"}));
  });
}

TEST(coro, may_be_awaited_ten_million_times_in_a_loop) {
  on_one_loop([]() -> Coro<> {
    long sum = 0;
    for (int i = 0; i < loop_length; ++i) sum += co_await give(1);
    EXPECT_EQ(sum, loop_length);
  });
}

TEST(coro, may_await_done_tasks_without_end) {
  on_one_loop([]() -> Coro<> {
    auto task = create_task(give(1));
    co_await task;
    long sum = 0;
    for (int i = 0; i < 1'000'000; ++i) sum += co_await task;
    EXPECT_EQ(sum, 1'000'000);
  });
}

TEST(coro, may_nest_a_hundred_thousand_deep) {
  on_loops([]() -> Coro<> {
    EXPECT_EQ(co_await descend(chain_depth), chain_depth);
    co_await descend_and_sleep(chain_depth);
    EXPECT_EQ(co_await create_task(descend(chain_depth)), chain_depth);
  });
}

TEST(coro, lets_an_exception_up_a_deep_chain) {
  on_one_loop([]() -> Coro<> {
    EXPECT_EQ(co_await kit::thrown_by<Derived>(descend_and_throw(chain_depth)), "bottom");
  });
}

TEST(coro, lets_a_cancellation_up_a_deep_chain) {
  on_one_loop([]() -> Coro<> {
    auto task = create_task([]() -> Coro<> { co_await descend_and_sleep(chain_depth); });
    co_await kit::yield(2);
    task.cancel("enough");
    EXPECT_EQ(co_await kit::thrown_by<CancelledError>(task), "enough");
  });
}

}  // namespace
