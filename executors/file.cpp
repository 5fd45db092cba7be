#include <algorithm>
#include <coil/detail/scheduler.hpp>
#include <coil/exception_context.hpp>
#include <coil/file.hpp>

#include "file_operation.hpp"

namespace coil {

using detail::FileRef;
using detail::OpCode;
using detail::Transfer;

namespace {

// What stands for no offset is as impossible as the one below it: EINVAL.
std::uint64_t real_offset(std::uint64_t offset) {
  return std::min(offset, detail::file_position - 1);
}

Transfer reading(std::byte* data, std::size_t size, std::uint64_t offset) {
  return {OpCode::Read, data, size, real_offset(offset)};
}
Transfer writing(std::span<const std::byte> data, std::uint64_t offset) {
  return {OpCode::Write, const_cast<std::byte*>(data.data()), data.size(), real_offset(offset)};
}
std::byte* bytes_of(std::string& text) { return reinterpret_cast<std::byte*>(text.data()); }

void report_unclosed(const detail::FileState& file) noexcept {
  try {
    ExceptionContext context;
    context.message = "unclosed file '" + file.path() + "'";
    detail::report(context);
  } catch (...) {  // out of memory: the report is lost, the file is closed all the same
  }
}

Coro<std::string> read_text(FileRef file, std::size_t size, std::uint64_t offset) {
  std::string text(size, '\0');
  const Transfer request = reading(bytes_of(text), size, offset);
  text.resize(co_await detail::transfer(std::move(file), request));
  co_return text;
}

Coro<std::size_t> write_text(FileRef file, std::string text, std::uint64_t offset) {
  co_return co_await detail::transfer(std::move(file),
                                      writing(std::as_bytes(std::span(text)), offset));
}

}  // namespace

// Not a coroutine itself: the path is copied when this is called.
Coro<File> File::open(std::string_view path, int flags, mode_t mode) {
  return [](std::string p, int f, mode_t m) -> Coro<File> {
    co_return File(co_await detail::open_file(std::move(p), f, m));
  }(detail::checked_path(path), flags, mode);
}

File::~File() {
  if (!file_ || file_->fd() < 0) return;
  if (detail::debug_mode()) [[unlikely]]
    report_unclosed(*file_);
  file_->abandon();
}

Coro<std::size_t> File::read_at(std::span<std::byte> buffer, std::uint64_t offset) const {
  return detail::transfer(file_, reading(buffer.data(), buffer.size(), offset));
}
Coro<std::string> File::read_at(std::size_t size, std::uint64_t offset) const {
  return read_text(file_, size, offset);
}
Coro<std::size_t> File::write_at(std::span<const std::byte> data, std::uint64_t offset) const {
  return detail::transfer(file_, writing(data, offset));
}
Coro<std::size_t> File::write_at(std::string_view data, std::uint64_t offset) const {
  return write_text(file_, std::string(data), offset);
}
Coro<> File::fsync() const { return detail::sync_file(file_); }
Coro<std::uint64_t> File::size() const { return detail::size_of_file(file_); }
Coro<> File::close() const { return detail::close_file(file_); }

}  // namespace coil
