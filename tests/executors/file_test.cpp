// File: reading, writing, errors, closing.
#include <coil/file.hpp>

#include <sys/mman.h>

#include <coil/coil.hpp>
#include <kit/loops.hpp>
#include <kit/reports.hpp>
#include <kit/thrown.hpp>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "file_kit.hpp"

using namespace coil;
using namespace std::chrono_literals;
using kit::on_loops;
using kit::thrown_by;

namespace {

std::span<std::byte> bytes_of(std::string& text) { return std::as_writable_bytes(std::span(text)); }

TEST(File, writes_and_reads_at_offsets) {
  const kit::TemporaryDirectory directory;
  on_loops([&]() -> Coro<> {
    const std::string path = directory / "data";
    const auto file = co_await File::open(path, O_RDWR | O_CREAT | O_TRUNC);
    EXPECT_EQ(co_await file.write_at("hello world", 0), 11U);
    EXPECT_EQ(co_await file.write_at("W", 6), 1U);
    EXPECT_EQ(co_await file.read_at(5, 6), "World");
    EXPECT_EQ(co_await file.size(), 11U);
    std::string buffer(4, '\0');
    EXPECT_EQ(co_await file.read_at(bytes_of(buffer), 1), 4U);
    EXPECT_EQ(buffer, "ello");
    EXPECT_EQ(co_await file.write_at(std::as_bytes(std::span(buffer)), 20), 4U);
    EXPECT_EQ(co_await file.read_at(100, 0), "hello World" + std::string(9, '\0') + "ello");
    co_await file.fsync();
    co_await file.close();
    EXPECT_EQ(kit::get_file(path).size(), 24U);
  });
}

TEST(File, reads_less_only_at_the_end) {
  const kit::TemporaryDirectory directory;
  const std::string path = directory / "short";
  kit::put_file(path, "12345");
  on_loops([&]() -> Coro<> {
    const auto file = co_await File::open(path);
    EXPECT_EQ(co_await file.read_at(3, 0), "123");
    EXPECT_EQ(co_await file.read_at(100, 3), "45");
    EXPECT_EQ(co_await file.read_at(100, 5), "");
    EXPECT_EQ(co_await file.read_at(100, 1'000'000'000'000), "");
    EXPECT_EQ(co_await file.read_at(std::span<std::byte>(), 0), 0U);
    co_await file.close();
  });
}

TEST(File, takes_offsets_of_64_bits) {
  const kit::TemporaryDirectory directory;
  on_loops([&]() -> Coro<> {
    constexpr std::uint64_t far = (std::uint64_t{1} << 33) + 5;
    const auto file = co_await File::open(directory / "sparse", O_RDWR | O_CREAT | O_TRUNC);
    co_await file.write_at("far", far);
    EXPECT_EQ(co_await file.size(), far + 3);
    EXPECT_EQ(co_await file.read_at(10, far - 2), std::string(2, '\0') + "far");
    for (const std::uint64_t impossible : {~std::uint64_t{0}, std::uint64_t{1} << 63}) {
      EXPECT_EQ(co_await kit::errno_of(file.read_at(10, impossible)), EINVAL);
      EXPECT_EQ(co_await kit::errno_of(file.write_at("x", impossible)), EINVAL);
    }
    co_await file.close();
  });
}

// A memory that begins again every 4 MiB: large, and small.
class AliasedMemory {
 public:
  explicit AliasedMemory(std::size_t size) : size_(size) {
    const int fd = ::memfd_create("aliased", MFD_CLOEXEC);
    EXPECT_EQ(::ftruncate(fd, piece), 0);
    base_ = static_cast<std::byte*>(
        ::mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
    for (std::size_t at = 0; at < size; at += piece)
      EXPECT_NE(::mmap(base_ + at, std::min<std::size_t>(piece, size - at), PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_FIXED, fd, 0),
                MAP_FAILED);
    ::close(fd);
  }
  ~AliasedMemory() { ::munmap(base_, size_); }
  AliasedMemory(const AliasedMemory&) = delete;
  AliasedMemory& operator=(const AliasedMemory&) = delete;
  [[nodiscard]] std::span<std::byte> span() const { return {base_, size_}; }

 private:
  static constexpr std::size_t piece = std::size_t{4} << 20;
  std::size_t size_;
  std::byte* base_;
};

TEST(File, splits_what_is_larger_than_one_operation_takes) {
  const kit::Watchdog watchdog;
  const AliasedMemory memory((std::size_t{5} << 29) + 3);  // 2.5 GiB
  const std::span<std::byte> all = memory.span();
  run([all]() -> Coro<> {
    const auto null = co_await File::open("/dev/null", O_WRONLY);
    EXPECT_EQ(co_await null.write_at(all, 0), all.size());
    co_await null.close();
    const auto zero = co_await File::open("/dev/zero");
    EXPECT_EQ(co_await zero.read_at(all, 0), all.size());
    co_await zero.close();
  });
}

TEST(File, appends_where_it_was_asked_to) {
  const kit::TemporaryDirectory directory;
  const std::string path = directory / "log";
  kit::put_file(path, "one ");
  kit::on_one_loop([&]() -> Coro<> {
    const auto file = co_await File::open(path, O_WRONLY | O_APPEND);
    co_await file.write_at("two ", 0);
    co_await file.write_at("three", 0);
    co_await file.close();
    EXPECT_EQ(co_await read_file(path), "one two three");
  });
}

TEST(File, creates_with_the_mode_less_the_umask_and_hides_it_from_children) {
  const kit::TemporaryDirectory directory;
  const mode_t before = ::umask(027);
  kit::on_one_loop([&]() -> Coro<> {
    const auto usual = co_await File::open(directory / "usual", O_WRONLY | O_CREAT);
    const auto closed = co_await File::open(directory / "closed", O_WRONLY | O_CREAT, 0600);
    co_await write_file(directory / "whole", "x");
    const auto mode = [&](const char* name) {
      struct stat found{};
      EXPECT_EQ(::stat((directory / name).c_str(), &found), 0);
      return found.st_mode & 0777;
    };
    EXPECT_EQ(mode("usual"), 0640U);
    EXPECT_EQ(mode("closed"), 0600U);
    EXPECT_EQ(mode("whole"), 0640U);
    EXPECT_NE(::fcntl(usual.fileno(), F_GETFD) & FD_CLOEXEC, 0);
    co_await usual.close();
    co_await closed.close();
  });
  ::umask(before);
}

TEST(File, errors_name_the_operation_and_its_operands) {
  const kit::TemporaryDirectory directory;
  on_loops([&]() -> Coro<> {
    const std::string path = directory / "data";
    const std::string missing = directory / "missing";
    EXPECT_EQ(co_await thrown_by<std::system_error>(File::open(missing)),
              "open '" + missing + "' for reading: No such file or directory");
    EXPECT_EQ(co_await thrown_by<std::system_error>(File::open(missing + "/x", O_WRONLY | O_CREAT)),
              "open '" + missing + "/x' for writing: No such file or directory");
    EXPECT_EQ(co_await thrown_by<std::system_error>(File::open(directory.path(), O_RDWR)),
              "open '" + directory.path() + "' for reading and writing: Is a directory");
    EXPECT_EQ(co_await thrown_by<std::system_error>(File::open("")),
              "open '' for reading: No such file or directory");
    co_await write_file(path, "abc");
    const auto file = co_await File::open(path);
    EXPECT_EQ(co_await thrown_by<std::system_error>(file.write_at("xy", 7)),
              "write 2 bytes at 7 of '" + path + "': Bad file descriptor");
    co_await file.close();
    const auto here = co_await File::open(directory.path(), O_RDONLY | O_DIRECTORY);
    EXPECT_EQ(co_await thrown_by<std::system_error>(here.read_at(10, 0)),
              "read 10 bytes at 0 of '" + directory.path() + "': Is a directory");
    co_await here.close();
    const auto full = co_await File::open("/dev/full", O_WRONLY);
    EXPECT_EQ(co_await thrown_by<std::system_error>(full.write_at("xy", 0)),
              "write 2 bytes at 0 of '/dev/full': No space left on device");
    co_await full.close();
    try {
      (void)co_await File::open(missing);
    } catch (const std::system_error& error) {
      EXPECT_EQ(error.code(), std::errc::no_such_file_or_directory);
    }
    EXPECT_THROW((void)co_await File::open(std::string("a\0b", 3)), std::invalid_argument);
  });
}

TEST(File, that_is_closed_says_so) {
  const kit::TemporaryDirectory directory;
  const std::string path = directory / "data";
  kit::put_file(path, "abc");
  on_loops([&]() -> Coro<> {
    auto file = co_await File::open(path, O_RDWR);
    EXPECT_TRUE(file);
    EXPECT_GE(file.fileno(), 0);
    co_await file.close();
    EXPECT_FALSE(file);
    EXPECT_EQ(file.fileno(), -1);
    co_await file.close();
    const std::string closed = " '" + path + "', which is closed: Bad file descriptor";
    EXPECT_EQ(co_await thrown_by<std::system_error>(file.read_at(1, 0)), "read" + closed);
    EXPECT_EQ(co_await thrown_by<std::system_error>(file.write_at("x", 0)), "write" + closed);
    EXPECT_EQ(co_await thrown_by<std::system_error>(file.fsync()), "fsync" + closed);
    EXPECT_EQ(co_await thrown_by<std::system_error>(file.size()), "size of" + closed);
    const File none;
    EXPECT_FALSE(none);
    EXPECT_EQ(co_await thrown_by<std::system_error>(none.read_at(1, 0)),
              "read no file: Bad file descriptor");
    co_await none.close();
  });
}

TEST(File, moves_and_closes_what_it_is_assigned_over) {
  const kit::TemporaryDirectory directory;
  on_loops([&]() -> Coro<> {
    const int before = kit::open_descriptors();
    auto a = co_await File::open(directory / "a", O_RDWR | O_CREAT);
    auto b = co_await File::open(directory / "b", O_RDWR | O_CREAT);
    EXPECT_EQ(kit::open_descriptors(), before + 2);
    const int number = b.fileno();
    a = std::move(b);
    EXPECT_EQ(a.fileno(), number);
    EXPECT_EQ(kit::open_descriptors(), before + 1);
    co_await a.close();
    EXPECT_EQ(kit::open_descriptors(), before);
  });
}

TEST(File, dropped_without_close_is_closed_and_reported_in_debug_mode) {
  const kit::TemporaryDirectory directory;
  const std::string path = directory / "dropped";
  for (const bool debug : {false, true}) {
    on_loops(
        [&]() -> Coro<> {
          kit::Reports reports;
          const int before = kit::open_descriptors();
          {
            const auto dropped = co_await File::open(path, O_RDWR | O_CREAT);
            const auto closed = co_await File::open(path, O_RDWR);
            co_await closed.close();
          }
          EXPECT_EQ(kit::open_descriptors(), before);
          EXPECT_EQ(reports.count("unclosed file '" + path + "'"), debug ? 1 : 0);
          (void)co_await thrown_by<std::system_error>(read_file(directory.path()));
          EXPECT_EQ(kit::open_descriptors(), before);
          EXPECT_EQ(reports.all().size(), debug ? 1U : 0U) << reports.text();
        },
        {.debug = debug});
  }
}

TEST(File, copies_text_when_it_is_called) {
  const kit::TemporaryDirectory directory;
  on_loops([&]() -> Coro<> {
    auto opening = File::open(directory / std::string("copied"), O_RDWR | O_CREAT | O_TRUNC);
    const auto file = co_await std::move(opening);
    auto writing = file.write_at(std::string(100, 'x'), 0);
    EXPECT_EQ(co_await std::move(writing), 100U);
    co_await file.close();
    auto whole = write_file(directory / std::string("whole"), std::string(100, 'y'));
    co_await std::move(whole);
    auto reading = read_file(directory / std::string("whole"));
    EXPECT_EQ(co_await std::move(reading), std::string(100, 'y'));
  });
}

TEST(File, serves_tasks_on_all_loops_at_the_same_time) {
  const kit::TemporaryDirectory directory;
  const std::string data = kit::pattern(64 * 4096);
  on_loops([&]() -> Coro<> {
    const auto file = co_await File::open(directory / "shared", O_RDWR | O_CREAT | O_TRUNC);
    std::vector<Task<bool>> tasks;
    for (std::size_t i = 0; i < 64; ++i) {
      tasks.push_back(create_task([&, i]() -> Coro<bool> {
        const std::string own = data.substr(i * 4096, 4096);
        co_await file.write_at(own, i * 4096);
        co_await file.fsync();
        co_return co_await file.read_at(4096, i * 4096) == own;
      }));
    }
    for (auto& task : tasks) EXPECT_TRUE(co_await task);
    co_await file.close();
    EXPECT_EQ(co_await read_file(directory / "shared"), data);
  });
}

}  // namespace
