// What a connection does when there is no memory for what comes or goes.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <coil/coil.hpp>
#include <coil/net.hpp>
#include <fstream>
#include <string>

#include "net_kit.hpp"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define COIL_TEST_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define COIL_TEST_SANITIZED 1
#endif
#endif

#ifndef COIL_TEST_SANITIZED  // sanitizers need address space of their own
namespace {

using namespace std::chrono_literals;
using coil::Coro;

constexpr std::size_t much = std::size_t{64} << 20;

// While it lives, this process gets hardly any more memory than it has.
class Shortage {
 public:
  Shortage() {
    ::getrlimit(RLIMIT_AS, &before_);
    std::size_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    rlimit limit = before_;
    limit.rlim_cur = pages * 4096 + (std::size_t{1} << 20);
    ::setrlimit(RLIMIT_AS, &limit);
  }
  ~Shortage() { ::setrlimit(RLIMIT_AS, &before_); }
  Shortage(const Shortage&) = delete;
  Shortage& operator=(const Shortage&) = delete;

 private:
  rlimit before_{};
};

TEST(OutOfMemory, what_cannot_be_kept_ends_the_connection_and_not_the_program) {
  kit::on_one_loop([]() -> Coro<> {
    auto [stream, bare] = co_await kit::half_bare();
    const std::string data(much, 'x');
    auto sending =
        coil::create_task([](const coil::Socket& socket, std::string_view text) -> Coro<> {
          try {
            co_await socket.send_all(text);
          } catch (const std::system_error&) {  // the other end has gone
          }
        }(bare, data));
    EXPECT_EQ((co_await stream.reader.readexactly(1)).size(), 1U);
    {
      const Shortage shortage;
      EXPECT_EQ(co_await kit::error_of(stream.reader.readexactly(much - 1)), ENOMEM);
    }
    EXPECT_EQ(co_await kit::error_of(stream.writer.wait_closed()), ENOMEM);
    co_await sending;
  });
}

// More than what an allocator may still have by, and never touched save where it is sent.
class ManyPages {
 public:
  ManyPages()
      : memory_(
            ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)) {}
  ~ManyPages() { ::munmap(memory_, size); }
  ManyPages(const ManyPages&) = delete;
  ManyPages& operator=(const ManyPages&) = delete;
  [[nodiscard]] std::span<const std::byte> bytes() const {
    return {static_cast<const std::byte*>(memory_), size};
  }

 private:
  static constexpr std::size_t size = std::size_t{512} << 20;
  void* memory_;
};

TEST(OutOfMemory, a_write_of_which_half_has_gone_loses_the_connection_and_drain_tells) {
  kit::on_one_loop([]() -> Coro<> {
    auto [stream, bare] = co_await kit::half_bare();
    const ManyPages data;
    {
      const Shortage shortage;
      stream.writer.write(data.bytes());
    }
    EXPECT_EQ(co_await kit::error_of(stream.writer.drain()), ENOMEM);
    EXPECT_EQ(co_await kit::error_of(stream.writer.wait_closed()), ENOMEM);
  });
}

}  // namespace
#endif
