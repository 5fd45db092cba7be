// A descriptor of a file, and how many use it.
//
//   a task that uses it                      close()
//   1. enter(): lock; closing: refuse,       a. begin_close(): lock; closing; from here on nobody
//      else count                               enters
//   2. its operations, one after the other   b. waits for the last one to leave
//   3. leave(): lock; uncount; the last      c. take(): the number is the caller's, to give it back
//      one of a closing file wakes b
//
// Unlike a socket's, an operation on a file is not cancelled by close(): a write that was begun
// reaches the file. Whoever does not wait (the destructor, a close() that is cancelled) abandons
// the file: then 3 gives the number back. Invariant: the number goes back to the kernel once, when
// nobody uses it.
#pragma once

#include <coil/detail/counted.hpp>
#include <coil/detail/future_base.hpp>
#include <coil/detail/ref.hpp>
#include <coil/detail/spin_lock.hpp>
#include <cstdint>
#include <string>
#include <utility>

namespace coil::detail {

class FileState final : public Counted<FileState> {
 public:
  // No file yet: adopt() brings it.
  explicit FileState(std::string path) noexcept : path_(std::move(path)) {}
  ~FileState();

  void adopt(int fd) noexcept { fd_ = fd; }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  // -1 once closed.
  [[nodiscard]] int fd() noexcept;

  // The number, valid until leave(); -1: the file is closed.
  [[nodiscard]] int enter() noexcept;
  void leave() noexcept;

  // Refuses newcomers. Empty if nobody is inside, else a future that is done when the last one has
  // left.
  [[nodiscard]] FutureRef begin_close();
  // After that. -1: somebody else has taken it.
  [[nodiscard]] int take() noexcept;
  // Closes it as soon as nobody is inside. Any thread; idempotent.
  void abandon() noexcept;

 private:
  const std::string path_;
  SpinLock lock_;  // all that follows
  bool closing_ = false;
  bool abandoned_ = false;
  int fd_ = -1;
  std::uint32_t inside_ = 0;
  FutureRef idle_;
};

using FileRef = Ref<FileState>;

}  // namespace coil::detail
