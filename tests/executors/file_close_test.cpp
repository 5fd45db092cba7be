// File: cancelling what is in flight, and closing while it is.
#include <coil/coil.hpp>
#include <kit/loops.hpp>
#include <kit/needs_kernel.hpp>
#include <kit/thrown.hpp>
#include <span>
#include <string>
#include <system_error>
#include <vector>

#include "file_kit.hpp"

using namespace coil;
using namespace std::chrono_literals;
using kit::on_loops;
using kit::thrown_by;

namespace {

// Reading it waits for somebody who writes.
class Fifo {
 public:
  Fifo() : path_(directory_ / "fifo") { EXPECT_EQ(::mkfifo(path_.c_str(), 0600), 0); }
  [[nodiscard]] const std::string& path() const { return path_; }
  // Both ends in one: whoever opens it does not wait.
  [[nodiscard]] Coro<File> open() const { return File::open(path_, O_RDWR); }

 private:
  kit::TemporaryDirectory directory_;
  std::string path_;
};

// A task that has reached its first wait when this returns.
template <class A>
auto started(A awaitable) {
  return create_task(std::move(awaitable), {.eager = true});
}

TEST(file_cancel, ends_a_read_that_waits) {
  KIT_NEEDS_KERNEL("pipes");
  on_loops([]() -> Coro<> {
    const Fifo fifo;
    const auto file = co_await fifo.open();
    for (int round = 0; round < 20; ++round) {
      std::string memory(16, '\0');
      auto read = started(file.read_at(std::as_writable_bytes(std::span(memory)), 0));
      if (round % 2 == 0) co_await kit::yield(round);
      read.cancel("enough");
      EXPECT_EQ(co_await thrown_by<CancelledError>(read), "enough");
      // The memory is ours again: nobody writes what comes next into it.
      co_await file.write_at("0123456789abcdef", 0);
      EXPECT_EQ(memory, std::string(16, '\0'));
      EXPECT_EQ(co_await file.read_at(16, 0), "0123456789abcdef");
    }
    co_await file.close();
  });
}

TEST(file_cancel, ends_an_open_that_waits_for_the_other_end) {
  KIT_NEEDS_KERNEL("pipes");
  on_loops([]() -> Coro<> {
    const Fifo fifo;
    const int before = kit::open_descriptors();
    for (const int flags : {O_RDONLY, O_WRONLY}) {
      EXPECT_THROW((void)co_await wait_for(File::open(fifo.path(), flags), 2ms), TimeoutError);
      auto opening = started(File::open(fifo.path(), flags));
      opening.cancel();
      (void)co_await thrown_by<CancelledError>(std::move(opening));
    }
    EXPECT_THROW((void)co_await wait_for(read_file(fifo.path()), 2ms), TimeoutError);
    EXPECT_THROW((void)co_await wait_for(write_file(fifo.path(), "x"), 2ms), TimeoutError);
    EXPECT_EQ(kit::open_descriptors(), before);
  });
}

TEST(file_cancel, that_comes_before_anything_was_asked_opens_nothing) {
  const kit::TemporaryDirectory directory;
  on_loops([&]() -> Coro<> {
    auto task = create_task(write_file(directory / "never", "x"), {.affinity = Affinity::loop});
    task.cancel();
    (void)co_await thrown_by<CancelledError>(task);
    EXPECT_NE(::access((directory / "never").c_str(), F_OK), 0);
  });
}

TEST(file_close, waits_for_what_was_begun_and_lets_it_be_done) {
  const kit::TemporaryDirectory directory;
  const std::string data = kit::pattern(1 << 20);
  on_loops([&]() -> Coro<> {
    const std::string path = directory / "closing";
    const auto file = co_await File::open(path, O_RDWR | O_CREAT | O_TRUNC);
    std::vector<Task<std::size_t>> writes;
    for (std::size_t i = 0; i < 4; ++i)
      writes.push_back(started(file.write_at(std::as_bytes(std::span(data)), i * data.size())));
    co_await file.close();
    EXPECT_TRUE(kit::get_file(path) == data + data + data + data);
    for (auto& write : writes) EXPECT_EQ(co_await write, data.size());
  });
}

TEST(file_close, refuses_what_comes_while_it_waits) {
  KIT_NEEDS_KERNEL("pipes");
  on_loops([]() -> Coro<> {
    const Fifo fifo;
    const auto other = co_await fifo.open();
    const int before = kit::open_descriptors();
    const auto file = co_await fifo.open();
    auto read = started(file.read_at(3, 0));
    auto closing = started(file.close());
    auto again = started(file.close());
    EXPECT_FALSE(closing.done());
    EXPECT_FALSE(file);
    EXPECT_EQ(co_await thrown_by<std::system_error>(file.read_at(3, 0)),
              "read '" + fifo.path() + "', which is closed: Bad file descriptor");
    EXPECT_FALSE(closing.done());
    co_await other.write_at("abc", 0);
    EXPECT_EQ(co_await read, "abc");
    co_await closing;
    co_await again;
    EXPECT_EQ(kit::open_descriptors(), before);
    co_await other.close();
  });
}

TEST(file_close, that_is_cancelled_leaves_it_to_the_last_user) {
  KIT_NEEDS_KERNEL("pipes");
  on_loops([]() -> Coro<> {
    const Fifo fifo;
    const int before = kit::open_descriptors();
    const auto file = co_await fifo.open();
    auto read = started(file.read_at(1, 0));
    auto closing = started(file.close());
    closing.cancel();
    (void)co_await thrown_by<CancelledError>(closing);
    EXPECT_FALSE(file);
    EXPECT_EQ(kit::open_descriptors(), before + 1);
    read.cancel();
    (void)co_await thrown_by<CancelledError>(read);
    EXPECT_EQ(kit::open_descriptors(), before);
    co_await file.close();
  });
}

TEST(file_close, of_an_idle_file_is_done_in_a_cancelled_scope_too) {
  const kit::TemporaryDirectory directory;
  on_loops([&]() -> Coro<> {
    const int before = kit::open_descriptors();
    bool closed = false;
    (void)co_await with_cancel_scope([&](CancelScope& scope) -> Coro<> {
      const auto file = co_await File::open(directory / "file", O_RDWR | O_CREAT);
      scope.cancel();
      co_await file.close();
      closed = true;
    });
    EXPECT_TRUE(closed);
    EXPECT_EQ(kit::open_descriptors(), before);
  });
}

TEST(file_close, by_the_destructor_waits_for_nobody) {
  KIT_NEEDS_KERNEL("pipes");
  on_loops([]() -> Coro<> {
    const Fifo fifo;
    const int before = kit::open_descriptors();
    Task<std::string> read;
    {
      const auto file = co_await fifo.open();
      read = started(file.read_at(1, 0));
    }
    EXPECT_EQ(kit::open_descriptors(), before + 1);
    read.cancel();
    (void)co_await thrown_by<CancelledError>(read);
    EXPECT_EQ(kit::open_descriptors(), before);
  });
}

TEST(file_close, is_what_run_does_to_files_of_tasks_that_are_left) {
  KIT_NEEDS_KERNEL("pipes");
  for (const int loops : {1, 2}) {
    const kit::Watchdog watchdog;
    const Fifo fifo;
    const int before = kit::open_descriptors();
    run(
        [&]() -> Coro<> {
          for (int i = 0; i < 20; ++i) create_task(read_file(fifo.path()));
          auto file = co_await fifo.open();
          create_task([kept = std::move(file)]() -> Coro<> { (void)co_await kept.read_at(1, 0); });
          co_await kit::yield(5);
        },
        {.loops = loops});
    EXPECT_EQ(kit::open_descriptors(), before);
  }
}

}  // namespace
