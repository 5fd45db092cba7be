// StreamReader: what its members give, and what cancelling them leaves behind.
#include <gtest/gtest.h>

#include <coil/coil.hpp>
#include <coil/net.hpp>
#include <string>

#include "net_kit.hpp"

namespace {

using namespace std::chrono_literals;
using coil::Coro;
using kit::connected;

TEST(StreamReader, read_gives_what_is_there_and_readexactly_what_was_asked_for) {
  kit::on_loops([]() -> Coro<> {
    auto [near, far] = co_await connected();
    far.writer.write("abcdef");
    EXPECT_EQ(co_await near.reader.readexactly(2), "ab");
    EXPECT_EQ(co_await near.reader.read(3), "cde");
    EXPECT_EQ(co_await near.reader.read(3), "f");
    EXPECT_EQ(co_await near.reader.read(0), "");
    EXPECT_EQ(co_await near.reader.readexactly(0), "");
    far.writer.writelines({"one", "\n", "two\nthree"});
    far.writer.write_eof();
    EXPECT_EQ(co_await near.reader.readline(), "one\n");
    EXPECT_EQ(co_await near.reader.readline(), "two\n");
    EXPECT_FALSE(near.reader.at_eof());
    EXPECT_EQ(co_await near.reader.readline(), "three");
    EXPECT_EQ(co_await near.reader.readline(), "");
    EXPECT_EQ(co_await near.reader.read(), "");
    EXPECT_EQ(co_await near.reader.read(10), "");
    EXPECT_TRUE(near.reader.at_eof());
  });
}

TEST(StreamReader, readuntil_finds_a_separator_that_arrives_in_pieces) {
  kit::on_loops([]() -> Coro<> {
    auto [near, far] = co_await connected();
    auto read = coil::create_task(near.reader.readuntil("\r\n\r\n"));
    for (const char* piece : {"GET /\r", "\n", "x: \r\n\r", "x\r\n\r", "\nrest"}) {
      far.writer.write(piece);
      co_await coil::sleep(1ms);
    }
    EXPECT_EQ(co_await read, "GET /\r\nx: \r\n\rx\r\n\r\n");
    EXPECT_EQ(co_await near.reader.read(100), "rest");
    EXPECT_EQ(co_await kit::thrown_by<std::invalid_argument>(
                  [&]() -> Coro<> { (void)co_await near.reader.readuntil(""); }()),
              "readuntil: the separator should be at least one byte");
  });
}

TEST(StreamReader, a_stream_that_ends_too_early_gives_its_partial_bytes) {
  kit::on_loops([]() -> Coro<> {
    auto [near, far] = co_await connected();
    far.writer.write("abc");
    far.writer.write_eof();
    bool thrown = false;
    try {
      (void)co_await near.reader.readexactly(10);
    } catch (const coil::IncompleteReadError& error) {
      thrown = true;
      EXPECT_EQ(error.partial(), "abc");
      EXPECT_EQ(error.expected(), 10U);
      EXPECT_STREQ(error.what(), "3 bytes read on a total of 10 expected bytes");
    }
    EXPECT_TRUE(thrown);
    near.writer.write("no separator");
    near.writer.close();
    EXPECT_EQ(co_await kit::thrown_by<coil::IncompleteReadError>(far.reader.readuntil("x")),
              "12 bytes read on a total of undefined expected bytes");
  });
}

TEST(StreamReader, a_line_over_the_limit_is_an_error_and_the_next_one_can_be_read) {
  kit::on_loops([]() -> Coro<> {
    auto [near, far] = co_await connected({.limit = 8});
    near.writer.write("0123456789\nshort\n0123456789abcdef");
    near.writer.write_eof();
    co_await coil::sleep(5ms);
    try {
      (void)co_await far.reader.readuntil("\n");
      ADD_FAILURE();
    } catch (const coil::LimitOverrunError& error) {
      EXPECT_EQ(error.consumed(), 10U);
      EXPECT_STREQ(error.what(), "Separator is found, but chunk is longer than limit");
    }
    EXPECT_EQ(co_await kit::thrown_by<coil::LimitOverrunError>(far.reader.readline()),
              "Separator is found, but chunk is longer than limit");
    EXPECT_EQ(co_await far.reader.readline(), "short\n");
    try {
      (void)co_await far.reader.readuntil("\n");
      ADD_FAILURE();
    } catch (const coil::LimitOverrunError& error) {
      EXPECT_EQ(error.consumed(), 16U);
      EXPECT_STREQ(error.what(), "Separator is not found, and chunk exceed the limit");
    }
    EXPECT_EQ(co_await far.reader.readexactly(16), "0123456789abcdef");
  });
}

TEST(StreamReader, a_cancelled_read_takes_nothing_out_of_the_stream) {
  kit::on_loops([]() -> Coro<> {
    auto [near, far] = co_await connected();
    far.writer.write("abc");
    auto read = coil::create_task(near.reader.readexactly(6));
    co_await coil::sleep(2ms);
    read.cancel();
    co_await kit::thrown_by<coil::CancelledError>(read);
    far.writer.write("def");
    EXPECT_EQ(co_await near.reader.readexactly(6), "abcdef");
  });
}

TEST(StreamReader, reads_cancelled_at_any_moment_lose_no_byte) {
  kit::on_loops([]() -> Coro<> {
    auto [near, far] = co_await connected();
    const std::string text = kit::pattern(300'000);
    auto send = coil::create_task([writer = far.writer, &text]() -> Coro<> {
      for (std::size_t at = 0; at < text.size(); at += 100) {
        writer.write(std::string_view(text).substr(at, 100));
        if (at % 1000 == 0) co_await coil::sleep(0ms);
      }
      writer.write_eof();
    });
    std::string received;
    int cancelled = 0;
    for (int attempt = 0; received.size() < text.size(); ++attempt) {
      auto read = coil::create_task(near.reader.read(777));
      if (attempt % 3 != 0) co_await coil::sleep(attempt % 3 == 1 ? 0us : 10us);
      read.cancel();
      try {
        received += co_await read;
      } catch (const coil::CancelledError&) {
        ++cancelled;
      }
      if (cancelled % 2 != 0) co_await coil::sleep(10us);
    }
    EXPECT_TRUE(received == text);
    EXPECT_GT(cancelled, 0);
    co_await send;
  });
}

TEST(StreamReader, a_read_with_data_there_does_not_suspend) {
  kit::on_one_loop([]() -> Coro<> {
    auto [near, far] = co_await connected();
    far.writer.write("abcdef");
    EXPECT_EQ(co_await near.reader.readexactly(1), "a");
    bool other_ran = false;
    auto other = coil::create_task([&]() -> Coro<> {
      other_ran = true;
      co_return;
    });
    EXPECT_EQ(co_await near.reader.read(2), "bc");
    EXPECT_EQ(co_await near.reader.readexactly(3), "def");
    EXPECT_FALSE(other_ran);
    co_await other;
  });
}

TEST(StreamReader, only_one_task_reads_at_a_time) {
  kit::on_loops([]() -> Coro<> {
    auto [near, far] = co_await connected();
    auto first = coil::create_task(near.reader.readline());
    co_await coil::sleep(2ms);
    EXPECT_EQ(co_await kit::thrown_by<std::runtime_error>(near.reader.readline()),
              "read() called while another coroutine is already waiting for incoming data");
    far.writer.write("line\n");
    EXPECT_EQ(co_await first, "line\n");
  });
}

TEST(StreamReader, a_read_may_be_given_a_limit_and_tried_again) {
  kit::on_loops([]() -> Coro<> {
    auto [near, far] = co_await connected();
    co_await kit::thrown_by<coil::TimeoutError>(coil::wait_for(near.reader.readline(), 2ms));
    far.writer.write("late\n");
    EXPECT_EQ(co_await coil::wait_for(near.reader.readline(), 10s), "late\n");
  });
}

TEST(StreamReader, a_peer_that_resets_is_an_error_after_the_bytes_that_came_before) {
  kit::on_loops([]() -> Coro<> {
    auto [stream, bare] = co_await kit::half_bare();
    co_await bare.send_all("abc");
    EXPECT_EQ(co_await stream.reader.readexactly(1), "a");
    auto peer = stream.writer.peername().to_string();
    co_await kit::reset(bare);
    co_await coil::sleep(5ms);
    EXPECT_EQ(co_await stream.reader.read(10), "bc");
    EXPECT_EQ(co_await kit::thrown_by<std::system_error>(stream.reader.read(10)),
              "read from " + peer + ": Connection reset by peer");
    EXPECT_EQ(co_await kit::error_of(stream.reader.readline()), ECONNRESET);
    stream.writer.write("x");
    EXPECT_EQ(co_await kit::error_of(stream.writer.drain()), ECONNRESET);
    EXPECT_EQ(co_await kit::error_of(stream.writer.wait_closed()), ECONNRESET);
  });
}

TEST(StreamReader, a_small_limit_bounds_what_is_read_ahead) {
  kit::on_loops([]() -> Coro<> {
    coil::OpenConnectionOptions options;
    options.limit = 1024;
    auto [stream, bare] = co_await kit::half_bare(options);
    const std::string data = kit::pattern(4 << 20);
    auto sending = coil::create_task(bare.send_all(data));
    std::string read = co_await stream.reader.read(1);
    co_await coil::sleep(20ms);
    const std::string ahead = co_await stream.reader.read(data.size());
    EXPECT_LE(ahead.size(), 2 * options.limit + 16 * 1024);
    read += ahead;
    read += co_await stream.reader.readexactly(data.size() - read.size());
    EXPECT_EQ(read, data);
    co_await sending;
    co_await bare.close();
    EXPECT_EQ(co_await stream.reader.read(), "");
  });
}

}  // namespace
