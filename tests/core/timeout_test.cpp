// timeout, timeout_at and wait_for: what a time limit does and does not turn into TimeoutError.
#include <atomic>
#include <coil/future.hpp>
#include <coil/gather.hpp>
#include <coil/loop.hpp>
#include <coil/shield.hpp>
#include <coil/task.hpp>
#include <coil/timeout.hpp>
#include <kit/loops.hpp>
#include <kit/thrown.hpp>
#include <limits>
#include <memory>
#include <string>
#include <thread>

using namespace coil;
using kit::on_loops;
using kit::on_one_loop;
using kit::thrown_by;
using namespace std::chrono_literals;

namespace {

Coro<std::string> give(int yields = 0) {
  co_await kit::yield(yields);
  co_return std::string(40, 't');
}

TEST(timeout, gives_the_result_of_a_body_that_is_quick_enough) {
  on_loops([]() -> Coro<> {
    const int value = co_await timeout(10s, [](Timeout& limit) -> Coro<int> {
      EXPECT_TRUE(limit.when().has_value());
      co_await kit::yield(2);
      EXPECT_FALSE(limit.expired());
      co_return 3;
    });
    EXPECT_EQ(value, 3);
    EXPECT_EQ(*co_await timeout(
                  std::nullopt,
                  []() -> Coro<std::unique_ptr<int>> { co_return std::make_unique<int>(1); }),
              1);
    co_await timeout_at(std::nullopt, [](Timeout& limit) -> Coro<> {
      EXPECT_FALSE(limit.when().has_value());
      co_return;
    });
    EXPECT_EQ(current_task().cancelling(), 0);
  });
}

TEST(timeout, cancels_the_body_and_throws_when_time_is_up) {
  on_loops([]() -> Coro<> {
    bool body_cancelled = false;
    bool expired = false;
    const auto before = get_running_loop().time();
    co_await thrown_by<TimeoutError>(timeout(2ms, [&](Timeout& limit) -> Coro<> {
      try {
        co_await sleep_forever();
      } catch (const CancelledError&) {
        body_cancelled = true;
        expired = limit.expired();
        throw;
      }
    }));
    EXPECT_TRUE(body_cancelled);
    EXPECT_TRUE(expired);
    EXPECT_GE(get_running_loop().time() - before, 2ms);
    EXPECT_EQ(current_task().cancelling(), 0);
    co_await sleep(1ms);  // nothing of it is left
  });
}

TEST(timeout, of_zero_or_less_is_already_over) {
  on_loops([]() -> Coro<> {
    for (const Duration limit : {Duration(0), Duration(-5s)}) {
      int steps = 0;
      co_await thrown_by<TimeoutError>(timeout(limit, [&]() -> Coro<> {
        ++steps;
        co_await sleep_forever();
        ++steps;
      }));
      EXPECT_EQ(steps, 1) << "the body runs to its first suspension";
    }
    co_await thrown_by<TimeoutError>(
        timeout_at(get_running_loop().time() - 1s, []() -> Coro<> { co_await sleep_forever(); }));
  });
}

TEST(timeout, lets_a_body_that_never_suspends_finish) {
  on_one_loop([]() -> Coro<> {
    EXPECT_EQ(co_await timeout(0s, []() -> Coro<int> { co_return 5; }), 5);
    co_await sleep(0ms);
    EXPECT_EQ(current_task().cancelling(), 0);
  });
}

TEST(timeout, lets_other_exceptions_of_the_body_through) {
  on_loops([]() -> Coro<> {
    EXPECT_EQ(co_await thrown_by<std::logic_error>(timeout(10s,
                                                           []() -> Coro<> {
                                                             co_await kit::yield();
                                                             throw std::logic_error("own");
                                                           })),
              "own");
    EXPECT_EQ(co_await thrown_by<std::logic_error>(timeout(1ms,
                                                           []() -> Coro<> {
                                                             try {
                                                               co_await sleep_forever();
                                                             } catch (const CancelledError&) {
                                                             }
                                                             throw std::logic_error("instead");
                                                           })),
              "instead");
    EXPECT_EQ(current_task().cancelling(), 0);
  });
}

TEST(timeout, tells_inner_from_outer) {
  on_loops([]() -> Coro<> {
    bool inner_threw = false;
    EXPECT_EQ(co_await timeout(10s,
                               [&]() -> Coro<int> {
                                 try {
                                   co_await timeout(1ms,
                                                    []() -> Coro<> { co_await sleep_forever(); });
                                 } catch (const TimeoutError&) {
                                   inner_threw = true;
                                 }
                                 co_return 1;
                               }),
              1);
    EXPECT_TRUE(inner_threw);
    bool inner_expired = false;
    co_await thrown_by<TimeoutError>(timeout(1ms, [&]() -> Coro<> {
      co_await timeout(10s, [&](Timeout& inner) -> Coro<> {
        try {
          co_await sleep_forever();
        } catch (const CancelledError&) {
          inner_expired = inner.expired();
          throw;
        }
      });
    }));
    EXPECT_FALSE(inner_expired);
  });
}

TEST(timeout, may_be_rescheduled) {
  on_loops([]() -> Coro<> {
    co_await timeout(5ms, [](Timeout& limit) -> Coro<> {
      limit.reschedule(std::nullopt);
      EXPECT_FALSE(limit.when().has_value());
      co_await sleep(10ms);
    });
    co_await thrown_by<TimeoutError>(timeout(10s, [](Timeout& limit) -> Coro<> {
      limit.reschedule(get_running_loop().time() + 2ms);
      co_await sleep_forever();
    }));
    co_await thrown_by<TimeoutError>(timeout(std::nullopt, [](Timeout& limit) -> Coro<> {
      limit.reschedule(get_running_loop().time() - 2ms);
      co_await sleep_forever();
    }));
  });
}

TEST(timeout, cannot_be_rescheduled_once_it_expired) {
  on_one_loop([]() -> Coro<> {
    co_await thrown_by<TimeoutError>(timeout(1ms, [](Timeout& limit) -> Coro<> {
      try {
        co_await sleep_forever();
      } catch (const CancelledError&) {
        EXPECT_THROW(limit.reschedule(std::nullopt), std::runtime_error);
        throw;
      }
    }));
  });
}

TEST(timeout, leaves_a_cancellation_from_outside_a_cancellation) {
  on_loops([]() -> Coro<> {
    auto task = create_task(
        []() -> Coro<> { co_await timeout(10s, []() -> Coro<> { co_await sleep_forever(); }); });
    co_await kit::until([&] { return TaskRef(task).get()->suspended(); });
    task.cancel("outside");
    EXPECT_EQ(co_await thrown_by<CancelledError>(task), "outside");
    EXPECT_EQ(task.cancelling(), 1);
  });
}

TEST(timeout, that_expires_after_a_cancel_from_outside_stays_cancelled) {
  on_one_loop([]() -> Coro<> {
    auto task = create_task([]() -> Coro<> {
      co_await timeout(1ms, []() -> Coro<> {
        try {
          co_await sleep_forever();
        } catch (const CancelledError&) {
        }
        co_await shield(sleep(3ms));  // expires meanwhile
      });
    });
    co_await kit::yield(2);
    task.cancel();
    co_await thrown_by<CancelledError>(task);
    EXPECT_EQ(task.cancelling(), 1);
  });
}

TEST(timeout, does_not_fire_after_its_end) {
  on_loops([]() -> Coro<> {
    for (int i = 0; i < 200; ++i) {
      try {
        co_await timeout(std::chrono::microseconds(i % 7 * 10),
                         []() -> Coro<> { co_await sleep(std::chrono::microseconds(30)); });
      } catch (const TimeoutError&) {
      }
      EXPECT_EQ(current_task().cancelling(), 0);
      co_await sleep(0ms);  // a stray cancel would throw here
    }
  });
}

TEST(timeout, refuses_nan) {
  on_one_loop([]() -> Coro<> {
    const std::chrono::duration<double> nan(std::numeric_limits<double>::quiet_NaN());
    EXPECT_THROW((void)timeout(nan, []() -> Coro<> { co_return; }), std::invalid_argument);
    EXPECT_THROW((void)sleep(nan), std::invalid_argument);
    const std::chrono::duration<double> ever(std::numeric_limits<double>::infinity());
    EXPECT_EQ(co_await timeout(ever, []() -> Coro<int> { co_return 1; }), 1);
    EXPECT_EQ(co_await timeout(std::chrono::hours::max(), []() -> Coro<int> { co_return 2; }), 2);
    EXPECT_EQ(co_await timeout(0.5s, []() -> Coro<int> { co_return 3; }), 3);
  });
}

TEST(wait_for, gives_what_comes_in_time) {
  on_loops([]() -> Coro<> {
    const auto text = co_await give();
    EXPECT_EQ(co_await wait_for(give(2), 10s), text);
    EXPECT_EQ(co_await wait_for(give(2), std::nullopt), text);
    auto task = create_task(give(2));
    EXPECT_EQ(co_await wait_for(task, 10s), text);
    EXPECT_EQ(task.result(), text) << "the result of a named task was moved out";
    co_await wait_for(sleep(1ms), 10s);
  });
}

TEST(wait_for, cancels_the_inner_and_waits_for_its_end) {
  on_loops([]() -> Coro<> {
    auto inner = create_task([]() -> Coro<> {
      try {
        co_await sleep_forever();
      } catch (const CancelledError&) {
      }
      co_await sleep(3ms);
      throw CancelledError("as told");
    });
    co_await thrown_by<TimeoutError>(wait_for(inner, 2ms));
    EXPECT_TRUE(inner.done());
    EXPECT_TRUE(inner.cancelled());
    EXPECT_EQ(current_task().cancelling(), 0);
  });
}

TEST(wait_for, gives_a_result_that_came_in_spite_of_the_cancel) {
  on_loops([]() -> Coro<> {
    auto inner = create_task([]() -> Coro<int> {
      try {
        co_await sleep_forever();
      } catch (const CancelledError&) {
      }
      co_return 8;
    });
    EXPECT_EQ(co_await wait_for(inner, 2ms), 8);
    co_await sleep(1ms);
    EXPECT_EQ(current_task().cancelling(), 0);
  });
}

TEST(wait_for, throws_what_the_inner_throws_when_cancelled) {
  on_loops([]() -> Coro<> {
    auto inner = create_task([]() -> Coro<> {
      try {
        co_await sleep_forever();
      } catch (const CancelledError&) {
      }
      throw std::logic_error("clean-up");
    });
    EXPECT_EQ(co_await thrown_by<std::logic_error>(wait_for(inner, 2ms)), "clean-up");
  });
}

TEST(wait_for, of_zero_gives_only_what_is_done) {
  on_loops([]() -> Coro<> {
    auto done = create_task(give());
    const auto text = co_await done;
    EXPECT_EQ(co_await wait_for(done, 0s), text);
    EXPECT_EQ(done.result(), text);
    auto pending = create_task(sleep_forever());
    co_await kit::yield();
    co_await thrown_by<TimeoutError>(wait_for(pending, -1s));
    EXPECT_TRUE(pending.cancelled());
    co_await thrown_by<TimeoutError>(wait_for(sleep_forever(), 0s));
  });
}

TEST(wait_for, of_zero_does_not_even_begin_a_coroutine) {
  on_loops([]() -> Coro<> {
    std::atomic<int> begun{0};
    const auto body = [&]() -> Coro<int> {
      ++begun;
      co_return 1;
    };
    for (int i = 0; i < 50; ++i) co_await thrown_by<TimeoutError>(wait_for(body(), 0s));
    EXPECT_EQ(begun, 0);
    EXPECT_EQ(current_task().cancelling(), 0);
  });
}

TEST(wait_for, of_zero_cancels_what_runs_already) {
  on_loops([]() -> Coro<> {
    auto a = create_task(sleep_forever());
    auto b = create_task(sleep_forever());
    co_await thrown_by<TimeoutError>(wait_for(gather(a, b), 0s));
    co_await kit::until([&] { return a.done() && b.done(); });
    EXPECT_TRUE(a.cancelled());
    EXPECT_TRUE(b.cancelled());
    auto cancelled = create_future<int>();
    cancelled.cancel("before");
    EXPECT_EQ(co_await thrown_by<CancelledError>(wait_for(cancelled, 0s)), "before");
    co_await sleep(0ms);  // nothing of it is left
    EXPECT_EQ(current_task().cancelling(), 0);
  });
}

TEST(timeout, of_the_same_deadline_nests) {
  on_loops([]() -> Coro<> {
    const auto when = get_running_loop().time() + 2ms;
    bool inner_expired = false;
    co_await thrown_by<TimeoutError>(timeout_at(when, [&](Timeout& outer) -> Coro<> {
      try {
        co_await timeout_at(when, [&](Timeout& inner) -> Coro<> {
          EXPECT_EQ(inner.when(), when);
          try {
            co_await sleep_forever();
          } catch (const CancelledError&) {
            inner_expired = inner.expired();
            throw;
          }
        });
      } catch (const TimeoutError&) {
        EXPECT_TRUE(outer.expired() || inner_expired);
        throw;
      }
    }));
    EXPECT_EQ(current_task().cancelling(), 0);
    co_await sleep(0ms);
  });
}

TEST(timeout, knows_its_deadline_and_that_it_has_passed) {
  on_loops([]() -> Coro<> {
    const auto when = get_running_loop().time() + 1h;
    co_await timeout_at(when, [&](Timeout& limit) -> Coro<> {
      EXPECT_EQ(limit.when(), when);
      limit.reschedule(when + 1h);
      EXPECT_EQ(limit.when(), when + 1h);
      EXPECT_FALSE(limit.expired());
      limit.reschedule(std::nullopt);
      EXPECT_EQ(limit.when(), std::nullopt);
      co_return;
    });
    co_await thrown_by<TimeoutError>(timeout(0s, [](Timeout& limit) -> Coro<> {
      EXPECT_TRUE(limit.expired());
      EXPECT_TRUE(limit.when().has_value());
      co_await sleep_forever();
    }));
  });
}

TEST(timeout, counts_from_the_call) {
  on_loops([]() -> Coro<> {
    auto limited = timeout(1ms, []() -> Coro<> { co_await sleep_forever(); });
    co_await sleep(3ms);
    co_await thrown_by<TimeoutError>(std::move(limited));
  });
}

TEST(wait_for, hands_a_cancellation_on_to_the_inner) {
  on_loops([]() -> Coro<> {
    auto inner = create_task(sleep_forever());
    auto outer = create_task([inner]() -> Coro<> { co_await wait_for(inner, 10s); });
    co_await kit::until([&] { return TaskRef(outer).get()->suspended(); });
    outer.cancel("stop");
    EXPECT_EQ(co_await thrown_by<CancelledError>(outer), "stop");
    EXPECT_TRUE(inner.cancelled());
  });
}

TEST(wait_for, loses_no_result_in_the_race_with_time) {
  on_loops([]() -> Coro<> {
    int results = 0;
    int limits = 0;
    for (int i = 0; i < 300; ++i) {
      auto inner = create_task([]() -> Coro<int> {
        try {
          co_await sleep(std::chrono::microseconds(50));
        } catch (const CancelledError&) {
          throw;
        }
        co_return 1;
      });
      try {
        results += co_await wait_for(inner, std::chrono::microseconds(50));
      } catch (const TimeoutError&) {
        ++limits;
        EXPECT_TRUE(inner.cancelled()) << "it had a result, and that was lost";
      }
    }
    EXPECT_EQ(results + limits, 300);
  });
}

}  // namespace
