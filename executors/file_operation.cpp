#include "file_operation.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <coil/detail/future_awaiter.hpp>
#include <stdexcept>
#include <system_error>

namespace coil::detail {
namespace {

// One operation moves at most this much: the kernel takes 2 GiB less a page.
constexpr std::size_t transfer_max = std::size_t{1} << 30;

std::string quoted(const std::string& path) { return "'" + path + "'"; }

const char* purpose(int flags) {
  switch (flags & O_ACCMODE) {
    case O_RDONLY:
      return " for reading";
    case O_WRONLY:
      return " for writing";
    default:
      return " for reading and writing";
  }
}

// "read 100 bytes at 5 of 'path'", "write 'path', after 10 bytes"
std::string describe(const Transfer& request, std::size_t done, const std::string& path) {
  const bool reads = request.code == OpCode::Read;
  std::string text = reads ? "read " : "write ";
  if (request.offset == file_position) {
    text += quoted(path);
  } else {
    text += std::to_string(request.size) + " bytes at " + std::to_string(request.offset) + " of " +
            quoted(path);
  }
  if (done != 0) text += ", after " + std::to_string(done) + " bytes";
  return text;
}

}  // namespace

constinit const LeafKind open_leaf{"open", &OperationAwaiter::cancel_leaf};
constinit const LeafKind read_leaf{"read", &OperationAwaiter::cancel_leaf};
constinit const LeafKind write_leaf{"write", &OperationAwaiter::cancel_leaf};
constinit const LeafKind fsync_leaf{"fsync", &OperationAwaiter::cancel_leaf};
constinit const LeafKind stat_leaf{"stat", &OperationAwaiter::cancel_leaf};
constinit const LeafKind poll_leaf{"poll", &OperationAwaiter::cancel_leaf};
constinit const LeafKind close_leaf{"close"};

std::string checked_path(std::string_view path) {
  if (path.find('\0') != std::string_view::npos)
    throw std::invalid_argument("a path with a NUL in it: '" + std::string(path) + "'");
  return std::string(path);
}

void throw_file_error(std::int32_t error, const std::string& what) {
  throw std::system_error(-error, std::system_category(), what);
}

FileUse::FileUse(FileRef file, const char* what)
    : file_(std::move(file)), fd_(file_ ? file_->enter() : -1) {
  if (fd_ >= 0) return;
  const std::string which = file_ ? quoted(file_->path()) + ", which is closed" : "no file";
  throw_file_error(-EBADF, std::string(what) + " " + which);
}

Coro<FileRef> open_file(std::string path, int flags, mode_t mode) {
  FileRef file(new FileState(std::move(path)), AdoptRef{});
  for (;;) {
    FileOperation operation(open_leaf, OpCode::OpenAt, AT_FDCWD);
    operation.buffer = const_cast<char*>(file->path().c_str());
    operation.flags = static_cast<std::uint32_t>(flags | O_CLOEXEC);
    // The kernel refuses a mode that it would not use.
    operation.length = (flags & (O_CREAT | __O_TMPFILE)) != 0 ? mode : 0;
    const std::int32_t result = co_await operation;
    if (result == -EINTR) continue;
    if (result < 0) throw_file_error(result, "open " + quoted(file->path()) + purpose(flags));
    file->adopt(result);
    co_return file;
  }
}

Coro<std::size_t> transfer(FileRef file, Transfer request) {
  const bool reads = request.code == OpCode::Read;
  const FileUse use(std::move(file), reads ? "read" : "write");
  std::size_t done = 0;
  while (done < request.size) {
    FileOperation operation(reads ? read_leaf : write_leaf, request.code, use.fd());
    operation.buffer = request.data + done;
    operation.length = static_cast<std::uint32_t>(std::min(request.size - done, transfer_max));
    operation.offset = request.offset == file_position ? file_position : request.offset + done;
    std::int32_t result = co_await operation;
    if (result == -EAGAIN) {  // opened with O_NONBLOCK: then waiting is up to us
      FileOperation poll(poll_leaf, OpCode::Poll, use.fd());
      poll.flags = reads ? POLLIN : POLLOUT;
      result = co_await poll;
      if (result >= 0) continue;
    }
    if (result == -EINTR) continue;
    if (result < 0) throw_file_error(result, describe(request, done, use.path()));
    if (result == 0 && !reads) throw_file_error(-EIO, describe(request, done, use.path()));
    if (result == 0) break;
    done += static_cast<std::size_t>(result);
  }
  co_return done;
}

Coro<> sync_file(FileRef file) {
  const FileUse use(std::move(file), "fsync");
  std::int32_t result = 0;
  do {
    FileOperation operation(fsync_leaf, OpCode::Fsync, use.fd());
    result = co_await operation;
  } while (result == -EINTR);
  if (result < 0) throw_file_error(result, "fsync " + quoted(use.path()));
}

Coro<std::uint64_t> size_of_file(FileRef file) {
  const FileUse use(std::move(file), "size of");
  struct statx found{};
  std::int32_t result = 0;
  do {
    FileOperation operation(stat_leaf, OpCode::Statx, use.fd());
    operation.buffer = &found;
    operation.length = STATX_SIZE;
    result = co_await operation;
  } while (result == -EINTR);
  if (result < 0) throw_file_error(result, "size of " + quoted(use.path()));
  co_return found.stx_size;
}

Coro<> close_file(FileRef file) {
  if (!file) co_return;
  if (const FutureRef idle = file->begin_close()) {
    try {
      co_await FutureWait(idle, shielded_leaf);
    } catch (...) {
      file->abandon();
      throw;
    }
  }
  const int fd = file->take();
  if (fd < 0) co_return;
  FileOperation operation(close_leaf, OpCode::Close, fd);
  const std::int32_t result = co_await operation;
  // Interrupted, it is closed all the same.
  if (result < 0 && result != -EINTR) throw_file_error(result, "close " + quoted(file->path()));
}

}  // namespace coil::detail
