// StreamWriter: buffering, back-pressure, and how a connection ends.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <coil/coil.hpp>
#include <coil/net.hpp>
#include <optional>
#include <string>
#include <vector>

#include "net_kit.hpp"

namespace {

using namespace std::chrono_literals;
using coil::Coro;
using kit::connected;

TEST(StreamWriter, what_is_written_in_one_turn_leaves_in_one_piece) {
  kit::on_loops([]() -> Coro<> {
    auto [stream, bare] = co_await kit::half_bare();
    for (int i = 0; i < 100; ++i) {
      stream.writer.write("0123456789");
      co_await stream.writer.drain();
    }
    std::byte buffer[2000];
    EXPECT_EQ(co_await bare.recv(buffer), 1000U);
  });
}

TEST(StreamWriter, a_slow_reader_holds_the_writer_back_and_bounds_memory_at_both_ends) {
  kit::on_loops([]() -> Coro<> {
    auto [near, far] = co_await connected();
    std::atomic<std::size_t> written = 0;
    std::atomic<std::size_t> most = 0;
    auto writing = coil::create_task([&, writer = near.writer]() -> Coro<> {
      const std::string piece(10'000, 'x');
      for (;;) {
        writer.write(piece);
        written += piece.size();
        most = std::max(most.load(), writer.get_write_buffer_size());
        co_await writer.drain();
      }
    });
    EXPECT_EQ(co_await far.reader.readexactly(1), "x");
    std::size_t before = 0;
    do {
      before = written;
      co_await coil::sleep(50ms);
    } while (written != before);
    // The kernel's two buffers, ours of 64 KiB and one piece here, of 128 KiB there, and what one
    // turn of the kernel brings.
    EXPECT_LT(written, 16U << 20);
    EXPECT_LE(most, 64U * 1024 + 10'000);
    // It goes on when somebody reads, and everything arrives.
    const std::size_t more = before + 1'000'000;
    EXPECT_EQ((co_await far.reader.readexactly(more - 1)).size(), more - 1);
    writing.cancel();
    co_await kit::thrown_by<coil::CancelledError>(writing);
  });
}

TEST(StreamWriter, half_closed_it_still_reads) {
  kit::on_loops([]() -> Coro<> {
    auto [near, far] = co_await connected();
    near.writer.write("question");
    near.writer.write_eof();
    EXPECT_EQ(co_await far.reader.read(), "question");
    far.writer.write("answer");
    far.writer.close();
    EXPECT_EQ(co_await near.reader.read(), "answer");
    EXPECT_EQ(co_await kit::thrown_by<std::runtime_error>([&]() -> Coro<> {
                near.writer.write("more");
                co_return;
              }()),
              "Cannot call write() after write_eof()");
  });
}

TEST(StreamWriter, close_sends_what_was_written_first) {
  kit::on_loops([]() -> Coro<> {
    auto [near, far] = co_await connected();
    const std::string text = kit::pattern(5 << 20);
    near.writer.write(std::string_view(text).substr(0, 100));
    near.writer.write(std::string_view(text).substr(100));
    near.writer.close();
    near.writer.close();
    EXPECT_TRUE(near.writer.is_closing());
    near.writer.write("ignored");
    auto closed = coil::create_task(near.writer.wait_closed());
    co_await coil::sleep(2ms);
    EXPECT_FALSE(closed.done());
    EXPECT_TRUE(co_await far.reader.read() == text);
    co_await closed;
    co_await near.writer.wait_closed();
    EXPECT_EQ(co_await near.reader.read(), "");
  });
}

TEST(StreamWriter, abort_drops_what_was_written) {
  kit::on_loops([]() -> Coro<> {
    auto [near, far] = co_await connected();
    near.writer.write(std::string(20 << 20, 'x'));
    auto draining = coil::create_task(kit::error_of(near.writer.drain()));
    co_await coil::sleep(2ms);
    near.writer.abort();
    co_await near.writer.wait_closed();
    EXPECT_EQ(co_await draining, ECONNABORTED);
    EXPECT_EQ(co_await near.reader.read(), "");
    EXPECT_LT((co_await far.reader.read()).size(), 20U << 20);
  });
}

TEST(StreamWriter, closing_it_ends_a_read_that_waits_on_another_task) {
  kit::on_loops([]() -> Coro<> {
    auto [near, far] = co_await connected();
    auto read = coil::create_task(near.reader.read());
    co_await coil::sleep(2ms);
    near.writer.close();
    EXPECT_EQ(co_await read, "");
    EXPECT_EQ(co_await far.reader.read(), "");
  });
}

TEST(StreamWriter, dropping_every_handle_closes_the_connection) {
  kit::on_loops([]() -> Coro<> {
    auto [stream, bare] = co_await kit::half_bare();
    stream.writer.write("last words");
    {
      const auto gone = std::move(stream);
    }
    std::byte buffer[100];
    EXPECT_EQ(kit::text_of(std::span(buffer).first(co_await bare.recv(buffer))), "last words");
    EXPECT_EQ(co_await bare.recv(buffer), 0U);
  });
}

TEST(StreamWriter, a_dropped_connection_is_reported_in_debug_mode) {
  kit::on_loops(
      []() -> Coro<> {
        std::string message;
        coil::get_running_loop().set_exception_handler(
            [&](const coil::ExceptionContext& context) { message = context.message; });
        auto [stream, bare] = co_await kit::half_bare();
        const auto peer = stream.writer.peername().to_string();
        {
          const auto gone = std::move(stream);
        }
        EXPECT_EQ(message, "unclosed connection to " + peer);
        message.clear();
        {
          const auto gone = std::move(bare);
        }
        EXPECT_THAT(message, testing::StartsWith("unclosed socket " + peer));
        coil::get_running_loop().set_exception_handler({});
      },
      {.debug = true});
}

TEST(StreamWriter, writing_to_a_peer_that_has_gone_is_an_error_and_no_signal) {
  kit::on_loops([]() -> Coro<> {
    auto [stream, bare] = co_await kit::half_bare();
    co_await bare.close();
    co_await kit::thrown_by<std::system_error>([&, writer = stream.writer]() -> Coro<> {
      for (;;) {
        writer.write("x");
        co_await coil::sleep(0ms);
        co_await writer.drain();
      }
    }());
    co_await kit::thrown_by<std::system_error>([&, writer = stream.writer]() -> Coro<> {
      writer.write(std::string(100'000, 'x'));
      co_await writer.drain();
    }());
    co_await kit::thrown_by<std::system_error>(stream.writer.wait_closed());
  });
}

TEST(StreamWriter, what_several_tasks_write_does_not_mix) {
  kit::on_loops([]() -> Coro<> {
    auto [near, far] = co_await connected();
    const auto write = [writer = near.writer](std::size_t size, char letter) {
      writer.write(std::to_string(size) + "\n" + std::string(size, letter));
    };
    // Small ones are gathered; large ones go into the kernel directly, and only in part.
    std::atomic<bool> done = false;
    std::vector<coil::Task<>> writing;
    for (int i = 0; i < 3; ++i)
      writing.push_back(coil::create_task([&]() -> Coro<> {
        while (!done) {
          write(10, 's');
          co_await near.writer.drain();
          co_await coil::sleep(20us);
        }
      }));
    writing.push_back(coil::create_task([&]() -> Coro<> {
      for (int i = 0; i < 20; ++i) {
        write(5'000'000, 'l');
        co_await near.writer.drain();
        co_await kit::until([&] { return near.writer.get_write_buffer_size() == 0; });
      }
      done = true;
    }));
    auto reading = coil::create_task([&]() -> Coro<> {
      for (;;) {
        const std::string line = co_await far.reader.readline();
        if (line.empty()) break;
        const std::size_t size = std::stoul(line);
        EXPECT_TRUE(co_await far.reader.readexactly(size) ==
                    std::string(size, size == 10 ? 's' : 'l'));
      }
    });
    for (auto& task : writing) co_await task;
    near.writer.close();
    co_await reading;
  });
}

TEST(StreamWriter, cancelling_drain_leaves_the_stream_usable) {
  kit::on_loops([]() -> Coro<> {
    auto [near, far] = co_await connected();
    const std::string text = kit::pattern(20 << 20);
    near.writer.write(text);
    auto draining = coil::create_task(near.writer.drain());
    co_await coil::sleep(2ms);
    EXPECT_FALSE(draining.done());
    draining.cancel();
    co_await kit::thrown_by<coil::CancelledError>(draining);
    auto again = coil::create_task(near.writer.drain());
    near.writer.write_eof();
    EXPECT_TRUE(co_await far.reader.read() == text);
    co_await again;
  });
}

TEST(StreamWriter, knows_both_ends) {
  kit::on_loops([]() -> Coro<> {
    auto [near, far] = co_await connected();
    EXPECT_EQ(near.writer.peername(), far.writer.sockname());
    EXPECT_EQ(near.writer.sockname(), far.writer.peername());
    EXPECT_EQ(near.writer.get_extra_info("peername"), far.writer.sockname().to_string());
    EXPECT_EQ(near.writer.get_extra_info("colour"), std::nullopt);
    const auto peer = near.writer.peername();
    near.writer.close();
    co_await near.writer.wait_closed();
    EXPECT_EQ(near.writer.peername(), peer);
    EXPECT_TRUE(near.writer.sockname().empty());
  });
}

// Its own loop is gone, and nothing of it may be in flight then.
TEST(StreamWriter, a_connection_that_outlives_its_runner_is_lost) {
  for (const int loops : {1, 2}) {
    std::optional<kit::Ends> ends;
    coil::run(
        [&]() -> Coro<> {
          ends.emplace(co_await connected());
          ends->far.writer.write("abc");
          EXPECT_EQ(co_await ends->near.reader.readexactly(1), "a");
          ends->near.writer.write(std::string(20 << 20, 'x'));
        }(),
        {.loops = loops});
    EXPECT_EQ(ends->near.writer.get_write_buffer_size(), 0U);
    ends.reset();
  }
}

TEST(StreamWriter, wait_closed_notices_a_reset_though_nobody_has_read) {
  kit::on_loops([]() -> Coro<> {
    auto [stream, bare] = co_await kit::half_bare();
    auto closed = coil::create_task(kit::error_of(stream.writer.wait_closed()));
    co_await coil::sleep(2ms);
    EXPECT_FALSE(closed.done());
    co_await kit::reset(bare);
    EXPECT_EQ(co_await coil::wait_for(std::move(closed), 5s), ECONNRESET);
  });
}

}  // namespace
