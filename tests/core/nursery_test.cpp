// open_nursery: what ends it, what it cancels, what comes out of it. start has a file of its own.
#include <atomic>
#include <coil/future.hpp>
#include <coil/loop.hpp>
#include <coil/nursery.hpp>
#include <coil/task.hpp>
#include <coil/task_group.hpp>
#include <coil/timeout.hpp>
#include <kit/groups.hpp>
#include <kit/loops.hpp>
#include <kit/reports.hpp>
#include <kit/thrown.hpp>
#include <memory>
#include <string>
#include <thread>
#include <vector>

using namespace coil;
using kit::failures_of;
using kit::on_loops;
using kit::on_one_loop;
using kit::thrown_by;
using namespace std::chrono_literals;
using Texts = std::vector<std::string>;

namespace {

Coro<> fail(std::string what, int yields = 0) {
  co_await kit::yield(yields);
  throw std::runtime_error(what);
}
// Sleeps until cancelled, and tells that it was.
Coro<> sleeper(std::atomic<int>& cancelled) {
  try {
    co_await sleep_forever();
  } catch (const CancelledError&) {
    ++cancelled;
    throw;
  }
}

TEST(nursery, waits_for_all_its_tasks) {
  on_loops([]() -> Coro<> {
    std::atomic<int> ended{0};
    co_await open_nursery([&](Nursery& n) -> Coro<> {
      for (int i = 0; i < 20; ++i)
        n.start_soon([&, i]() -> Coro<> {
          co_await kit::yield(i % 4);
          ++ended;
        });
      co_return;
    });
    EXPECT_EQ(ended, 20);
  });
}

TEST(nursery, starts_coroutines_functions_with_arguments_and_awaitables) {
  on_loops([]() -> Coro<> {
    std::atomic<int> sum{0};
    struct Adder {
      std::atomic<int>& sum;
      Coro<> add(int x) {
        co_await kit::yield(1);
        sum += x;
      }
    };
    Adder adder{sum};
    co_await open_nursery([&](Nursery& n) -> Coro<> {
      n.start_soon(adder.add(1));
      n.start_soon([&sum, owned = std::make_unique<int>(2)]() -> Coro<> {
        co_await kit::yield(2);
        sum += *owned;
      });
      n.start_soon(
          [&sum](std::unique_ptr<int> owned) -> Coro<> {
            co_await kit::yield(2);
            sum += *owned;
          },
          std::make_unique<int>(4));
      n.start_soon(&Adder::add, &adder, 8);
      n.start_soon(sleep(1ms), {.name = "nap"});
      co_return;
    });
    EXPECT_EQ(sum, 15);
  });
}

TEST(nursery, lets_its_tasks_start_tasks) {
  on_loops([]() -> Coro<> {
    std::atomic<int> ran{0};
    co_await open_nursery([&](Nursery& n) -> Coro<> {
      n.start_soon([&]() -> Coro<> {
        co_await kit::yield(2);
        for (int i = 0; i < 3; ++i)
          n.start_soon([&]() -> Coro<> {
            co_await kit::yield(1);
            ++ran;
          });
      });
      co_return;
    });
    EXPECT_EQ(ran, 3);
  });
}

TEST(nursery, throws_a_group_even_for_one_failure) {
  on_loops([]() -> Coro<> {
    const auto texts = co_await failures_of(open_nursery([](Nursery& n) -> Coro<> {
      n.start_soon(fail("one", 1));
      co_return;
    }));
    EXPECT_EQ(texts, Texts{"one"});
    EXPECT_EQ(co_await failures_of(open_nursery([](Nursery&) -> Coro<> { co_await fail("body"); })),
              Texts{"body"});
    EXPECT_EQ(current_task().cancelling(), 0);
  });
}

TEST(nursery, cancels_body_and_siblings_at_the_first_failure) {
  on_loops([]() -> Coro<> {
    std::atomic<int> cancelled{0};
    const auto texts = co_await failures_of(open_nursery([&](Nursery& n) -> Coro<> {
      for (int i = 0; i < 4; ++i) n.start_soon(sleeper(cancelled));
      n.start_soon(fail("first", 3));
      co_await sleeper(cancelled);
    }));
    EXPECT_EQ(texts, Texts{"first"});
    EXPECT_EQ(cancelled, 5);
    co_await sleep(0ms);  // nothing of it is left
  });
}

TEST(nursery, cancels_its_tasks_when_the_body_fails) {
  on_loops([]() -> Coro<> {
    std::atomic<int> cancelled{0};
    const auto texts = co_await failures_of(open_nursery([&](Nursery& n) -> Coro<> {
      for (int i = 0; i < 4; ++i) n.start_soon(sleeper(cancelled));
      co_await kit::yield(2);
      throw std::runtime_error("body");
    }));
    EXPECT_EQ(texts, Texts{"body"});
    EXPECT_EQ(cancelled, 4);
  });
}

TEST(nursery, throws_all_failures_together) {
  on_loops([]() -> Coro<> {
    const auto texts = co_await failures_of(open_nursery([](Nursery& n) -> Coro<> {
      n.start_soon([]() -> Coro<> {
        try {
          co_await sleep_forever();
        } catch (const CancelledError&) {
        }
        throw std::runtime_error("clean-up");
      });
      n.start_soon(fail("task", 2));
      try {
        co_await sleep_forever();
      } catch (const CancelledError&) {
      }
      throw std::runtime_error("body");
    }));
    EXPECT_EQ(texts, (Texts{"body", "clean-up", "task"}));
  });
}

TEST(nursery, cancels_level_triggered) {
  on_loops([]() -> Coro<> {
    std::atomic<int> thrown{0};
    co_await open_nursery([&](Nursery& n) -> Coro<> {
      n.start_soon([&]() -> Coro<> {
        for (int i = 0; i < 3; ++i) {
          try {
            co_await sleep_forever();
          } catch (const CancelledError&) {
            ++thrown;
          }
        }
      });
      co_await kit::yield(2);
      n.cancel_scope().cancel();
    });
    EXPECT_EQ(thrown, 3);
  });
}

TEST(nursery, absorbs_the_cancellation_of_its_own_scope) {
  on_loops([]() -> Coro<> {
    std::atomic<int> cancelled{0};
    co_await open_nursery([&](Nursery& n) -> Coro<> {
      n.start_soon(sleeper(cancelled));
      co_await kit::yield(2);
      n.cancel_scope().cancel("enough");
      EXPECT_EQ(co_await thrown_by<CancelledError>(sleep_forever()), "enough");
      co_await sleep_forever();
    });
    EXPECT_EQ(cancelled, 1);
    EXPECT_EQ(current_task().cancelling(), 0);
    co_await sleep(0ms);
  });
}

TEST(nursery, may_be_cancelled_by_any_of_its_tasks) {
  on_loops([]() -> Coro<> {
    std::atomic<int> cancelled{0};
    co_await open_nursery([&](Nursery& n) -> Coro<> {
      n.start_soon(sleeper(cancelled));
      n.start_soon([&]() -> Coro<> {
        co_await kit::yield(3);
        n.cancel_scope().cancel();
      });
      co_return;
    });
    EXPECT_EQ(cancelled, 1);
  });
}

TEST(nursery, ends_at_the_deadline_of_its_scope) {
  on_loops([]() -> Coro<> {
    std::atomic<int> cancelled{0};
    co_await open_nursery([&](Nursery& n) -> Coro<> {
      n.cancel_scope().set_deadline(get_running_loop().time() + 2ms);
      EXPECT_EQ(current_effective_deadline(), n.cancel_scope().deadline());
      n.start_soon(sleeper(cancelled));
      co_await sleep_forever();
    });
    EXPECT_EQ(cancelled, 1);
  });
}

TEST(nursery, leaves_the_cancellation_of_an_outer_scope_to_it) {
  on_loops([]() -> Coro<> {
    std::atomic<int> cancelled{0};
    bool after = false;
    auto result = co_await with_cancel_scope([&](CancelScope& outer) -> Coro<> {
      co_await open_nursery([&](Nursery& n) -> Coro<> {
        n.start_soon(sleeper(cancelled));
        co_await kit::yield(2);
        outer.cancel();
      });
      after = true;
    });
    EXPECT_TRUE(result.cancelled_caught());
    EXPECT_EQ(cancelled, 1);
    EXPECT_FALSE(after) << "a task was cut short, and nobody heard of it";
  });
}

TEST(nursery, with_a_shield_is_not_reached_by_an_outer_scope) {
  on_loops([]() -> Coro<> {
    bool worked = false;
    auto result = co_await with_cancel_scope([&](CancelScope& outer) -> Coro<> {
      co_await open_nursery([&](Nursery& n) -> Coro<> {
        n.cancel_scope().set_shield(true);
        outer.cancel();
        n.start_soon([&]() -> Coro<> {
          co_await sleep(1ms);
          worked = true;
        });
        co_await sleep(1ms);
      });
      co_await sleep_forever();
    });
    EXPECT_TRUE(worked);
    EXPECT_TRUE(result.cancelled_caught());
  });
}

TEST(nursery, is_cancelled_from_outside_while_the_body_runs_and_while_it_waits) {
  on_loops([]() -> Coro<> {
    for (const bool body_runs : {true, false}) {
      std::atomic<int> cancelled{0};
      auto task = create_task([&]() -> Coro<> {
        co_await open_nursery([&](Nursery& n) -> Coro<> {
          n.start_soon(sleeper(cancelled));
          if (body_runs) co_await sleep_forever();
        });
        ADD_FAILURE() << "the cancellation was absorbed";
      });
      co_await kit::until([&] { return TaskRef(task).get()->suspended(); });
      co_await kit::yield(2);
      task.cancel("outside");
      EXPECT_EQ(co_await thrown_by<CancelledError>(task), "outside");
      EXPECT_EQ(task.cancelling(), 1);
      EXPECT_LE(cancelled, 1);
    }
  });
}

TEST(nursery, throws_failures_rather_than_the_cancellation_which_comes_again) {
  on_loops([]() -> Coro<> {
    bool again = false;
    auto task = create_task([&]() -> Coro<> {
      const auto texts = co_await failures_of(open_nursery([](Nursery& n) -> Coro<> {
        n.start_soon([]() -> Coro<> {
          try {
            co_await sleep_forever();
          } catch (const CancelledError&) {
          }
          throw std::runtime_error("clean-up");
        });
        co_await kit::yield(2);
        current_task().cancel();
        co_await sleep_forever();
      }));
      EXPECT_EQ(texts, Texts{"clean-up"});
      EXPECT_EQ(current_task().cancelling(), 1);
      try {
        co_await sleep(1ms);
      } catch (const CancelledError&) {
        again = true;
        throw;
      }
    });
    co_await thrown_by<CancelledError>(task);
    EXPECT_TRUE(again);
  });
}

TEST(nursery, is_not_disturbed_by_a_task_that_somebody_cancels) {
  on_loops([]() -> Coro<> {
    bool worked = false;
    co_await open_nursery([&](Nursery& n) -> Coro<> {
      n.start_soon(sleep_forever());
      co_await kit::yield(2);
      for (const auto& child : n.child_tasks()) child.cancel();
      co_await sleep(1ms);
      worked = true;
    });
    EXPECT_TRUE(worked);
  });
}

TEST(nursery, lets_a_keyboard_interrupt_through_unwrapped) {
  on_loops([]() -> Coro<> {
    EXPECT_EQ(co_await thrown_by<KeyboardInterrupt>(open_nursery([](Nursery& n) -> Coro<> {
                n.start_soon([]() -> Coro<> {
                  co_await kit::yield(1);
                  throw KeyboardInterrupt();
                });
                co_await sleep_forever();
              })),
              "interrupted by SIGINT");
  });
}

TEST(nursery, nests) {
  on_loops([]() -> Coro<> {
    std::atomic<int> cancelled{0};
    const auto texts = co_await failures_of(open_nursery([&](Nursery& outer) -> Coro<> {
      outer.start_soon(sleeper(cancelled));
      outer.start_soon([&]() -> Coro<> {
        co_await open_nursery([&](Nursery& inner) -> Coro<> {
          inner.start_soon(sleeper(cancelled));
          inner.start_soon(fail("inner", 2));
          co_return;
        });
      });
      co_await sleeper(cancelled);
    }));
    EXPECT_EQ(texts, Texts{"(inner)"});
    EXPECT_EQ(cancelled, 3);
  });
}

TEST(nursery, works_under_a_timeout_and_in_a_task_group) {
  on_loops([]() -> Coro<> {
    std::atomic<int> cancelled{0};
    co_await thrown_by<TimeoutError>(timeout(1ms, [&]() -> Coro<> {
      co_await open_nursery([&](Nursery& n) -> Coro<> {
        n.start_soon(sleeper(cancelled));
        co_return;
      });
    }));
    EXPECT_EQ(current_task().cancelling(), 0);
    const auto texts = co_await failures_of(with_task_group([&](TaskGroup& group) -> Coro<> {
      group.create_task([&]() -> Coro<> {
        co_await open_nursery([&](Nursery& n) -> Coro<> {
          n.start_soon(sleeper(cancelled));
          co_await sleep_forever();
        });
      });
      group.create_task(fail("sibling", 3));
      co_return;
    }));
    EXPECT_EQ(texts, Texts{"sibling"});
    EXPECT_EQ(current_task().cancelling(), 0);
  });
}

TEST(nursery, tells_its_tasks) {
  on_loops([]() -> Coro<> {
    co_await open_nursery([](Nursery& n) -> Coro<> {
      EXPECT_TRUE(n.child_tasks().empty());
      EXPECT_EQ(n.parent_task(), current_task());
      n.start_soon(sleep_forever(), {.name = "child"});
      const auto children = n.child_tasks();
      EXPECT_EQ(children.size(), 1U);
      EXPECT_EQ(children.front().name(), "child");
      n.cancel_scope().cancel();
      co_return;
    });
  });
}

TEST(nursery, takes_no_task_from_a_thread_that_is_no_loop) {
  KIT_USES_THREADS();
  on_one_loop([]() -> Coro<> {
    co_await open_nursery([](Nursery& n) -> Coro<> {
      std::thread([&] { EXPECT_THROW(n.start_soon(sleep(0ms)), NoRunningLoop); }).join();
      co_return;
    });
  });
}

TEST(nursery, gives_the_value_of_its_body_unless_that_was_cut_short) {
  on_loops([]() -> Coro<> {
    auto value = co_await open_nursery([](Nursery& n) -> Coro<std::string> {
      n.start_soon(sleep_forever());
      n.cancel_scope().cancel();
      co_return "value";
    });
    EXPECT_EQ(value.value(), "value");
    auto none = co_await open_nursery([](Nursery& n) -> Coro<int> {
      n.cancel_scope().cancel();
      co_await sleep_forever();
      co_return 1;
    });
    EXPECT_TRUE(none.cancelled_caught());
  });
}

TEST(nursery, leaves_nothing_to_report) {
  on_one_loop([]() -> Coro<> {
    const kit::Reports reports;
    (void)co_await failures_of(open_nursery([](Nursery& n) -> Coro<> {
      n.start_soon(fail("one"));
      n.start_soon(fail("two"));
      co_return;
    }));
    EXPECT_TRUE(reports.empty()) << reports.text();
  });
}

TEST(nursery, survives_failures_everywhere_at_once) {
  on_loops([]() -> Coro<> {
    for (int round = 0; round < 100; ++round) {
      std::size_t failures = 0;
      try {
        co_await open_nursery([&](Nursery& n) -> Coro<> {
          for (int i = 0; i < 8; ++i) n.start_soon(fail(std::to_string(i), i % 3));
          co_await sleep(std::chrono::microseconds(round));
          if (round % 2 == 0) throw std::runtime_error("body");
        });
      } catch (const ExceptionGroup& group) {
        failures = group.exceptions().size();
      }
      EXPECT_GE(failures, 1U);
      EXPECT_LE(failures, 9U);
      co_await sleep(0ms);
    }
  });
}

}  // namespace
