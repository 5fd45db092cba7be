// Context variables: who sees what was set, and for how long.
#include <coil/context.hpp>
#include <coil/future.hpp>
#include <coil/gather.hpp>
#include <coil/loop.hpp>
#include <coil/runner.hpp>
#include <coil/task.hpp>
#include <kit/loops.hpp>
#include <kit/thrown.hpp>
#include <memory>
#include <string>
#include <thread>
#include <vector>

using namespace coil;
using kit::on_loops;
using kit::on_one_loop;
using namespace std::chrono_literals;

namespace {

ContextVar<int> number{"number", 0};
ContextVar<std::string> text{"text"};

// What the function throws, as text. Fails the test if it throws another type, or nothing.
template <class E, class Fn>
std::string error_of(Fn fn) {
  try {
    fn();
  } catch (const E& error) {
    return error.what();
  } catch (...) {
    ADD_FAILURE() << detail::describe(std::current_exception());
    return "";
  }
  ADD_FAILURE() << "did not throw";
  return "";
}

// Runs it in a context of its own, whatever other tests left behind on this thread.
template <class Fn>
void in_empty_context(Fn fn) {
  Context().run(fn);
}

TEST(context_var, gives_its_default_until_it_is_set) {
  in_empty_context([] {
    EXPECT_EQ(number.get(), 0);
    EXPECT_EQ(number.get(7), 7) << "a fallback beats the default";
    number.set(1);
    EXPECT_EQ(number.get(), 1);
    EXPECT_EQ(number.get(7), 1);
    const ContextVar deduced("deduced", 2.5);
    EXPECT_EQ(deduced.get(), 2.5);
    EXPECT_EQ(deduced.name(), "deduced");
  });
}

TEST(context_var, without_value_or_default_throws_lookup_error_with_its_name) {
  in_empty_context([] {
    const auto what = error_of<LookupError>([] { (void)text.get(); });
    EXPECT_NE(what.find("'text'"), std::string::npos) << what;
    EXPECT_EQ(text.get("fallback"), "fallback");
    text.set("set");
    EXPECT_EQ(text.get(), "set");
  });
}

TEST(context_var, reset_brings_back_what_was_before_and_knows_when_nothing_was) {
  in_empty_context([] {
    const auto first = text.set("one");
    EXPECT_EQ(first.old_value(), std::nullopt);
    const auto second = text.set("two");
    EXPECT_EQ(second.old_value(), "one");
    text.reset(second);
    EXPECT_EQ(text.get(), "one");
    text.reset(first);
    EXPECT_EQ(text.get("unset"), "unset");
    // In any order, as in Python.
    auto a = number.set(1);
    auto b = number.set(2);
    number.reset(a);
    EXPECT_EQ(number.get(), 0);
    number.reset(b);
    EXPECT_EQ(number.get(), 1);
  });
}

TEST(context_var, reset_refuses_a_token_that_was_used_or_is_not_its_own) {
  in_empty_context([] {
    ContextVar<int> other{"other", 0};
    const auto token = number.set(1);
    EXPECT_NE(error_of<std::invalid_argument>([&] { other.reset(token); }).find("another Context"),
              std::string::npos);
    number.reset(token);
    EXPECT_NE(error_of<std::runtime_error>([&] { number.reset(token); }).find("already been used"),
              std::string::npos);
    auto moved_from = number.set(2);
    const auto moved = std::move(moved_from);
    EXPECT_THROW(number.reset(moved_from),
                 std::runtime_error);  // NOLINT(bugprone-use-after-move): tested
    number.reset(moved);
    const auto elsewhere = Context().run([] { return number.set(3); });
    EXPECT_NE(error_of<std::invalid_argument>([&] { number.reset(elsewhere); }).find("context"),
              std::string::npos);
  });
}

TEST(context_var, reset_refuses_a_token_of_a_task_that_has_gone) {
  on_loops([]() -> Coro<> {
    number.set(1);
    const auto token = co_await create_task([]() -> Coro<std::shared_ptr<Token<int>>> {
      co_return std::make_shared<Token<int>>(number.set(2));
    });
    // The next task has its memory, most likely.
    co_await create_task([token]() -> Coro<> {
      EXPECT_THROW(number.reset(*token), std::invalid_argument);
      number.set(3);
      EXPECT_THROW(number.reset(*token), std::invalid_argument);
      co_return;
    });
    EXPECT_THROW(number.reset(*token), std::invalid_argument);
    EXPECT_EQ(number.get(), 1);
  });
}

TEST(context_var, may_be_many_and_each_keeps_its_own_value) {
  in_empty_context([] {
    std::vector<std::unique_ptr<ContextVar<std::size_t>>> vars;
    for (std::size_t i = 0; i < 600; ++i)
      vars.push_back(std::make_unique<ContextVar<std::size_t>>("v" + std::to_string(i), 9999U));
    std::vector<Token<std::size_t>> tokens;
    // Backwards, so that the map has to grow at both ends.
    for (std::size_t i = vars.size(); i-- > 0;) tokens.push_back(vars[i]->set(i));
    const Context before = copy_context();
    EXPECT_EQ(before.size(), 600U);
    for (std::size_t i = 0; i < vars.size(); ++i) EXPECT_EQ(vars[i]->get(), i);
    for (std::size_t i = 0; i < vars.size(); i += 2) vars[i]->reset(tokens[vars.size() - 1 - i]);
    for (std::size_t i = 0; i < vars.size(); ++i) EXPECT_EQ(vars[i]->get(), i % 2 == 0 ? 9999 : i);
    EXPECT_EQ(copy_context().size(), 300U);
    EXPECT_EQ(before.size(), 600U) << "a copy does not change";
  });
}

TEST(context, a_task_copies_its_makers_when_it_is_made) {
  on_loops([]() -> Coro<> {
    number.set(1);
    auto task = create_task([]() -> Coro<int> {
      const int inherited = number.get();
      number.set(100);
      co_await kit::yield(3);
      co_return inherited * 1000 + number.get();
    });
    number.set(2);  // too late for the task
    EXPECT_EQ(co_await task, 1100);
    EXPECT_EQ(number.get(), 2) << "what a task sets is its own";
  });
}

TEST(context, is_handed_down_to_an_eager_task_and_by_gather) {
  on_loops([]() -> Coro<> {
    number.set(5);
    const auto read = []() -> Coro<int> {
      number.set(number.get() + 1);
      co_return number.get();
    };
    EXPECT_EQ(co_await create_task(read(), {.eager = true}), 6);
    const auto [a, b] = co_await gather(read(), read());
    EXPECT_EQ(a + b, 12);
    EXPECT_EQ(number.get(), 5);
  });
}

TEST(context, a_coroutine_awaited_in_place_shares_it) {
  on_loops([]() -> Coro<> {
    number.set(1);
    co_await []() -> Coro<> {
      EXPECT_EQ(number.get(), 1);
      co_await kit::yield();
      number.set(2);
    }();
    EXPECT_EQ(number.get(), 2);
  });
}

TEST(context, follows_its_task_from_loop_to_loop) {
  on_loops([]() -> Coro<> {
    std::vector<Task<>> tasks;
    for (int i = 1; i <= 64; ++i) {
      tasks.push_back(create_task([i]() -> Coro<> {
        number.set(i);
        const auto token = text.set(std::to_string(i));
        for (int k = 0; k < 50; ++k) {
          co_await kit::yield();
          EXPECT_EQ(number.get(), i);
          EXPECT_EQ(text.get(), std::to_string(i));
        }
        text.reset(token);
        EXPECT_EQ(text.get("none"), "none");
      }));
    }
    for (auto& task : tasks) co_await task;
  });
}

TEST(context, of_the_thread_that_calls_run_is_where_main_begins) {
  in_empty_context([] {
    number.set(11);
    on_loops([]() -> Coro<> {
      EXPECT_EQ(number.get(), 11);
      number.set(12);
      co_return;
    });
    EXPECT_EQ(number.get(), 11);
  });
}

TEST(context, is_one_for_all_runs_of_a_runner) {
  Runner runner({.loops = 1});
  runner.run([]() -> Coro<> {
    number.set(21);
    co_return;
  });
  EXPECT_EQ(runner.run([]() -> Coro<int> { co_return number.get(); }), 21);
}

TEST(context, of_a_callback_is_what_it_was_when_it_was_registered) {
  on_one_loop([]() -> Coro<> {
    Loop& loop = get_running_loop();
    auto done = create_future<>();
    std::vector<int> seen;
    const auto note = [&] {
      seen.push_back(number.get());
      number.set(1000);  // nobody else sees that
    };
    number.set(1);
    loop.call_soon(note);
    number.set(2);
    loop.call_soon(note);
    number.set(3);
    loop.call_soon_threadsafe(note);
    number.set(4);
    loop.call_later(1ms, note);
    number.set(5);
    loop.call_at(loop.time() + 2ms, note);
    number.set(6);
    done.add_done_callback([note](const Future<>&) { note(); });
    number.set(7);
    done.set_result();
    while (seen.size() < 6) co_await sleep(1ms);
    std::sort(seen.begin(), seen.end());
    EXPECT_EQ(seen, (std::vector<int>{1, 2, 3, 4, 5, 6}));
    EXPECT_EQ(number.get(), 7);
  });
}

TEST(context, of_a_callback_is_inherited_by_the_task_that_it_makes) {
  on_loops([]() -> Coro<> {
    auto result = create_future<int>();
    number.set(8);
    get_running_loop().call_soon([result] {
      number.set(number.get() + 1);
      create_task([result]() -> Coro<> {
        result.set_result(number.get());
        co_return;
      });
    });
    EXPECT_EQ(co_await result, 9);
  });
}

TEST(context, of_a_callback_that_was_registered_without_one_is_empty) {
  KIT_USES_THREADS();
  in_empty_context([] {
    number.set(77);  // the thread that drives loop 0
    on_one_loop([]() -> Coro<> {
      auto seen = create_future<int>();
      std::thread([&loop = get_running_loop(), seen] {
        loop.call_soon_threadsafe([seen] { seen.set_result(number.get()); });
      }).join();
      EXPECT_EQ(co_await seen, 0);
      EXPECT_EQ(number.get(), 77);
    });
  });
}

TEST(context, of_each_thread_is_its_own) {
  KIT_USES_THREADS();
  in_empty_context([] {
    number.set(1);
    int inside = -1;
    int copied = -1;
    std::thread([&, context = copy_context()] {
      inside = number.get();
      number.set(2);
      copied = context.run([] { return number.get(); });
      EXPECT_EQ(number.get(), 2);
    }).join();
    EXPECT_EQ(inside, 0);
    EXPECT_EQ(copied, 1);
    EXPECT_EQ(number.get(), 1);
  });
}

TEST(context, run_calls_the_function_in_it_and_keeps_what_that_sets) {
  on_loops([]() -> Coro<> {
    number.set(1);
    const Context copy = copy_context();
    number.set(2);
    EXPECT_EQ(copy.run([](int a, int b) { return number.get() * 100 + a * 10 + b; }, 2, 3), 123);
    copy.run([] { number.set(4); });
    EXPECT_EQ(copy[number], 4);
    EXPECT_EQ(number.get(), 2);
    EXPECT_THROW(copy.run([] { throw std::logic_error("no"); }), std::logic_error);
    EXPECT_EQ(number.get(), 2) << "left by an exception too";
    const Context nested;
    EXPECT_EQ(copy.run([&] { return nested.run([] { return number.get(); }) + number.get(); }), 4);
    int x = 5;
    int& same = copy.run([&]() -> int& { return x; });
    EXPECT_EQ(&same, &x);
    co_return;
  });
}

TEST(context, run_refuses_a_context_that_is_entered_already) {
  on_loops([]() -> Coro<> {
    const Context context;
    context.run([&] {
      EXPECT_NE(error_of<std::runtime_error>([&] { context.run([] {}); }).find("already entered"),
                std::string::npos);
    });
    context.run([] {});
    // A task's own context is entered as long as it runs.
    EXPECT_THROW(current_task().get_context().run([] {}), std::runtime_error);
    co_return;
  });
}

TEST(context, run_hands_it_down_to_the_task_made_inside) {
  on_loops([]() -> Coro<> {
    const Context context;
    context.run([] { number.set(31); });
    auto task = context.run(
        [] { return create_task([]() -> Coro<int> { co_return number.get(); }, {.eager = true}); });
    EXPECT_EQ(co_await task, 31);
    EXPECT_EQ(number.get(), 0);
  });
}

TEST(context, an_eager_task_made_inside_run_has_its_own) {
  on_loops([]() -> Coro<> {
    const Context context;
    context.run([&] {
      number.set(1);
      create_task(
          []() -> Coro<> {
            number.set(2);
            co_return;
          },
          {.eager = true});
      EXPECT_EQ(number.get(), 1);
    });
    EXPECT_EQ(context[number], 1);
    co_return;
  });
}

TEST(context, given_to_a_task_is_the_one_it_runs_in) {
  on_loops([]() -> Coro<> {
    const Context context;
    context.run([] { number.set(40); });
    const auto add = []() -> Coro<int> {
      co_await kit::yield();
      number.set(number.get() + 1);
      co_return number.get();
    };
    EXPECT_EQ(co_await create_task(add(), {.name = "first", .context = context}), 41);
    EXPECT_EQ(co_await create_task(add(), {.context = context, .affinity = Affinity::loop}), 42);
    EXPECT_EQ(context[number], 42);
    EXPECT_EQ(number.get(), 0);
  });
}

TEST(context, that_tasks_share_may_be_used_by_them_in_parallel) {
  on_loops([]() -> Coro<> {
    const Context context;
    std::vector<Task<>> tasks;
    for (int i = 0; i < 8; ++i) {
      tasks.push_back(create_task(
          [i]() -> Coro<> {
            for (int k = 0; k < 200; ++k) {
              const auto token = text.set(std::string(30, static_cast<char>('a' + i)));
              const auto seen = text.get("");
              EXPECT_TRUE(seen.empty() || seen == std::string(30, seen[0]));
              if (k % 10 == 0) co_await kit::yield();
              text.reset(token);
            }
          },
          {.context = context}));
    }
    for (auto& task : tasks) co_await task;
  });
}

TEST(context, get_context_of_a_task_shows_what_it_sets_later) {
  on_loops([]() -> Coro<> {
    number.set(1);
    auto gate = create_future<>();
    auto task = create_task([gate]() -> Coro<> {
      const auto token = number.set(2);
      co_await gate;
      number.reset(token);
      EXPECT_EQ(number.get(), 1);
      number.set(3);
    });
    co_await kit::until([&] { return TaskRef(task).get()->suspended(); });
    const Context context = task.get_context();
    EXPECT_EQ(context[number], 2);
    gate.set_result();
    co_await task;
    EXPECT_EQ(context[number], 3);
    EXPECT_EQ(TaskRef(task).get_context()[number], 3);
  });
}

TEST(context, get_context_may_be_called_while_the_task_sets_and_reads) {
  on_loops([]() -> Coro<> {
    for (int round = 0; round < 100; ++round) {
      auto task = create_task([]() -> Coro<> {
        for (int i = 0; i < 50; ++i) {
          const auto token = text.set(std::string(40, 'x'));
          number.set(i);
          EXPECT_EQ(number.get(), i);
          EXPECT_EQ(text.get(), std::string(40, 'x'));
          text.reset(token);
          if (i % 16 == 0) co_await kit::yield();
        }
      });
      if (round % 3 != 0) co_await kit::yield(round % 3);
      const Context context = task.get_context();
      EXPECT_LT(context.get(number).value_or(0), 50);
      co_await task;
      EXPECT_EQ(context[number], 49);
      EXPECT_FALSE(context.contains(text));
    }
  });
}

TEST(context, copy_is_independent) {
  in_empty_context([] {
    number.set(1);
    const Context a = copy_context();
    const Context b = a.copy();
    const Context same = a;
    a.run([] { number.set(2); });
    EXPECT_EQ(a[number], 2);
    EXPECT_EQ(same[number], 2);
    EXPECT_EQ(b[number], 1);
    EXPECT_EQ(number.get(), 1);
    EXPECT_EQ(b.get(text), std::nullopt);
    EXPECT_THROW((void)b[text], LookupError);
    EXPECT_TRUE(b.contains(number));
    EXPECT_EQ(b.size(), 1U);
  });
}

TEST(context, lets_its_values_go_with_the_last_who_has_it) {
  ContextVar<std::shared_ptr<int>> shared{"shared", nullptr};
  std::weak_ptr<int> watch;
  on_one_loop([&]() -> Coro<> {
    auto value = std::make_shared<int>(1);
    watch = value;
    co_await create_task([&shared, value = std::move(value)]() -> Coro<> {
      shared.set(value);
      co_await create_task([&shared]() -> Coro<> {
        EXPECT_EQ(*shared.get(), 1);
        co_return;
      });
    });
    co_await kit::yield();
    EXPECT_TRUE(watch.expired());
  });
}

}  // namespace
