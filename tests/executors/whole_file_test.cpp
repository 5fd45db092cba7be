// read_file and write_file, of files of all kinds.
#include <gtest/gtest.h>

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

TEST(whole_file, comes_back_as_it_was_written) {
  const kit::TemporaryDirectory directory;
  on_loops([&]() -> Coro<> {
    for (const std::size_t size :
         {0UL, 1UL, 16383UL, 16384UL, 16385UL, 32768UL, 40'000UL, 10UL << 20}) {
      const std::string path = directory / std::to_string(size);
      const std::string data = kit::pattern(size);
      co_await write_file(path, std::as_bytes(std::span(data)));
      EXPECT_TRUE(kit::get_file(path) == data) << size;
      EXPECT_TRUE(co_await read_file(path) == data) << size;
    }
  });
}

TEST(whole_file, is_truncated_by_a_shorter_one) {
  const kit::TemporaryDirectory directory;
  on_loops([&]() -> Coro<> {
    const std::string path = directory / "file";
    co_await write_file(path, "a long text");
    co_await write_file(path, "short");
    EXPECT_EQ(co_await read_file(path), "short");
    co_await write_file(path, "");
    EXPECT_EQ(co_await read_file(path), "");
  });
}

TEST(whole_file, is_read_where_the_size_says_nothing) {
  on_loops([]() -> Coro<> {
    EXPECT_EQ(co_await read_file("/proc/self/cmdline"), kit::get_file("/proc/self/cmdline"));
    EXPECT_NE((co_await read_file("/proc/self/status")).find("Pid:"), std::string::npos);
    EXPECT_EQ(co_await read_file("/dev/null"), "");
  });
}

TEST(whole_file, that_is_a_directory_or_missing_is_an_error_that_says_so) {
  const kit::TemporaryDirectory directory;
  on_loops([&]() -> Coro<> {
    const int before = kit::open_descriptors();
    const std::string missing = directory / "missing";
    EXPECT_EQ(co_await thrown_by<std::system_error>(read_file(directory.path())),
              "read '" + directory.path() + "': Is a directory");
    EXPECT_EQ(co_await thrown_by<std::system_error>(read_file(missing)),
              "open '" + missing + "' for reading: No such file or directory");
    EXPECT_EQ(co_await thrown_by<std::system_error>(write_file(directory.path(), "x")),
              "open '" + directory.path() + "' for writing: Is a directory");
    EXPECT_EQ(co_await thrown_by<std::system_error>(write_file("/dev/full", "x")),
              "write '/dev/full': No space left on device");
    EXPECT_THROW((void)co_await read_file(std::string("a\0b", 3)), std::invalid_argument);
    EXPECT_EQ(kit::open_descriptors(), before);
  });
}

TEST(whole_file, may_be_a_fifo_whose_other_end_comes_later) {
  KIT_NEEDS_KERNEL("pipes");
  const kit::TemporaryDirectory directory;
  const std::string data = kit::pattern(1 << 20);  // far more than a pipe holds
  on_loops([&]() -> Coro<> {
    const std::string path = directory / "fifo";
    EXPECT_EQ(::mkfifo(path.c_str(), 0600), 0);
    for (const bool reader_first : {true, false}) {
      Task<std::string> reader;
      Task<> writer;
      // Both wait for the kernel when these return; the first one for the second.
      if (reader_first) reader = create_task(read_file(path), {.eager = true});
      writer = create_task(write_file(path, data), {.eager = true});
      if (!reader_first) reader = create_task(read_file(path), {.eager = true});
      co_await writer;
      EXPECT_TRUE(co_await reader == data);
    }
    ::unlink(path.c_str());
  });
}

TEST(whole_file, that_would_wait_for_somebody_is_refused_under_simulation) {
  const kit::TemporaryDirectory directory;
  const std::string path = directory / "fifo";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  kit::on_one_loop(
      [&]() -> Coro<> {
        EXPECT_EQ(co_await thrown_by<std::system_error>(read_file(path)),
                  "open '" + path + "' for reading: Operation not supported");
        const TimePoint before = get_running_loop().time();
        co_await write_file(directory / "file", "simulated");
        EXPECT_EQ(co_await read_file(directory / "file"), "simulated");
        EXPECT_EQ(get_running_loop().time(), before);
      },
      {.backend = Backend::sim});
}

TEST(whole_file, many_at_once_leave_no_descriptor_open) {
  const kit::TemporaryDirectory directory;
  on_loops([&]() -> Coro<> {
    const int before = kit::open_descriptors();
    std::vector<Task<bool>> tasks;
    for (int i = 0; i < 200; ++i) {
      tasks.push_back(create_task([&, i]() -> Coro<bool> {
        const std::string path = directory / std::to_string(i);
        const std::string data = kit::pattern(1000 + 37 * i, i);
        co_await write_file(path, data);
        co_return co_await read_file(path) == data;
      }));
    }
    for (auto& task : tasks) EXPECT_TRUE(co_await task);
    EXPECT_EQ(kit::open_descriptors(), before);
  });
}

}  // namespace
