// AsyncExitStack: last in, first out, as contextlib's.
#include <coil/async_exit_stack.hpp>
#include <coil/future.hpp>
#include <coil/task.hpp>
#include <kit/loops.hpp>
#include <kit/thrown.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

using namespace coil;
using kit::on_loops;
using kit::thrown_by;
using namespace std::chrono_literals;

namespace {

using Notes = std::vector<std::string>;

struct Manager {
  Notes& notes;
  std::string name;
  Coro<std::string> aenter() {
    co_await kit::yield();
    notes.push_back("enter " + name);
    co_return name;
  }
  Coro<> aexit(std::exception_ptr error) {
    co_await kit::yield();
    notes.push_back("exit " + name + (error ? " after " + detail::describe(error) : ""));
  }
};

TEST(async_exit_stack, leaves_what_it_entered_newest_first) {
  on_loops([]() -> Coro<> {
    Notes notes;
    Manager named{notes, "named"};
    const auto done = co_await with(AsyncExitStack(), [&](AsyncExitStack& stack) -> Coro<int> {
      EXPECT_EQ(co_await stack.enter(Manager{notes, std::string(40, 't')}), std::string(40, 't'));
      EXPECT_EQ(co_await stack.enter(named), "named");
      co_return 7;
    });
    EXPECT_EQ(done, 7);
    EXPECT_EQ(notes, (Notes{"enter " + std::string(40, 't'), "enter named", "exit named",
                            "exit " + std::string(40, 't')}));
  });
}

TEST(async_exit_stack, runs_callbacks_of_both_kinds_with_their_arguments) {
  on_loops([]() -> Coro<> {
    Notes notes;
    AsyncExitStack stack;
    stack.callback(
        [&](const std::string& text, int n) { notes.push_back(text + std::to_string(n)); },
        std::string("plain"), 1);
    stack.push_async_callback(
        [&notes](std::unique_ptr<int> number) -> Coro<> {
          co_await kit::yield();
          notes.push_back("async" + std::to_string(*number));
        },
        std::make_unique<int>(2));
    stack.callback([captured = std::make_shared<std::string>(100, 'c'), &notes] {
      notes.push_back(*captured);
    });
    EXPECT_TRUE(notes.empty());
    co_await stack.aclose();
    EXPECT_EQ(notes, (Notes{std::string(100, 'c'), "async2", "plain1"}));
    co_await stack.aclose();
    EXPECT_EQ(notes.size(), 3U) << "once";
  });
}

TEST(async_exit_stack, copies_text_that_its_callbacks_are_given_as_a_view) {
  on_loops([]() -> Coro<> {
    Notes notes;
    AsyncExitStack stack;
    {
      const std::string text(100, 't');
      stack.callback([&](std::string_view view) { notes.emplace_back(view); },
                     std::string_view(text));
      stack.push_async_callback(
          [&](std::string_view view) -> Coro<> {
            notes.emplace_back(view);
            co_return;
          },
          std::string_view(text));
    }
    co_await stack.aclose();
    EXPECT_EQ(notes, (Notes{std::string(100, 't'), std::string(100, 't')}));
  });
}

TEST(async_exit_stack, shows_the_exception_until_somebody_swallows_it) {
  on_loops([]() -> Coro<> {
    Notes notes;
    const auto note = [&notes](const char* who, bool swallow) {
      return [&notes, who, swallow](std::exception_ptr error) -> Coro<bool> {
        notes.push_back(std::string(who) + (error ? " sees it" : " sees nothing"));
        co_return swallow;
      };
    };
    const auto result = co_await with(AsyncExitStack(), [&](AsyncExitStack& stack) -> Coro<int> {
      stack.push_async_exit(note("first", false));
      stack.push_async_exit(note("second", true));
      stack.push_async_exit(note("third", false));
      throw std::logic_error("no");
    });
    EXPECT_EQ(result, std::nullopt);
    EXPECT_EQ(notes, (Notes{"third sees it", "second sees it", "first sees nothing"}));
  });
}

TEST(async_exit_stack, goes_on_when_one_throws_and_throws_the_last) {
  on_loops([]() -> Coro<> {
    Notes notes;
    AsyncExitStack stack;
    co_await [](AsyncExitStack& s, Notes& n) -> Coro<> {
      (void)co_await s.enter(Manager{n, "outer"});
    }(stack, notes);
    stack.callback([] { throw std::logic_error("first"); });
    stack.push_async_callback([]() -> Coro<> { throw std::logic_error("second"); });
    EXPECT_EQ(co_await thrown_by<std::logic_error>(stack.aclose()), "first");
    EXPECT_EQ(notes.back(), "exit outer after std::logic_error: first");
    // What is thrown later may still be swallowed.
    stack.push_async_exit(
        [](std::exception_ptr error) -> Coro<bool> { co_return error != nullptr; });
    stack.callback([] { throw std::logic_error("third"); });
    co_await stack.aclose();
  });
}

TEST(async_exit_stack, an_exit_that_throws_takes_the_place_of_the_bodys_exception) {
  on_loops([]() -> Coro<> {
    EXPECT_EQ(co_await thrown_by<std::runtime_error>(with(AsyncExitStack(),
                                                          [](AsyncExitStack& stack) -> Coro<> {
                                                            stack.callback([] {
                                                              throw std::runtime_error("clean-up");
                                                            });
                                                            throw std::logic_error("body");
                                                          })),
              "clean-up");
    EXPECT_EQ(co_await thrown_by<std::logic_error>(with(AsyncExitStack(),
                                                        [](AsyncExitStack& stack) -> Coro<> {
                                                          stack.callback([] {});
                                                          throw std::logic_error("body");
                                                        })),
              "body");
  });
}

TEST(async_exit_stack, does_not_leave_what_could_not_be_entered) {
  struct Closed {
    Coro<> aenter() { throw std::logic_error("closed"); }
    Coro<> aexit(std::exception_ptr) {
      ADD_FAILURE();
      co_return;
    }
  };
  on_loops([]() -> Coro<> {
    Notes notes;
    EXPECT_EQ(
        co_await thrown_by<std::logic_error>(with(AsyncExitStack(),
                                                  [&](AsyncExitStack& stack) -> Coro<> {
                                                    (void)co_await stack.enter(Manager{notes, "a"});
                                                    co_await stack.enter(Closed());
                                                  })),
        "closed");
    EXPECT_EQ(notes.back(), "exit a after std::logic_error: closed");
  });
}

TEST(async_exit_stack, pop_all_hands_everything_on) {
  on_loops([]() -> Coro<> {
    Notes notes;
    AsyncExitStack kept;
    co_await with(AsyncExitStack(), [&](AsyncExitStack& stack) -> Coro<> {
      (void)co_await stack.enter(Manager{notes, "a"});
      kept = stack.pop_all();
      stack.callback([&] { notes.push_back("mine"); });
    });
    EXPECT_EQ(notes, (Notes{"enter a", "mine"}));
    co_await kept.aclose();
    EXPECT_EQ(notes.back(), "exit a");
  });
}

TEST(async_exit_stack, gives_what_aenter_gives_as_it_is) {
  struct Itself {
    Coro<Itself&> aenter() { co_return *this; }
    Coro<> aexit(std::exception_ptr) { co_return; }
  };
  struct Pointer {
    Coro<std::unique_ptr<int>> aenter() { co_return std::make_unique<int>(3); }
    Coro<> aexit(std::exception_ptr) { co_return; }
  };
  on_loops([]() -> Coro<> {
    AsyncExitStack stack;
    Itself itself;
    EXPECT_EQ(&co_await stack.enter(itself), &itself);
    Itself& kept = co_await stack.enter(Itself());
    EXPECT_NE(&kept, &itself);
    EXPECT_EQ(*co_await stack.enter(Pointer()), 3);
    co_await stack.aclose();
  });
}

TEST(async_exit_stack, leaves_everything_when_its_task_is_cancelled) {
  on_loops([]() -> Coro<> {
    Notes notes;
    auto ready = create_future<>();
    auto task = create_task([&]() -> Coro<> {
      co_await with(AsyncExitStack(), [&](AsyncExitStack& stack) -> Coro<> {
        (void)co_await stack.enter(Manager{notes, "a"});
        stack.push_async_callback([&]() -> Coro<> {
          co_await kit::yield(2);
          notes.push_back("callback");
        });
        ready.set_result();
        co_await sleep_forever();
      });
    });
    co_await ready;
    task.cancel("stop");
    EXPECT_EQ(co_await thrown_by<CancelledError>(task), "stop");
    EXPECT_EQ(notes, (Notes{"enter a", "callback", "exit a after coil::CancelledError: stop"}));
  });
}

TEST(async_exit_stack, is_a_manager_by_hand_too) {
  static_assert(AsyncContextManager<AsyncExitStack>);
  on_loops([]() -> Coro<> {
    Notes notes;
    AsyncExitStack stack;
    AsyncExitStack& entered = co_await stack.aenter();
    EXPECT_EQ(&entered, &stack);
    entered.callback([&] { notes.emplace_back("left"); });
    entered.push_async_exit([&](std::exception_ptr error) -> Coro<bool> {
      notes.push_back(error ? detail::describe(error) : "nothing");
      co_return error != nullptr;
    });
    EXPECT_TRUE(co_await stack.aexit(std::make_exception_ptr(std::runtime_error("bad"))));
    EXPECT_EQ(notes.size(), 2U);
    EXPECT_NE(notes.at(0).find("bad"), std::string::npos);
    EXPECT_EQ(notes.at(1), "left");
    EXPECT_FALSE(co_await stack.aexit(nullptr)) << "nothing is on it any more";
    EXPECT_EQ(notes.size(), 2U);
  });
}

}  // namespace
