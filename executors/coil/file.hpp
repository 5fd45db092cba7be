// File, read_file, write_file: files through the loop's ring, so that no loop waits for a disk.
#pragma once

#include <fcntl.h>
#include <sys/types.h>

#include <coil/coro.hpp>
#include <coil/detail/file_state.hpp>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace coil {

// An open file. Move-only; its const members may be used by several tasks on several loops at the
// same time. What asyncio lacks; the names are those of os.pread and its like.
//
// A text argument is copied when the function is called; a span must outlive the await. Each await
// may be cancelled: it returns once the kernel has let go of the memory, which is the caller's
// again after CancelledError; how much of it was read or written then is unknown.
//
// Errors are std::system_error with the operation, the path and its operands in the text; once the
// file is closed, EBADF. A path with a NUL in it is a std::invalid_argument.
//
// One that is dropped without close() is closed as soon as nothing is in flight on it, on the
// thread that finds that out, and errors that show only then (of a network's file system) are lost;
// debug mode reports it.
class File {
 public:
  // Opens `path` as open(2) does: O_RDONLY, O_WRONLY or O_RDWR, with O_CREAT, O_TRUNC, O_EXCL,
  // O_APPEND, O_DIRECTORY, ... Children do not inherit it (O_CLOEXEC). `mode`: the permissions of a
  // file that is created, less the process's umask. Waits for the other end of a FIFO.
  [[nodiscard]] static Coro<File> open(std::string_view path, int flags = O_RDONLY,
                                       mode_t mode = 0666);

  File() noexcept = default;
  File(File&& other) noexcept = default;
  File& operator=(File&& other) noexcept {
    File(std::move(other)).file_.swap(file_);
    return *this;
  }
  ~File();

  // Reads from byte `offset` on until the buffer is full or the file ends: how many bytes, 0 at the
  // end. Where there are no offsets (pipes, terminals), from where the file stands.
  [[nodiscard]] Coro<std::size_t> read_at(std::span<std::byte> buffer, std::uint64_t offset) const;
  // The same as a string of at most `size` bytes (os.pread).
  [[nodiscard]] Coro<std::string> read_at(std::size_t size, std::uint64_t offset) const;
  // Writes all of it from byte `offset` on, or, opened with O_APPEND, at the end: how many bytes
  // that is (os.pwrite).
  Coro<std::size_t> write_at(std::span<const std::byte> data, std::uint64_t offset) const;
  Coro<std::size_t> write_at(std::string_view data, std::uint64_t offset) const;
  // Returns when all that was written is on the disk (os.fsync).
  Coro<> fsync() const;
  // Bytes, as fstat tells.
  [[nodiscard]] Coro<std::uint64_t> size() const;

  // Refuses what comes later, waits for what is in flight, closes the file, and throws what only
  // shows then. Idempotent. Cancelled while it waits, it throws CancelledError, and the file is
  // closed by whoever used it last.
  Coro<> close() const;

  // -1 once closed. Still owned by the file.
  [[nodiscard]] int fileno() const noexcept { return file_ ? file_->fd() : -1; }
  [[nodiscard]] explicit operator bool() const noexcept { return fileno() >= 0; }

 private:
  explicit File(detail::FileRef file) noexcept : file_(std::move(file)) {}

  detail::FileRef file_;
};

// All that is in a file, also where its size is not known before (/proc, pipes) (Path.read_bytes).
// Throws std::system_error: ENOENT, EACCES, EISDIR of a directory, ...
[[nodiscard]] Coro<std::string> read_file(std::string_view path);

// Makes the file have these contents and no others: creates it, with the permissions 0666 less the
// umask, or truncates it (Path.write_bytes). Failed or cancelled, it leaves the file with a part of
// them.
Coro<> write_file(std::string_view path, std::span<const std::byte> data);
Coro<> write_file(std::string_view path, std::string_view data);

}  // namespace coil
