// The way to the exception handler of the Runner that ran a task: the task can outlive the Runner,
// and its last handle may go on any thread.
#pragma once

#include <utility>

namespace coil {
struct ExceptionContext;
}

namespace coil::detail {

class ExceptionHandler;

// Empty, or a counted reference; the handler prints once its Runner has gone.
class ReportLink {
 public:
  ReportLink() noexcept = default;
  ReportLink(ReportLink&& other) noexcept : handler_(std::exchange(other.handler_, nullptr)) {}
  ReportLink& operator=(ReportLink&& other) noexcept {
    std::swap(handler_, other.handler_);
    return *this;
  }
  ~ReportLink() {
    if (handler_ != nullptr) [[unlikely]]
      drop();
  }
  // To the handler of the loop that this thread runs.
  [[nodiscard]] static ReportLink here() noexcept;

  // Any thread. Empty: as detail::report().
  void report(const ExceptionContext& context) const noexcept;

 private:
  void drop() noexcept;

  ExceptionHandler* handler_ = nullptr;
};

}  // namespace coil::detail
