// read_file and write_file.
#include <algorithm>
#include <coil/file.hpp>

#include "file_operation.hpp"

namespace coil {

using detail::FileRef;
using detail::OpCode;
using detail::Transfer;

namespace {

// Most files are smaller, and the kernel need not be asked how large they are.
constexpr std::size_t first_guess = std::size_t{16} << 10;
// What is said to be larger may not be (/proc/kcore: 128 TiB): it is believed bit by bit.
constexpr std::uint64_t belief_max = std::uint64_t{1} << 30;

// A read that comes back short has seen the end of the file, so there is room for one byte more
// than the file is said to have.
Coro<std::string> read_to_end(FileRef file) {
  std::string text(first_guess, '\0');
  for (std::size_t done = 0;;) {
    auto* const to = reinterpret_cast<std::byte*>(text.data()) + done;
    const Transfer request{OpCode::Read, to, text.size() - done, detail::file_position};
    done += co_await detail::transfer(file, request);
    if (done < text.size()) {
      text.resize(done);
      if (done < text.capacity() / 2) text.shrink_to_fit();
      co_return text;
    }
    std::uint64_t wanted = 2 * done;
    if (done == first_guess)
      wanted = std::max(wanted, std::min(co_await detail::size_of_file(file), belief_max) + 1);
    text.resize(wanted);
  }
}

Coro<std::string> read_whole(std::string path) {
  const FileRef file = co_await detail::open_file(std::move(path), O_RDONLY, 0);
  std::string text = co_await read_to_end(file);
  co_await detail::close_file(file);
  co_return text;
}

Coro<> write_whole(std::string path, std::span<const std::byte> data) {
  const FileRef file =
      co_await detail::open_file(std::move(path), O_WRONLY | O_CREAT | O_TRUNC, 0666);
  (void)co_await detail::transfer(file, {OpCode::Write, const_cast<std::byte*>(data.data()),
                                         data.size(), detail::file_position});
  co_await detail::close_file(file);
}

Coro<> write_text(std::string path, std::string text) {
  co_await write_whole(std::move(path), std::as_bytes(std::span(text)));
}

}  // namespace

Coro<std::string> read_file(std::string_view path) {
  return read_whole(detail::checked_path(path));
}
Coro<> write_file(std::string_view path, std::span<const std::byte> data) {
  return write_whole(detail::checked_path(path), data);
}
Coro<> write_file(std::string_view path, std::string_view data) {
  return write_text(detail::checked_path(path), std::string(data));
}

}  // namespace coil
