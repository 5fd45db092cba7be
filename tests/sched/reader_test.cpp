// Loop::add_reader and add_writer.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <coil/detail/loops.hpp>
#include <coil/event.hpp>
#include <coil/runner.hpp>
#include <cstdlib>
#include <kit/loops.hpp>
#include <kit/needs_kernel.hpp>
#include <kit/reports.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>

using namespace coil;
using namespace std::chrono_literals;

namespace {

class Pipe {
 public:
  Pipe() { EXPECT_EQ(::pipe2(ends_.data(), O_CLOEXEC | O_NONBLOCK), 0); }
  ~Pipe() {
    ::close(ends_[0]);
    close_writer();
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  [[nodiscard]] int reader() const { return ends_[0]; }
  [[nodiscard]] int writer() const { return ends_[1]; }
  void close_writer() {
    if (ends_[1] >= 0) ::close(ends_[1]);
    ends_[1] = -1;
  }
  void put(char c) const { EXPECT_EQ(::write(writer(), &c, 1), 1); }
  // 0: the end, or nothing there.
  [[nodiscard]] char get() const {
    char c = 0;
    return ::read(reader(), &c, 1) == 1 ? c : '\0';
  }
  void fill() const {
    const std::string block(4096, 'x');
    while (::write(writer(), block.data(), block.size()) > 0) {
    }
  }
  void drain() const {
    std::string block(1 << 16, '\0');
    while (::read(reader(), block.data(), block.size()) > 0) {
    }
  }

 private:
  std::array<int, 2> ends_{-1, -1};
};

template <class Fn>
int error_of(Fn fn) {
  try {
    fn();
  } catch (const std::system_error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("of descriptor")) << error.what();
    return error.code().value();
  }
  return 0;
}

TEST(add_reader, calls_on_the_loop_that_it_was_added_on_when_there_is_something_to_read) {
  KIT_NEEDS_KERNEL("descriptors");
  kit::on_loops([]() -> Coro<> {
    const Pipe pipe;
    for (Loop* loop : detail::running_loops("test")) {
      Event called;
      Loop* where = nullptr;
      char got = 0;
      loop->add_reader(pipe.reader(), [&] {
        where = get_running_loop_or_null();
        got = pipe.get();
        called.set();
      });
      co_await kit::yield(200);
      EXPECT_EQ(where, nullptr) << "nothing to read yet";
      pipe.put('a');
      co_await called.wait();
      EXPECT_EQ(where, loop);
      EXPECT_EQ(got, 'a');
      EXPECT_TRUE(loop->remove_reader(pipe.reader()));
    }
  });
}

TEST(add_reader, calls_again_as_long_as_something_is_left) {
  KIT_NEEDS_KERNEL("descriptors");
  kit::on_loops([]() -> Coro<> {
    const Pipe pipe;
    std::string got;
    Event all;
    for (const char c : std::string("hello")) pipe.put(c);
    get_running_loop().add_reader(pipe.reader(), [&] {
      got += pipe.get();
      if (got.size() == 5) all.set();
    });
    co_await all.wait();
    EXPECT_EQ(got, "hello");
    EXPECT_TRUE(get_running_loop().remove_reader(pipe.reader()));
  });
}

// As asyncio: whoever does not remove it at the end of the stream is called for ever.
TEST(add_reader, calls_at_the_end_of_the_stream_until_it_is_removed) {
  KIT_NEEDS_KERNEL("descriptors");
  kit::on_loops([]() -> Coro<> {
    Pipe pipe;
    std::atomic<int> calls = 0;
    get_running_loop().add_reader(pipe.reader(), [&] { ++calls; });
    pipe.close_writer();
    co_await kit::until([&] { return calls >= 3; });
    EXPECT_TRUE(get_running_loop().remove_reader(pipe.reader()));
  });
}

TEST(add_reader, lets_the_others_run_between_two_calls) {
  KIT_NEEDS_KERNEL("descriptors");
  kit::on_one_loop([]() -> Coro<> {
    const Pipe pipe;
    pipe.put('x');
    int calls = 0;
    get_running_loop().add_reader(pipe.reader(), [&] { ++calls; });
    for (int turn = 0; turn < 100; ++turn) co_await sleep(0ms);
    EXPECT_GT(calls, 0);
    EXPECT_LE(calls, 100);
    EXPECT_TRUE(get_running_loop().remove_reader(pipe.reader()));
  });
}

TEST(add_writer, calls_while_something_can_be_written) {
  KIT_NEEDS_KERNEL("descriptors");
  kit::on_loops([]() -> Coro<> {
    const Pipe pipe;
    pipe.fill();
    std::atomic<int> calls = 0;
    Event twice;
    get_running_loop().add_writer(pipe.writer(), [&] {
      if (++calls == 2) twice.set();
    });
    co_await kit::yield(200);
    EXPECT_EQ(calls, 0) << "the pipe is full";
    pipe.drain();
    co_await twice.wait();
    EXPECT_TRUE(get_running_loop().remove_writer(pipe.writer()));
  });
}

TEST(add_writer, and_add_reader_of_one_descriptor_know_nothing_of_each_other) {
  KIT_NEEDS_KERNEL("descriptors");
  kit::on_loops([]() -> Coro<> {
    const Pipe pipe;
    Loop& loop = get_running_loop();
    Event readable, writable;
    loop.add_reader(pipe.reader(), [&] {
      (void)pipe.get();
      readable.set();
    });
    loop.add_writer(pipe.writer(), [&] { writable.set(); });
    co_await writable.wait();
    EXPECT_FALSE(loop.remove_reader(pipe.writer()));
    EXPECT_FALSE(loop.remove_writer(pipe.reader()));
    EXPECT_TRUE(loop.remove_writer(pipe.writer()));
    pipe.put('a');
    co_await readable.wait();
    EXPECT_TRUE(loop.remove_reader(pipe.reader()));
  });
}

TEST(add_reader, a_second_time_replaces_the_callback) {
  KIT_NEEDS_KERNEL("descriptors");
  kit::on_loops([]() -> Coro<> {
    const Pipe pipe;
    auto loops = detail::running_loops("test");
    Event called;
    Loop* where = nullptr;
    loops.front()->add_reader(pipe.reader(), [] { ADD_FAILURE() << "was replaced"; });
    loops.back()->add_reader(pipe.reader(), [&] {
      (void)pipe.get();
      where = get_running_loop_or_null();
      called.set();
    });
    pipe.put('a');
    co_await called.wait();
    EXPECT_EQ(where, loops.back());
    EXPECT_TRUE(loops.front()->remove_reader(pipe.reader()));
    EXPECT_FALSE(loops.back()->remove_reader(pipe.reader())) << "one for the whole Runner";
  });
}

// The event is in the queue when the first callback removes the second.
TEST(remove_reader, keeps_a_callback_from_being_called_whose_descriptor_is_ready_already) {
  KIT_NEEDS_KERNEL("descriptors");
  kit::on_one_loop([]() -> Coro<> {
    for (int round = 0; round < 50; ++round) {
      const Pipe one, other;
      Loop& loop = get_running_loop();
      int calls = 0;
      auto add = [&](const Pipe& mine, const Pipe& its) {
        loop.add_reader(mine.reader(), [&] {
          ++calls;
          EXPECT_TRUE(loop.remove_reader(its.reader()));
          EXPECT_TRUE(loop.remove_reader(mine.reader()));
        });
      };
      add(one, other);
      add(other, one);
      one.put('a');
      other.put('a');
      co_await kit::until([&] { return calls != 0; });
      co_await kit::yield(200);
      EXPECT_EQ(calls, 1);
    }
  });
}

TEST(remove_reader, works_from_any_loop_at_any_time) {
  KIT_NEEDS_KERNEL("descriptors");
  kit::on_loops([]() -> Coro<> {
    const Pipe pipe;
    pipe.put('x');  // so that the callback is called all the time
    const auto loops = detail::running_loops("test");
    for (int round = 0; round < 200; ++round) {
      std::atomic<int> calls = 0;
      loops[static_cast<std::size_t>(round) % loops.size()]->add_reader(pipe.reader(),
                                                                        [&] { ++calls; });
      if (round % 3 != 0) co_await kit::until([&] { return calls != 0; });
      // On its own loop nothing is called any more from then on.
      co_await loops[static_cast<std::size_t>(round) % loops.size()]->create_task([&]() -> Coro<> {
        EXPECT_TRUE(get_running_loop().remove_reader(pipe.reader()));
        co_return;
      });
      const int then = calls;
      co_await kit::yield(100);
      EXPECT_EQ(calls, then);
      // From elsewhere a call may be under way.
      auto counter = std::make_shared<std::atomic<int>>(0);
      loops.back()->add_reader(pipe.reader(), [counter] { ++*counter; });
      EXPECT_TRUE(loops.front()->remove_reader(pipe.reader()));
    }
  });
}

TEST(add_reader, destroys_its_callback_when_it_is_removed) {
  KIT_NEEDS_KERNEL("descriptors");
  kit::on_loops([]() -> Coro<> {
    const Pipe pipe;
    auto token = std::make_shared<int>(0);
    for (Loop* loop : detail::running_loops("test")) {
      loop->add_reader(pipe.reader(), [token] {});
      EXPECT_TRUE(get_running_loop().remove_reader(pipe.reader()));
      co_await kit::until([&] { return token.use_count() == 1; });
    }
  });
}

TEST(add_reader, whose_callback_throws_is_reported_and_goes_on) {
  KIT_NEEDS_KERNEL("descriptors");
  kit::on_loops([]() -> Coro<> {
    const Pipe pipe;
    const kit::Reports reports;
    Event again;
    std::atomic<int> calls = 0;
    pipe.put('a');
    pipe.put('b');
    get_running_loop().add_reader(pipe.reader(), [&] {
      (void)pipe.get();
      if (++calls == 1) throw std::runtime_error("no");
      again.set();
    });
    co_await again.wait();
    EXPECT_EQ(reports.count("Exception in callback of add_reader"), 1);
    EXPECT_TRUE(get_running_loop().remove_reader(pipe.reader()));
  });
}

TEST(add_reader, refuses_what_cannot_be_waited_for) {
  KIT_NEEDS_KERNEL("descriptors");
  kit::on_one_loop([]() -> Coro<> {
    Loop& loop = get_running_loop();
    for (const int none : {-1, 9'999}) {
      EXPECT_EQ(error_of([&] { loop.add_reader(none, [] {}); }), EBADF);
      EXPECT_EQ(error_of([&] { loop.add_writer(none, [] {}); }), EBADF);
      EXPECT_FALSE(loop.remove_reader(none));
      EXPECT_FALSE(loop.remove_writer(none));
    }
    for (const char* path : {"/proc/self/exe", "/"}) {
      const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
      EXPECT_EQ(error_of([&] { loop.add_reader(fd, [] {}); }), EPERM) << path;
      ::close(fd);
    }
    co_return;
  });
}

TEST(add_reader, is_refused_from_a_thread_that_is_no_loop) {
  KIT_NEEDS_KERNEL("descriptors");
  kit::on_loops([]() -> Coro<> {
    const Pipe pipe;
    Loop& loop = get_running_loop();
    std::thread([&] {
      EXPECT_THROW(loop.add_reader(pipe.reader(), [] {}), std::runtime_error);
      EXPECT_THROW(loop.remove_reader(pipe.reader()), std::runtime_error);
    }).join();
    co_return;
  });
}

TEST(add_reader, is_refused_under_simulation) {
  int fds[2];
  ASSERT_EQ(::pipe2(fds, O_CLOEXEC), 0);
  int error = 0;
  run(
      [&]() -> Coro<> {
        error = error_of([&] { get_running_loop().add_reader(fds[0], [] {}); });
        EXPECT_FALSE(get_running_loop().remove_reader(fds[0]));
        co_return;
      },
      RunOptions{.loops = 2, .backend = Backend::sim});
  EXPECT_EQ(error, ENOTSUP);
  ::close(fds[0]);
  ::close(fds[1]);
}

TEST(add_reader, neither_keeps_run_from_returning_nor_survives_it) {
  KIT_NEEDS_KERNEL("descriptors");
  const Pipe idle, busy;
  busy.put('x');
  auto token = std::make_shared<int>(0);
  kit::on_loops([&]() -> Coro<> {
    for (Loop* loop : detail::running_loops("test")) {
      loop->add_reader(idle.reader(), [token] {});
      loop->add_reader(busy.reader(), [token] {});
      loop->add_writer(busy.writer(), [token] {});
    }
    co_await kit::yield(5);
  });
  EXPECT_EQ(token.use_count(), 1);
}

TEST(add_reader, is_refused_once_the_runner_is_closed) {
  const Pipe pipe;
  Runner runner({.loops = 1});
  Loop& loop = runner.get_loop();
  runner.close();
  EXPECT_THROW(loop.add_reader(pipe.reader(), [] {}), LoopClosed);
}

TEST(add_reader, works_on_a_loop_that_is_driven_by_hand_also_before_it_runs) {
  KIT_NEEDS_KERNEL("descriptors");
  const kit::Watchdog watchdog;
  const Pipe pipe;
  const auto loop = new_event_loop();
  int calls = 0;
  loop->add_reader(pipe.reader(), [&] {
    (void)pipe.get();
    ++calls;
    loop->stop();
  });
  for (int round = 1; round <= 2; ++round) {
    pipe.put('a');
    loop->run_forever();
    EXPECT_EQ(calls, round);
  }
  EXPECT_TRUE(loop->remove_reader(pipe.reader())) << "between two runs";
}

// The descriptor that was polled is open in the kernel until then; the next poll finds it closed.
TEST(add_reader, of_a_descriptor_that_was_closed_is_reported_and_removed) {
  KIT_NEEDS_KERNEL("descriptors");
  kit::on_loops([]() -> Coro<> {
    const kit::Reports reports;
    std::array<int, 2> ends{-1, -1};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    const char c = 'x';
    EXPECT_EQ(::write(ends[1], &c, 1), 1);
    get_running_loop().add_reader(ends[0], [&] { ::close(std::exchange(ends[0], -1)); });
    co_await kit::until([&] { return reports.count("cannot be polled any more") == 1; });
    ::close(ends[1]);
  });
}

}  // namespace
