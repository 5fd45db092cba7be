#include "perform_here.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace coil::detail {
namespace {

std::int32_t result_of(long result) noexcept {
  return result < 0 ? -errno : static_cast<std::int32_t>(result);
}

std::int32_t read_here(const Operation& op) noexcept {
  if (op.offset == file_position) return result_of(::read(op.fd, op.buffer, op.length));
  return result_of(::pread(op.fd, op.buffer, op.length, static_cast<off_t>(op.offset)));
}

std::int32_t write_here(const Operation& op) noexcept {
  if (op.offset == file_position) return result_of(::write(op.fd, op.buffer, op.length));
  return result_of(::pwrite(op.fd, op.buffer, op.length, static_cast<off_t>(op.offset)));
}

std::int32_t open_here(const Operation& op) noexcept {
  const char* path = static_cast<const char*>(op.buffer);
  struct stat found{};
  if (::fstatat(op.fd, path, &found, 0) == 0 && S_ISFIFO(found.st_mode)) return -ENOTSUP;
  return result_of(::openat(op.fd, path, static_cast<int>(op.flags), op.length));
}

}  // namespace

std::int32_t perform_here(const Operation& op) noexcept {
  switch (op.code) {
    case OpCode::Nop:
      return 0;
    case OpCode::Read:
      return read_here(op);
    case OpCode::Write:
      return write_here(op);
    case OpCode::Fsync:
      return result_of(::fsync(op.fd));
    case OpCode::Close:
      return result_of(::close(op.fd));
    case OpCode::OpenAt:
      return open_here(op);
    case OpCode::Statx:
      return result_of(
          ::statx(op.fd, "", AT_EMPTY_PATH, op.length, static_cast<struct statx*>(op.buffer)));
    default:
      return -ENOTSUP;
  }
}

}  // namespace coil::detail
