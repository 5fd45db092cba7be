// What users of asyncio start from, from the tutorials' first page on.
#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <random>

#include "scenario.hpp"

using namespace coil;
using namespace conformance;

namespace {

Coro<std::string> fetch(std::string name, int count) {
  co_await tick(count);
  co_return name + " done";
}

}  // namespace

SCENARIO(one_after_the_other_takes_the_sum) {
  const auto a = co_await fetch("a", 1);
  log(a, co_await fetch("b", 2));
  log("ticks", passed());
}

SCENARIO(side_by_side_takes_the_longest) {
  auto [a, b] = co_await gather(fetch("a", 1), fetch("b", 2));
  log(std::vector{a, b});
  log("ticks", passed());
}

SCENARIO(tasks_run_while_main_does_something_else) {
  auto say = [](std::string text, int count) -> Coro<> {
    co_await tick(count);
    log(text, "at", passed());
  };
  auto hello = create_task(say("hello", 1));
  auto world = create_task(say("world", 2));
  log("started at", passed());
  co_await hello;
  co_await world;
  log("finished at", passed());
}

SCENARIO(a_limit_on_how_long_to_wait) {
  try {
    co_await wait_for(fetch("slow", 50), ticks(1));
  } catch (const TimeoutError&) {
    log("timeout!");
  }
}

SCENARIO(retry_with_growing_delays) {
  std::vector<Ticks> attempts;
  auto unreliable = [&]() -> Coro<std::string> {
    attempts.push_back(passed());
    if (attempts.size() < 4) throw ValueError("not yet");
    co_return "at last";
  };
  auto retry = [&](int attempts_max, int delay) -> Coro<std::string> {
    for (int attempt = 0;; ++attempt) {
      try {
        co_return co_await unreliable();
      } catch (const ValueError&) {
        if (attempt + 1 == attempts_max) throw;
      }
      co_await tick(delay);
      delay *= 2;
    }
  };
  log(co_await retry(5, 1));
  log("tried at", attempts);
}

SCENARIO(a_worker_stops_when_it_is_cancelled) {
  auto worker = []() -> Coro<> {
    int count = 0;
    try {
      for (;;) {
        co_await tick(1);
        ++count;
      }
    } catch (const CancelledError&) {
      log("worked more than once:", count > 1);
      throw;
    }
  };
  auto task = create_task(worker());
  co_await tick(5);
  task.cancel();
  try {
    co_await task;
  } catch (const CancelledError&) {
    log("stopped");
  }
}

SCENARIO(the_most_important_work_is_shielded) {
  auto save = []() -> Coro<> {
    co_await tick(2);
    log("saved");
  };
  auto request = [&]() -> Coro<> { co_await shield(save()); };
  auto task = create_task(request());
  co_await tick();
  task.cancel();
  log(co_await outcome(task));
  co_await tick(2);
}

SCENARIO(a_callback_becomes_a_future) {
  auto legacy_read = [](auto on_done) {
    get_running_loop().call_later(ticks(1), [=] { on_done("payload"); });
  };
  auto read = [&]() -> Coro<std::string> {
    auto future = create_future<std::string>();
    legacy_read([=](const char* data) { future.set_result(data); });
    co_return co_await future;
  };
  const auto first = co_await read();
  log(first, co_await wait_for(read(), ticks(5)));
}

SCENARIO(a_callback_that_is_called_twice_counts_once) {
  auto legacy_read = [](auto on_data, auto on_error) {
    Loop& loop = get_running_loop();
    loop.call_later(ticks(1), [=] { on_data("first"); });
    loop.call_later(ticks(2), [=] { on_data("second"); });
    loop.call_later(ticks(3), [=] { on_error(ValueError("late")); });
  };
  auto future = create_future<std::string>();
  legacy_read(
      [=](const char* data) { log(future.try_set_result(data) ? "accepted" : "ignored", data); },
      [=](const ValueError& error) {
        if (!future.try_set_exception(error)) log("ignored", std::make_exception_ptr(error));
      });
  log(co_await future);
  co_await tick(4);
}

SCENARIO(a_callback_after_the_waiter_was_cancelled_is_harmless) {
  auto future = create_future<std::string>();
  get_running_loop().call_later(ticks(3), [=] {
    if (!future.try_set_result("data")) log("nobody wants it any more");
  });
  try {
    co_await wait_for(future, ticks(1));
  } catch (const TimeoutError&) {
    log("gave up");
  }
  co_await tick(3);
}

SCENARIO(results_are_worked_on_in_a_pipeline) {
  auto download = [](int i) -> Coro<int> {
    co_await tick(1);
    co_return i * 10;
  };
  auto parse = [&](int i) -> Coro<int> {
    const int data = co_await download(i);
    co_await tick(1);
    co_return data + 1;
  };
  std::vector<Coro<int>> all;
  for (int i = 0; i < 5; ++i) all.push_back(parse(i));
  log(co_await gather(std::move(all)));
  log("ticks", passed());
}

SCENARIO(a_periodic_task_with_a_stop) {
  std::vector<Ticks> beats;
  auto heartbeat = [&]() -> Coro<> {
    for (;;) {
      beats.push_back(passed());
      co_await tick(2);
    }
  };
  auto task = create_task(heartbeat());
  co_await tick(5);
  task.cancel();
  co_await gather_results(task);
  log(beats);
}

SCENARIO(the_first_answer_wins_and_the_others_are_cancelled) {
  auto answer = create_future<std::string>();
  std::mutex mutex;
  std::vector<std::string> cancelled;
  auto ask = [&](std::string name, int count) -> Coro<> {
    try {
      co_await tick(count);
      answer.try_set_result(name);
    } catch (const CancelledError&) {
      const std::lock_guard lock(mutex);
      cancelled.push_back(name);
      throw;
    }
  };
  std::vector tasks{create_task(ask("slow", 9)), create_task(ask("fast", 1)),
                    create_task(ask("middle", 5))};
  log("winner", co_await answer);
  for (auto& task : tasks) task.cancel();
  co_await gather_results(tasks);
  std::sort(cancelled.begin(), cancelled.end());
  log("cancelled", cancelled, "at", passed());
}

SCENARIO(a_cache_of_tasks_fetches_once) {
  std::map<std::string, Task<std::string>> cache;
  std::vector<std::string> fetched;
  auto load = [&](std::string key) -> Coro<std::string> {
    fetched.push_back(key);
    co_await tick();
    for (char& c : key) c = static_cast<char>(c - 'a' + 'A');
    co_return key;
  };
  auto get = [&](std::string key) -> Coro<std::string> {
    if (!cache.contains(key)) cache[key] = create_task(load(key));
    co_return co_await cache[key];
  };
  std::vector<std::string> got;
  for (const auto* key : {"a", "b", "a"}) got.push_back(co_await get(key));
  log(got);
  log("fetched", fetched);
}

SCENARIO(some_of_many_fail_and_the_rest_counts) {
  auto job = [](int i) -> Coro<int> {
    co_await tick(1 + i % 3);
    if (i % 4 == 0) throw ValueError(std::to_string(i));
    co_return i;
  };
  std::vector<Coro<int>> jobs;
  for (int i = 0; i < 20; ++i) jobs.push_back(job(i));
  int good = 0;
  std::vector<std::exception_ptr> failed;
  for (const auto& result : co_await gather_results(std::move(jobs))) {
    if (result.has_value()) {
      good += result.value();
    } else {
      failed.push_back(result.error());
    }
  }
  log("good", good);
  log("failed", failed.size(), failed);
}

SCENARIO(a_shutdown_awaits_every_worker) {
  auto worker = [](std::string name, int count) -> Coro<> {
    std::exception_ptr error;
    try {
      co_await tick(100);
    } catch (...) {
      error = std::current_exception();
    }
    co_await tick(count);
    log(name, "closed at", passed());
    std::rethrow_exception(error);
  };
  std::vector workers{create_task(worker("a", 3)), create_task(worker("b", 1)),
                      create_task(worker("c", 2))};
  co_await tick();
  for (auto& task : workers) task.cancel();
  log(co_await gather_results(workers));
}

SCENARIO(a_deadline_is_shared_by_several_steps) {
  std::vector<int> steps;
  auto run = timeout(ticks(5), [&]() -> Coro<> {
    for (int step = 0; step < 4; ++step) {
      co_await tick(2);
      steps.push_back(step);
    }
  });
  log(co_await outcome(std::move(run)));
  log("steps", steps, "at", passed());
}

SCENARIO(random_sleeps_sort_nothing_but_gather_does) {
  std::mt19937 rng(7);  // NOLINT(bugprone-random-generator-seed): the same each time
  auto job = [](int i, int count) -> Coro<int> {
    co_await tick(count);
    co_return i;
  };
  std::vector<Coro<int>> jobs;
  for (int i = 0; i < 12; ++i) jobs.push_back(job(i, static_cast<int>(rng() % 4)));
  log(co_await gather(std::move(jobs)));
}
