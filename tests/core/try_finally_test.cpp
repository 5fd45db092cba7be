// try_finally: the clean-up runs to its end, whatever comes.
#include <coil/cancel_scope.hpp>
#include <coil/context.hpp>
#include <coil/future.hpp>
#include <coil/loop.hpp>
#include <coil/task.hpp>
#include <coil/task_group.hpp>
#include <coil/timeout.hpp>
#include <coil/try_finally.hpp>
#include <kit/groups.hpp>
#include <kit/loops.hpp>
#include <kit/thrown.hpp>
#include <memory>
#include <string>
#include <vector>

using namespace coil;
using kit::on_loops;
using kit::thrown_by;
using namespace std::chrono_literals;

namespace {

TEST(try_finally, runs_the_clean_up_and_gives_the_result) {
  on_loops([]() -> Coro<> {
    std::string order;
    auto result = co_await try_finally(
        [&]() -> Coro<std::unique_ptr<int>> {
          order += "body ";
          co_await kit::yield();
          co_return std::make_unique<int>(5);
        },
        [&]() -> Coro<> {
          co_await kit::yield(2);
          order += "clean-up";
        });
    EXPECT_EQ(*result, 5);
    EXPECT_EQ(order, "body clean-up");
    co_await try_finally([]() -> Coro<> { co_return; }, []() -> Coro<> { co_return; });
  });
}

TEST(try_finally, runs_the_clean_up_and_throws_the_exception) {
  on_loops([]() -> Coro<> {
    bool cleaned = false;
    const auto body = []() -> Coro<int> {
      co_await kit::yield();
      throw std::logic_error("body");
    };
    EXPECT_EQ(co_await thrown_by<std::logic_error>(try_finally(body,
                                                               [&]() -> Coro<> {
                                                                 co_await sleep(1ms);
                                                                 cleaned = true;
                                                               })),
              "body");
    EXPECT_TRUE(cleaned);
  });
}

TEST(try_finally, takes_coroutines_and_other_awaitables_too) {
  on_loops([]() -> Coro<> {
    const auto give = [](int x) -> Coro<int> { co_return x; };
    EXPECT_EQ(co_await try_finally(give(3), sleep(1ms)), 3);
    auto future = create_future<int>();
    future.set_result(4);
    EXPECT_EQ(co_await try_finally(future, give(0)), 4);
    co_await try_finally(sleep(1ms), give(0));
  });
}

TEST(try_finally, an_exception_of_the_clean_up_takes_the_place_of_the_bodys) {
  on_loops([]() -> Coro<> {
    const auto cleanup = []() -> Coro<> {
      co_await kit::yield();
      throw std::runtime_error("clean-up");
    };
    EXPECT_EQ(co_await thrown_by<std::runtime_error>(
                  try_finally([]() -> Coro<> { throw std::logic_error("body"); }, cleanup)),
              "clean-up");
    EXPECT_EQ(co_await thrown_by<std::runtime_error>(
                  try_finally([]() -> Coro<int> { co_return 1; }, cleanup)),
              "clean-up");
  });
}

TEST(try_finally, runs_the_clean_up_when_the_body_is_cancelled) {
  on_loops([]() -> Coro<> {
    bool cleaned = false;
    auto task = create_task(try_finally([]() -> Coro<> { co_await sleep_forever(); },
                                        [&]() -> Coro<> {
                                          co_await sleep(2ms);
                                          cleaned = true;
                                        }));
    co_await kit::until([&] { return TaskRef(task).get()->suspended(); });
    task.cancel("stop");
    EXPECT_EQ(co_await thrown_by<CancelledError>(task), "stop");
    EXPECT_TRUE(cleaned);
  });
}

TEST(try_finally, holds_a_cancel_back_until_the_clean_up_has_ended) {
  on_loops([]() -> Coro<> {
    auto in_cleanup = create_future<>();
    auto gate = create_future<>();
    bool cleaned = false;
    bool delivered = false;
    auto task = create_task([&]() -> Coro<int> {
      const int result = co_await try_finally([]() -> Coro<int> { co_return 6; },
                                              [&]() -> Coro<> {
                                                in_cleanup.set_result();
                                                co_await gate;
                                                co_await kit::yield();
                                                cleaned = true;
                                              });
      EXPECT_EQ(result, 6);
      try {
        co_await kit::yield();
      } catch (const CancelledError& error) {
        EXPECT_STREQ(error.what(), "held back");
        delivered = true;
        throw;
      }
      co_return result;
    });
    co_await in_cleanup;
    co_await kit::until([&] { return TaskRef(task).get()->suspended(); });
    EXPECT_TRUE(task.cancel("held back"));
    EXPECT_EQ(task.cancelling(), 1);
    co_await kit::yield(5);
    EXPECT_FALSE(cleaned);
    EXPECT_FALSE(gate.cancelled());
    gate.set_result();
    EXPECT_EQ(co_await thrown_by<CancelledError>(task), "held back");
    EXPECT_TRUE(cleaned);
    EXPECT_TRUE(delivered);
  });
}

TEST(try_finally, a_cancel_that_is_pending_when_the_clean_up_begins_waits_too) {
  on_loops([]() -> Coro<> {
    bool cleaned = false;
    auto task = create_task([&]() -> Coro<> {
      co_await try_finally(
          []() -> Coro<> {
            current_task().cancel("pending");
            co_return;
          },
          [&]() -> Coro<> {
            co_await kit::yield(3);
            cleaned = true;
          });
      EXPECT_TRUE(cleaned);
      co_await kit::yield();
      ADD_FAILURE() << "not delivered";
    });
    EXPECT_EQ(co_await thrown_by<CancelledError>(task), "pending");
  });
}

TEST(try_finally, shields_the_clean_up_from_a_cancelled_scope) {
  on_loops([]() -> Coro<> {
    bool cleaned = false;
    const auto result = co_await with_cancel_scope([&](CancelScope& scope) -> Coro<> {
      co_await try_finally(
          [&]() -> Coro<> {
            scope.cancel();
            co_await sleep_forever();
          },
          [&]() -> Coro<> {
            co_await sleep(1ms);
            EXPECT_EQ(current_effective_deadline(), TimePoint::max());
            co_await kit::yield(2);
            cleaned = true;
          });
    });
    EXPECT_TRUE(result.cancelled_caught());
    EXPECT_TRUE(cleaned);
  });
}

TEST(try_finally, a_scope_that_is_cancelled_during_the_clean_up_shows_after_it) {
  on_loops([]() -> Coro<> {
    bool cleaned = false;
    const auto result = co_await with_cancel_scope([&](CancelScope& scope) -> Coro<> {
      co_await try_finally([]() -> Coro<> { co_return; },
                           [&]() -> Coro<> {
                             scope.cancel();
                             co_await sleep(1ms);
                             cleaned = true;
                           });
      EXPECT_TRUE(cleaned);
      co_await kit::yield();
      ADD_FAILURE() << "not delivered";
    });
    EXPECT_TRUE(result.cancelled_caught());
  });
}

TEST(try_finally, timeouts_and_groups_work_inside_the_clean_up) {
  on_loops([]() -> Coro<> {
    bool limited = false;
    auto guarded =
        try_finally([]() -> Coro<> { co_return; },
                    [&]() -> Coro<> {
                      const auto moved =
                          co_await move_on_after(1ms, []() -> Coro<> { co_await sleep_forever(); });
                      EXPECT_TRUE(moved.cancelled_caught());
                      co_await thrown_by<TimeoutError>(
                          timeout(1ms, []() -> Coro<> { co_await sleep_forever(); }));
                      limited = true;
                      co_await with_task_group([](TaskGroup& group) -> Coro<> {
                        group.create_task([]() -> Coro<> { throw std::logic_error("one"); });
                        co_await sleep_forever();
                      });
                    });
    EXPECT_EQ(co_await kit::failures_of(std::move(guarded)), std::vector<std::string>{"one"});
    EXPECT_TRUE(limited);
  });
}

TEST(try_finally, the_clean_up_shares_the_context) {
  on_loops([]() -> Coro<> {
    ContextVar<int> var{"var", 0};
    const auto token = var.set(1);
    co_await try_finally(
        [&]() -> Coro<> {
          var.set(2);
          co_return;
        },
        [&]() -> Coro<> {
          EXPECT_EQ(var.get(), 2);
          co_await kit::yield();
          var.reset(token);
        });
    EXPECT_EQ(var.get(), 0);
  });
}

TEST(try_finally, run_does_not_cancel_a_clean_up_that_is_left_over) {
  for (int yields = 1; yields < 4; ++yields) {
    bool cleaned = false;
    on_loops([&]() -> Coro<> {
      cleaned = false;
      auto task = create_task([](bool& done) -> Coro<> {
        co_await try_finally([]() -> Coro<> { co_await sleep_forever(); },
                             [&]() -> Coro<> {
                               co_await sleep(2ms);
                               done = true;
                             });
      }(cleaned));
      auto early = create_task(
          try_finally([]() -> Coro<> { co_return; }, []() -> Coro<> { co_await sleep(1ms); }));
      co_await kit::until([&] { return TaskRef(task).get()->suspended(); });
      co_await kit::yield(yields);
      EXPECT_LE(all_tasks().size(), 3U);
    });
    EXPECT_TRUE(cleaned);
  }
}

TEST(try_finally, of_a_pinned_task_stays_on_its_loop) {
  on_loops([]() -> Coro<> {
    co_await create_task(
        []() -> Coro<> {
          Loop* const home = &get_running_loop();
          co_await try_finally([]() -> Coro<> { co_await kit::yield(); },
                               [&]() -> Coro<> {
                                 for (int i = 0; i < 10; ++i) {
                                   co_await kit::yield();
                                   EXPECT_EQ(&get_running_loop(), home);
                                 }
                               });
        },
        {.affinity = Affinity::loop});
  });
}

}  // namespace
