#include <unistd.h>

#include <coil/detail/check.hpp>
#include <coil/detail/file_state.hpp>
#include <coil/detail/future_state.hpp>

namespace coil::detail {

FileState::~FileState() {
  COIL_CHECK(inside_ == 0, "a file goes only when nobody uses it");
  if (fd_ >= 0) ::close(fd_);
}

int FileState::fd() noexcept {
  const SpinGuard guard(lock_);
  return closing_ ? -1 : fd_;
}

int FileState::enter() noexcept {
  const SpinGuard guard(lock_);
  if (closing_) return -1;
  ++inside_;
  return fd_;
}

void FileState::leave() noexcept {
  FutureRef idle;
  int last = -1;
  {
    const SpinGuard guard(lock_);
    if (--inside_ != 0 || !closing_) return;
    idle.swap(idle_);
    if (abandoned_) last = std::exchange(fd_, -1);
  }
  if (last >= 0) ::close(last);
  if (idle) idle->finish_value();
}

FutureRef FileState::begin_close() {
  FutureRef fresh(new FutureState<void>, AdoptRef{});
  const SpinGuard guard(lock_);
  closing_ = true;
  if (inside_ == 0) return {};
  if (!idle_) idle_.swap(fresh);
  return idle_;
}

int FileState::take() noexcept {
  const SpinGuard guard(lock_);
  return std::exchange(fd_, -1);
}

void FileState::abandon() noexcept {
  int fd = -1;
  {
    const SpinGuard guard(lock_);
    closing_ = true;
    abandoned_ = true;
    if (inside_ == 0) fd = std::exchange(fd_, -1);
  }
  if (fd >= 0) ::close(fd);
}

}  // namespace coil::detail
