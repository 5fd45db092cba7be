// What the tests of net share.
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <gtest/gtest.h>

#include <coil/coil.hpp>
#include <coil/detail/loops.hpp>
#include <coil/net.hpp>
#include <cstddef>
#include <cstdint>
#include <kit/loops.hpp>
#include <kit/thrown.hpp>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace kit {

inline coil::Coro<> echo(coil::StreamReader reader, coil::StreamWriter writer) {
  for (;;) {
    const std::string data = co_await reader.read(65536);
    if (data.empty()) break;
    writer.write(data);
    co_await writer.drain();
  }
  writer.close();
  co_await writer.wait_closed();
}

inline std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  std::uint32_t state = 1;
  for (char& c : text) c = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  return text;
}

// How many descriptors this process has open.
inline int open_descriptors() {
  int count = 0;
  DIR* directory = ::opendir("/proc/self/fd");
  while (::readdir(directory) != nullptr) ++count;
  ::closedir(directory);
  return count;
}

// The two ends of one TCP connection over the loopback.
struct End {
  coil::StreamReader reader;
  coil::StreamWriter writer;
};
struct Ends {
  End near;
  End far;
};
inline coil::Coro<Ends> connected(coil::ServerOptions options = {}) {
  coil::Promise<End> accepted;
  auto take = [&accepted](coil::StreamReader reader, coil::StreamWriter writer) -> coil::Coro<> {
    accepted.set_result(End{reader, writer});
    co_return;
  };
  auto server = co_await coil::start_server(take, "127.0.0.1", 0, options);
  auto [reader, writer] = co_await coil::open_connection("127.0.0.1", server.port());
  const End far = co_await accepted.get_future();
  server.close();  // the connection goes on
  co_return Ends{{reader, writer}, far};
}

// A stream, and a bare socket at its other end.
struct HalfBare {
  End stream;
  coil::Socket bare;
};
inline coil::Coro<HalfBare> half_bare(coil::OpenConnectionOptions options = {}) {
  const auto listener = coil::Socket::tcp();
  listener.bind(coil::Address("127.0.0.1", 0));
  listener.listen();
  auto [reader, writer] =
      co_await coil::open_connection("127.0.0.1", listener.local_address().port(), options);
  auto bare = co_await listener.accept();
  co_await listener.close();
  co_return HalfBare{{reader, writer}, std::move(bare)};
}

// Two bare sockets, connected.
struct BarePair {
  coil::Socket near;
  coil::Socket far;
};
inline coil::Coro<BarePair> bare_pair() {
  const auto listener = coil::Socket::tcp();
  listener.bind(coil::Address("127.0.0.1", 0));
  listener.listen();
  auto near = coil::Socket::tcp();
  co_await near.connect(listener.local_address());
  auto far = co_await listener.accept();
  co_await listener.close();
  co_return BarePair{std::move(near), std::move(far)};
}

// A listener whose queue is full: who connects waits.
class FullListener {
 public:
  FullListener() : listener_(coil::Socket::tcp()) {
    listener_.bind(coil::Address("127.0.0.1", 0));
    listener_.listen(0);
  }
  [[nodiscard]] coil::Address address() const { return listener_.local_address(); }
  coil::Coro<> fill() {
    for (int waiting = 0; waiting < 2;) {
      auto socket = coil::Socket::tcp();
      try {
        co_await coil::wait_for(socket.connect(address()), std::chrono::milliseconds(20));
      } catch (const coil::TimeoutError&) {
        ++waiting;
      }
      in_queue_.push_back(std::move(socket));
    }
  }

 private:
  coil::Socket listener_;
  std::vector<coil::Socket> in_queue_;
};
inline coil::Coro<FullListener> full_listener() {
  FullListener listener;
  co_await listener.fill();
  co_return listener;
}

// Accepts and drops all connections that wait.
inline coil::Coro<> drain_backlog(const coil::Socket& listener) {
  try {
    for (;;) {
      auto socket = co_await coil::wait_for(listener.accept(), std::chrono::milliseconds(5));
    }
  } catch (const coil::TimeoutError&) {
  }
}

// Ends the connection with a reset instead of an orderly close.
inline coil::Coro<> reset(const coil::Socket& socket) {
  const linger at_once{1, 0};
  ::setsockopt(socket.fileno(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  co_await socket.close();
}

inline std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The error number of the system_error that awaiting it throws.
template <class A>
coil::Coro<int> error_of(A awaitable) {
  try {
    (void)co_await coil::detail::to_await(awaitable);
  } catch (const std::system_error& error) {
    co_return error.code().value();
  } catch (...) {
    ADD_FAILURE() << "threw another type: " << coil::detail::describe(std::current_exception());
    co_return -1;
  }
  ADD_FAILURE() << "did not throw";
  co_return 0;
}

}  // namespace kit
