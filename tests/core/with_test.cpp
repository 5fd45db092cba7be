// with: the exit runs once, awaited, in order, however the body ends.
#include <coil/async_generator.hpp>
#include <coil/cancel_scope.hpp>
#include <coil/future.hpp>
#include <coil/task.hpp>
#include <coil/task_group.hpp>
#include <coil/timeout.hpp>
#include <coil/with.hpp>
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

using Notes = std::shared_ptr<std::vector<std::string>>;

std::string outcome(const std::exception_ptr& error) {
  return error ? detail::describe(error) : "no exception";
}

// Notes what happens to it; gives its name.
class Manager {
 public:
  explicit Manager(Notes notes, std::string name = "m")
      : notes_(std::move(notes)), name_(std::move(name)) {}
  Coro<std::string> aenter() {
    co_await kit::yield();
    notes_->push_back("enter " + name_);
    co_return name_;
  }
  Coro<> aexit(std::exception_ptr error) {
    co_await kit::yield();
    notes_->push_back("exit " + name_ + ": " + outcome(error));
  }

 private:
  Notes notes_;
  std::string name_;
};

struct Swallower {
  Coro<> aenter() { co_return; }
  Coro<bool> aexit(std::exception_ptr error) {
    co_await kit::yield();
    co_return error != nullptr;
  }
};

static_assert(AsyncContextManager<Manager>);
static_assert(AsyncContextManager<Swallower&>);
static_assert(!AsyncContextManager<int>);

TEST(with, enters_runs_the_body_and_leaves) {
  on_loops([]() -> Coro<> {
    const Notes notes = std::make_shared<std::vector<std::string>>();
    Manager manager(notes);
    const int length = co_await with(manager, [&](auto& name) -> Coro<int> {
      notes->push_back("body " + name);
      co_await kit::yield();
      co_return static_cast<int>(name.size());
    });
    EXPECT_EQ(length, 1);
    EXPECT_EQ(*notes, (std::vector<std::string>{"enter m", "body m", "exit m: no exception"}));
  });
}

TEST(with, keeps_a_temporary_manager_and_the_body_alive) {
  on_loops([]() -> Coro<> {
    const Notes notes = std::make_shared<std::vector<std::string>>();
    const auto make = [&]() {
      return with(Manager(notes, std::string(40, 't')),
                  [text = std::string(40, 'x')](const std::string& name) -> Coro<std::string> {
                    co_await kit::yield();
                    co_return name + text;
                  });
    };
    EXPECT_EQ(co_await make(), std::string(40, 't') + std::string(40, 'x'));
  });
}

TEST(with, takes_a_body_without_parameter_and_a_manager_that_gives_nothing_or_a_reference) {
  struct Nothing {
    int& entered;
    Coro<> aenter() {
      ++entered;
      co_return;
    }
    Coro<> aexit(std::exception_ptr) { co_return; }
  };
  struct Itself {
    int value = 1;
    Coro<Itself&> aenter() { co_return *this; }
    Coro<> aexit(std::exception_ptr) { co_return; }
  };
  on_loops([]() -> Coro<> {
    int entered = 0;
    co_await with(Nothing{entered}, []() -> Coro<> { co_return; });
    EXPECT_EQ(entered, 1);
    const Notes notes = std::make_shared<std::vector<std::string>>();
    EXPECT_EQ(co_await with(Manager(notes), []() -> Coro<int> { co_return 3; }), 3);
    Itself itself;
    co_await with(itself, [&](auto& same) -> Coro<> {
      EXPECT_EQ(&same, &itself);
      co_return;
    });
    EXPECT_EQ(*co_await with(itself,
                             [](Itself& same) -> Coro<std::unique_ptr<int>> {
                               co_return std::make_unique<int>(same.value);
                             }),
              1);
  });
}

TEST(with, does_not_leave_what_it_could_not_enter) {
  struct Closed {
    int exits = 0;
    Coro<> aenter() { throw std::logic_error("closed"); }
    Coro<> aexit(std::exception_ptr) {
      ++exits;
      co_return;
    }
  };
  on_loops([]() -> Coro<> {
    Closed closed;
    EXPECT_EQ(co_await thrown_by<std::logic_error>(with(closed,
                                                        []() -> Coro<> {
                                                          ADD_FAILURE();
                                                          co_return;
                                                        })),
              "closed");
    EXPECT_EQ(closed.exits, 0);
  });
}

TEST(with, shows_the_exception_to_the_exit_and_throws_it_again) {
  on_loops([]() -> Coro<> {
    const Notes notes = std::make_shared<std::vector<std::string>>();
    const auto body = [](auto&) -> Coro<int> {
      co_await kit::yield();
      throw std::logic_error("no");
    };
    EXPECT_EQ(co_await thrown_by<std::logic_error>(with(Manager(notes), body)), "no");
    EXPECT_EQ(notes->back(), "exit m: std::logic_error: no");
    EXPECT_EQ(notes->size(), 2U);
  });
}

TEST(with, gives_an_optional_if_the_exit_may_swallow) {
  on_loops([]() -> Coro<> {
    const std::optional<int> value = co_await with(Swallower(), []() -> Coro<int> { co_return 4; });
    EXPECT_EQ(value, 4);
    const std::optional<int> swallowed = co_await with(
        Swallower(), []() -> Coro<int> { throw std::logic_error("nobody hears that"); });
    EXPECT_EQ(swallowed, std::nullopt);
    EXPECT_TRUE(co_await with(Swallower(), []() -> Coro<> { co_return; }));
    EXPECT_FALSE(co_await with(Swallower(), []() -> Coro<> { throw 5; }));
  });
}

TEST(with, an_exception_that_is_not_swallowed_goes_on) {
  struct Choosy {
    Coro<> aenter() { co_return; }
    Coro<bool> aexit(std::exception_ptr error) {
      try {
        if (error) std::rethrow_exception(error);
      } catch (const std::logic_error&) {
        co_return true;
      } catch (...) {
      }
      co_return false;
    }
  };
  on_loops([]() -> Coro<> {
    EXPECT_FALSE(co_await with(Choosy(), []() -> Coro<> { throw std::logic_error("a"); }));
    EXPECT_EQ(co_await thrown_by<std::runtime_error>(
                  with(Choosy(), []() -> Coro<> { throw std::runtime_error("b"); })),
              "b");
  });
}

TEST(with, an_exception_of_the_exit_takes_the_place_of_the_bodys) {
  struct Failing {
    Coro<> aenter() { co_return; }
    Coro<> aexit(std::exception_ptr) {
      co_await kit::yield();
      throw std::runtime_error("exit");
    }
  };
  on_loops([]() -> Coro<> {
    EXPECT_EQ(co_await thrown_by<std::runtime_error>(
                  with(Failing(), []() -> Coro<> { throw std::logic_error("body"); })),
              "exit");
    EXPECT_EQ(
        co_await thrown_by<std::runtime_error>(with(Failing(), []() -> Coro<int> { co_return 1; })),
        "exit");
  });
}

TEST(with, leaves_once_on_cancel_and_the_exit_may_await) {
  on_loops([]() -> Coro<> {
    const Notes notes = std::make_shared<std::vector<std::string>>();
    auto task = create_task(with(Manager(notes), []() -> Coro<> { co_await sleep_forever(); }));
    co_await kit::until([&] { return notes->size() == 1 && TaskRef(task).get()->suspended(); });
    task.cancel("stop");
    EXPECT_EQ(co_await thrown_by<CancelledError>(task), "stop");
    EXPECT_EQ(*notes, (std::vector<std::string>{"enter m", "exit m: coil::CancelledError: stop"}));
  });
}

TEST(with, leaves_once_on_timeout_and_on_the_abort_of_a_group) {
  on_loops([]() -> Coro<> {
    const Notes notes = std::make_shared<std::vector<std::string>>();
    const auto forever = []() -> Coro<> { co_await sleep_forever(); };
    co_await thrown_by<TimeoutError>(
        timeout(1ms, [&]() -> Coro<> { co_await with(Manager(notes), forever); }));
    EXPECT_EQ(notes->size(), 2U);
    EXPECT_EQ(co_await kit::failures_of(with_task_group([&](TaskGroup& group) -> Coro<> {
                group.create_task([]() -> Coro<> {
                  co_await sleep(1ms);
                  throw std::logic_error("sibling");
                });
                co_await with(Manager(notes), forever);
              })),
              std::vector<std::string>{"sibling"});
    EXPECT_EQ(notes->size(), 4U);
    EXPECT_EQ(notes->back(), "exit m: coil::CancelledError");
  });
}

TEST(with, in_a_cancelled_scope_the_exits_awaits_throw_unless_shielded) {
  struct Awaiting {
    bool shielded;
    bool& done;
    Coro<> aenter() { co_return; }
    Coro<> aexit(std::exception_ptr) {
      co_await with_cancel_scope([]() -> Coro<> { co_await kit::yield(); }, {.shield = shielded});
      done = true;
    }
  };
  on_loops([]() -> Coro<> {
    for (const bool shielded : {false, true}) {
      bool done = false;
      const auto result = co_await with_cancel_scope([&](CancelScope& scope) -> Coro<> {
        co_await with(Awaiting{shielded, done}, [&]() -> Coro<> {
          scope.cancel();
          co_await sleep_forever();
        });
      });
      EXPECT_TRUE(result.cancelled_caught());
      EXPECT_EQ(done, shielded);
    }
  });
}

TEST(with, a_further_cancel_reaches_the_exit) {
  struct Slow {
    Future<> in_exit;
    Coro<> aenter() { co_return; }
    Coro<> aexit(std::exception_ptr) {
      in_exit.set_result();
      co_await sleep_forever();
    }
  };
  on_loops([]() -> Coro<> {
    auto in_exit = create_future<>();
    auto task = create_task(with(Slow{in_exit}, []() -> Coro<> { co_await kit::yield(); }));
    co_await in_exit;
    co_await kit::until([&] { return TaskRef(task).get()->suspended(); });
    task.cancel("again");
    EXPECT_EQ(co_await thrown_by<CancelledError>(task), "again");
  });
}

TEST(with, nests_in_order) {
  on_loops([]() -> Coro<> {
    const Notes notes = std::make_shared<std::vector<std::string>>();
    co_await with(Manager(notes, "a"), [&]() -> Coro<> {
      co_await with(Manager(notes, "b"), []() -> Coro<> { co_return; });
    });
    EXPECT_EQ(*notes, (std::vector<std::string>{"enter a", "enter b", "exit b: no exception",
                                                "exit a: no exception"}));
  });
}

TEST(with, aclosing_closes_a_generator_at_the_end) {
  on_loops([]() -> Coro<> {
    bool closed = false;
    auto make = [&]() -> AsyncGenerator<int> {
      try {
        for (int i = 0;; ++i) co_yield i;
      } catch (const GeneratorExit&) {
      }
      co_await kit::yield(2);
      closed = true;
    };
    EXPECT_EQ(co_await thrown_by<std::logic_error>(with(aclosing(make()),
                                                        [](auto& items) -> Coro<> {
                                                          EXPECT_EQ(co_await items.next(), 0);
                                                          throw std::logic_error("out");
                                                        })),
              "out");
    EXPECT_TRUE(closed);
    closed = false;
    auto named = make();
    co_await with(aclosing(named), [&]() -> Coro<> { co_await named.next(); });
    EXPECT_TRUE(closed);
  });
}

}  // namespace
