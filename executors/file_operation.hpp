// What a file is asked of the kernel, one operation after the other.
#pragma once

#include <sys/types.h>

#include <coil/coro.hpp>
#include <coil/detail/file_state.hpp>
#include <coil/detail/operation.hpp>
#include <coil/detail/operation_awaiter.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace coil::detail {

extern const LeafKind open_leaf, read_leaf, write_leaf, fsync_leaf, stat_leaf, poll_leaf;
extern const LeafKind close_leaf;  // goes on to its end

// Awaited once; gives the kernel's result.
class FileOperation final : public OperationAwaiter {
 public:
  FileOperation(const LeafKind& leaf, OpCode opcode, int descriptor) noexcept
      : OperationAwaiter(leaf) {
    code = opcode;
    fd = descriptor;
  }
};

// In the file until it goes. Throws system_error "<what>, which is closed: ...".
class FileUse {
 public:
  FileUse(FileRef file, const char* what);
  ~FileUse() { file_->leave(); }
  FileUse(const FileUse&) = delete;
  FileUse& operator=(const FileUse&) = delete;
  [[nodiscard]] int fd() const noexcept { return fd_; }
  [[nodiscard]] const std::string& path() const noexcept { return file_->path(); }

 private:
  FileRef file_;
  int fd_;
};

struct Transfer {
  OpCode code;  // Read or Write
  std::byte* data;
  std::size_t size;
  std::uint64_t offset;  // or file_position
};

// A copy. Throws std::invalid_argument if a C string could not hold it.
[[nodiscard]] std::string checked_path(std::string_view path);

// How a failed operation is told; `error` is -errno.
[[noreturn]] void throw_file_error(std::int32_t error, const std::string& what);

Coro<FileRef> open_file(std::string path, int flags, mode_t mode);
// All of it, or up to the end of the file: how many bytes.
Coro<std::size_t> transfer(FileRef file, Transfer request);
Coro<> sync_file(FileRef file);
Coro<std::uint64_t> size_of_file(FileRef file);
// Idempotent. Waits for what is in flight.
Coro<> close_file(FileRef file);

}  // namespace coil::detail
