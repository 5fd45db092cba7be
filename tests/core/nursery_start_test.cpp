// Nursery::start: what it gives, what it throws, and whose child it is when.
#include <atomic>
#include <coil/loop.hpp>
#include <coil/nursery.hpp>
#include <coil/timeout.hpp>
#include <kit/groups.hpp>
#include <kit/loops.hpp>
#include <kit/reports.hpp>
#include <kit/thrown.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

using namespace coil;
using kit::failures_of;
using kit::on_loops;
using kit::on_one_loop;
using kit::thrown_by;
using namespace std::chrono_literals;
using Texts = std::vector<std::string>;

namespace {

Coro<> serve(std::string host, TaskStatus<std::string> status = {}) {
  co_await kit::yield(2);
  status.started("listening on " + host);
  co_await sleep_forever();
}
Coro<> ready_first(TaskStatus<>& status, int yields) {
  co_await kit::yield(yields);
  status.started();
}
struct Service {
  int port = 80;
  Coro<> run(int offset, TaskStatus<int> status) {
    co_await kit::yield(1);
    status.started(port + offset);
  }
};

TEST(nursery_start, gives_the_value_that_the_child_has_started_with) {
  on_loops([]() -> Coro<> {
    co_await open_nursery([](Nursery& n) -> Coro<> {
      EXPECT_EQ(co_await n.start(serve, "here"), "listening on here");
      EXPECT_EQ(n.child_tasks().size(), 1U) << "it goes on as a task of the nursery";
      n.cancel_scope().cancel();
    });
  });
}

TEST(nursery_start, hands_the_status_over_as_first_or_as_last_argument) {
  on_loops([]() -> Coro<> {
    co_await open_nursery([](Nursery& n) -> Coro<> {
      co_await n.start(ready_first, 3);
      Service service;
      EXPECT_EQ(co_await n.start(&Service::run, &service, 5), 85);
      EXPECT_EQ(
          co_await n.start([owned = std::make_unique<int>(4)](const TaskStatus<int>& s) -> Coro<> {
            co_await kit::yield(1);
            s.started(*owned);
          }),
          4);
      EXPECT_EQ(co_await n.start<int>([](auto status) -> Coro<> {
        status.started(9);
        co_return;
      }),
                9);
      auto owned = co_await n.start(
          [](std::unique_ptr<int> x, TaskStatus<std::unique_ptr<int>> s) -> Coro<> {
            s.started(std::move(x));
            co_return;
          },
          std::make_unique<int>(6));
      EXPECT_EQ(*owned, 6);
    });
  });
}

TEST(nursery_start, keeps_text_arguments) {
  on_loops([]() -> Coro<> {
    co_await open_nursery([](Nursery& n) -> Coro<> {
      auto text = std::make_unique<std::string>(100, 'x');
      auto starting = n.start(
          [](std::string_view view, TaskStatus<std::size_t> status) -> Coro<> {
            co_await kit::yield(2);
            status.started(std::string(view) == std::string(100, 'x') ? 1U : 0U);
          },
          std::string_view(*text));
      text.reset();
      EXPECT_EQ(co_await std::move(starting), 1U);
    });
  });
}

TEST(nursery_start, throws_if_the_child_ends_without_having_started) {
  on_loops([]() -> Coro<> {
    co_await open_nursery([](Nursery& n) -> Coro<> {
      EXPECT_EQ(co_await thrown_by<std::runtime_error>(
                    n.start([](TaskStatus<>) -> Coro<> { co_await kit::yield(2); })),
                "child exited without calling task_status.started()");
      co_await sleep(0ms);  // and the nursery goes on
    });
  });
}

TEST(nursery_start, throws_what_the_child_throws_before_it_has_started) {
  on_loops([]() -> Coro<> {
    co_await open_nursery([](Nursery& n) -> Coro<> {
      EXPECT_EQ(co_await thrown_by<std::logic_error>(n.start([](TaskStatus<int>) -> Coro<> {
                  co_await kit::yield(2);
                  throw std::logic_error("port in use");
                })),
                "port in use");
      co_await sleep(0ms);  // and the nursery goes on
    });
  });
}

TEST(nursery_start, leaves_a_failure_after_that_to_the_nursery) {
  on_loops([]() -> Coro<> {
    bool started = false;
    const auto texts = co_await failures_of(open_nursery([&](Nursery& n) -> Coro<> {
      EXPECT_EQ(co_await n.start([](TaskStatus<int> status) -> Coro<> {
        status.started(1);
        co_await sleep(1ms);
        throw std::runtime_error("later");
      }),
                1);
      started = true;
      co_await sleep_forever();
    }));
    EXPECT_EQ(texts, Texts{"later"});
    EXPECT_TRUE(started);
  });
}

TEST(nursery_start, refuses_to_be_told_twice) {
  on_loops([]() -> Coro<> {
    const auto texts = co_await failures_of(open_nursery([](Nursery& n) -> Coro<> {
      co_await n.start([](TaskStatus<int> status) -> Coro<> {
        status.started(1);
        co_await kit::yield(1);
        status.started(2);
      });
    }));
    EXPECT_EQ(texts, Texts{"called 'started' twice on the same task status"});
  });
}

TEST(nursery_start, a_status_that_nobody_waits_for_is_ignored) {
  on_loops([]() -> Coro<> {
    co_await open_nursery([](Nursery& n) -> Coro<> {
      n.start_soon([]() -> Coro<> { co_await serve("nobody"); });
      co_await kit::yield(4);
      n.cancel_scope().cancel();
    });
  });
}

TEST(nursery_start, that_is_cancelled_cancels_the_child_and_awaits_its_end) {
  on_loops([]() -> Coro<> {
    for (const bool level : {true, false}) {
      bool child_ended = false;
      co_await open_nursery([&](Nursery& n) -> Coro<> {
        const auto start = [&]() -> Coro<> {
          co_await n.start([&](TaskStatus<int>) -> Coro<> {
            try {
              co_await sleep_forever();
            } catch (const CancelledError&) {
            }
            co_await thrown_by<CancelledError>(sleep_forever());  // level-triggered
            (void)co_await with_cancel_scope([]() -> Coro<> { co_await sleep(1ms); },
                                             {.shield = true});
            child_ended = true;
            throw CancelledError();
          });
        };
        if (level) {
          EXPECT_TRUE((co_await move_on_after(2ms, start)).cancelled_caught());
        } else {
          co_await thrown_by<TimeoutError>(timeout(2ms, start));
        }
        EXPECT_TRUE(child_ended);
        EXPECT_EQ(current_task().cancelling(), 0);
        co_await sleep(1ms);  // neither this task nor the nursery is cancelled
      });
    }
  });
}

TEST(nursery_start, that_is_cancelled_at_once_still_ends_the_child) {
  on_loops([]() -> Coro<> {
    bool child_cancelled = false;
    co_await open_nursery([&](Nursery& n) -> Coro<> {
      current_task().cancel("before");
      EXPECT_EQ(co_await thrown_by<CancelledError>(n.start([&](TaskStatus<> s) -> Coro<> {
                  try {
                    co_await sleep_forever();
                  } catch (const CancelledError&) {
                    child_cancelled = true;
                    s.started();  // too late: nothing happens
                    throw;
                  }
                })),
                "before");
      current_task().uncancel();
    });
    EXPECT_TRUE(child_cancelled);
  });
}

TEST(nursery_start, in_a_nursery_that_is_cancelled_throws_the_cancellation) {
  on_loops([]() -> Coro<> {
    for (int round = 0; round < 50; ++round) {
      co_await open_nursery([&](Nursery& n) -> Coro<> {
        n.start_soon([&]() -> Coro<> {
          co_await n.start([](TaskStatus<> status) -> Coro<> {
            co_await sleep(1h);
            status.started();
          });
        });
        co_await kit::yield(round % 5);
        n.cancel_scope().cancel();
      });
    }
  });
}

TEST(nursery_start, whose_child_is_cancelled_says_so_unless_it_is_cancelled_with_it) {
  on_one_loop([]() -> Coro<> {
    for (const bool both : {false, true}) {
      TaskRef child;
      const auto nursery = [&]() -> Coro<> {
        co_await open_nursery([&](Nursery& n) -> Coro<> {
          n.start_soon([&]() -> Coro<> {
            co_await n.start([&](TaskStatus<>) -> Coro<> {
              child = current_task();
              co_await sleep_forever();
            });
          });
          co_await kit::yield(4);
          child.cancel();
          // Runs after the child has ended, and before the task that waits for it goes on.
          if (both) {
            n.start_soon([&]() -> Coro<> {
              n.cancel_scope().cancel();
              co_return;
            });
          }
        });
      };
      if (both) {
        co_await nursery();
      } else {
        EXPECT_EQ(co_await failures_of(nursery()),
                  Texts{"Nursery::start: the child was cancelled before it had started"});
      }
    }
  });
}

TEST(nursery_start, leaves_the_child_alone_once_it_has_started) {
  on_loops([]() -> Coro<> {
    bool worked = false;
    co_await open_nursery([&](Nursery& n) -> Coro<> {
      (void)co_await move_on_after(1ms, [&]() -> Coro<> {
        co_await n.start([&](TaskStatus<> status) -> Coro<> {
          status.started();
          co_await sleep(4ms);
          worked = true;
        });
        co_await sleep_forever();
      });
    });
    EXPECT_TRUE(worked) << "the scope around start() reached the child";
  });
}

TEST(nursery_start, leaves_nothing_to_report) {
  on_one_loop([]() -> Coro<> {
    const kit::Reports reports;
    co_await open_nursery([](Nursery& n) -> Coro<> {
      co_await thrown_by<std::runtime_error>(n.start([](TaskStatus<>) -> Coro<> { co_return; }));
      co_await thrown_by<TimeoutError>(timeout(0s, [&]() -> Coro<> {
        co_await n.start([](TaskStatus<>) -> Coro<> { co_await sleep_forever(); });
      }));
    });
    EXPECT_TRUE(reports.empty()) << reports.text();
  });
}

}  // namespace
