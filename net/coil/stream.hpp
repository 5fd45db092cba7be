// StreamReader, StreamWriter: the two ends of a connection as asyncio has them.
#pragma once

#include <coil/address.hpp>
#include <coil/detail/connection.hpp>
#include <coil/detail/connection_wait.hpp>
#include <coil/detail/read_operation.hpp>
#include <coil/stream_errors.hpp>
#include <cstddef>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace coil {

// Both are shared handles: copies mean the same connection. They may be used from any loop, the
// reader and the writer by two tasks at the same time; but only one task reads at a time
// (std::runtime_error). When the last handle of a connection goes without close(), it is closed
// then, as by close(); debug mode reports that.
//
// What a member returns to be awaited may be moved, into create_task or wait_for, and outlives the
// stream then; unmoved it is awaited while the stream is there.
//
// A read that has what it wants at once does not suspend. A cancelled one takes nothing out of the
// stream. What arrived before the connection was lost can still be read; then comes
// std::system_error. After close() a read gives what is there, and then the end.
class StreamReader {
 public:
  static constexpr std::size_t until_end = static_cast<std::size_t>(-1);

  // 1 to n bytes, as soon as there are any; "" at the end of the stream. Without n, or with -1:
  // everything until the end.
  [[nodiscard]] detail::ReadOperation read(std::size_t n = until_end) const& {
    return {connection_.get(), false, n == until_end ? Wish::UntilEnd : Wish::Some, n};
  }
  [[nodiscard]] detail::ReadOperation read(std::size_t n = until_end) && {
    return {connection_.get(), true, n == until_end ? Wish::UntilEnd : Wish::Some, n};
  }
  // Exactly n bytes. Throws IncompleteReadError if the stream ends before.
  [[nodiscard]] detail::ReadOperation readexactly(std::size_t n) const& {
    return {connection_.get(), false, Wish::Exactly, n};
  }
  [[nodiscard]] detail::ReadOperation readexactly(std::size_t n) && {
    return {connection_.get(), true, Wish::Exactly, n};
  }
  // A line with its '\n'; at the end of the stream what is left, perhaps "". Throws
  // LimitOverrunError for a line longer than the limit, which it drops as far as it has come.
  [[nodiscard]] detail::ReadOperation readline() const& {
    return {connection_.get(), false, Wish::Line, 0};
  }
  [[nodiscard]] detail::ReadOperation readline() && {
    return {connection_.get(), true, Wish::Line, 0};
  }
  // Everything up to and including the separator. Throws IncompleteReadError if the stream ends
  // before, LimitOverrunError if it does not come within the limit (nothing is taken out then),
  // std::invalid_argument for an empty separator.
  [[nodiscard]] detail::ReadOperation readuntil(std::string_view separator = "\n") const& {
    return {connection_.get(), false, separator};
  }
  [[nodiscard]] detail::ReadOperation readuntil(std::string_view separator = "\n") && {
    return {connection_.get(), true, separator};
  }
  // The stream has ended, and all of it has been read.
  [[nodiscard]] bool at_eof() const { return connection_.get().at_eof(); }

  // For Coil's own use.
  explicit StreamReader(detail::ConnectionHandle connection) noexcept
      : connection_(std::move(connection)) {}

 private:
  using Wish = detail::ReadOperation::Wish;

  detail::ConnectionHandle connection_;
};

class StreamWriter {
 public:
  // Takes a copy and returns; never blocks. What is written in one turn of the loop leaves
  // together. What several tasks write does not mix: each call's bytes stay together. Silently
  // ignored once the connection is lost or closed: drain() tells. Throws std::runtime_error after
  // write_eof(), NoRunningLoop outside a loop.
  void write(std::span<const std::byte> data) const { connection_.get().write(data); }
  void write(std::string_view text) const { write(std::as_bytes(std::span(text))); }
  void writelines(std::span<const std::string> lines) const {
    for (const auto& line : lines) write(line);
  }
  void writelines(std::initializer_list<std::string_view> lines) const {
    for (const auto line : lines) write(line);
  }
  // Back-pressure: returns at once while no more than 64 KiB wait to be sent, otherwise when they
  // have become fewer than 16 KiB. Throws std::system_error if the connection was lost.
  [[nodiscard]] detail::ConnectionWait drain() const& {
    return {connection_.get(), false, For::Drained};
  }
  [[nodiscard]] detail::ConnectionWait drain() && {
    return {connection_.get(), true, For::Drained};
  }
  // Ends the stream after what was written; reading goes on. Closes a pipe.
  void write_eof() const { connection_.get().write_eof(); }
  [[nodiscard]] bool can_write_eof() const noexcept { return true; }
  // Sends what was written, then closes the connection; returns at once. Nothing more is received.
  void close() const { connection_.get().close(); }
  [[nodiscard]] bool is_closing() const { return connection_.get().closing(); }
  // Until the descriptor is closed. Throws std::system_error if the connection was lost before: a
  // reset by the other end is noticed while less than twice the limit waits to be read.
  [[nodiscard]] detail::ConnectionWait wait_closed() const& {
    return {connection_.get(), false, For::Closed};
  }
  [[nodiscard]] detail::ConnectionWait wait_closed() && {
    return {connection_.get(), true, For::Closed};
  }
  // Closes at once; what was not sent is dropped (asyncio: writer.transport.abort()).
  void abort() const { connection_.get().abort(); }

  // The other end. Known also after the connection has ended.
  [[nodiscard]] Address peername() const { return connection_.get().peername(); }
  // This end; empty after the connection has ended.
  [[nodiscard]] Address sockname() const { return connection_.get().sockname(); }
  // "peername" and "sockname" as text; nothing for any other name.
  [[nodiscard]] std::optional<std::string> get_extra_info(std::string_view name) const;
  // How many bytes wait to be sent (asyncio: writer.transport.get_write_buffer_size()).
  [[nodiscard]] std::size_t get_write_buffer_size() const { return connection_.get().unsent(); }

  // For Coil's own use.
  explicit StreamWriter(detail::ConnectionHandle connection) noexcept
      : connection_(std::move(connection)) {}

 private:
  using For = detail::ConnectionWait::For;

  detail::ConnectionHandle connection_;
};

}  // namespace coil
