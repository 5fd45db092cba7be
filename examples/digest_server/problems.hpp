// Wrong answers and errors: all counted, the first few kept to be shown. From any thread.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace demo {

class Problems {
 public:
  void wrong_answer(std::string what) { note(wrong_, std::move(what)); }
  void error(std::string what) { note(errors_, std::move(what)); }
  // Everything is being cancelled: connections break, and that is no error.
  void expect_errors() {
    const std::lock_guard guard(mutex_);
    errors_expected_ = true;
  }

  struct Summary {
    std::uint64_t wrong = 0;
    std::uint64_t errors = 0;
    std::vector<std::string> first;
  };
  [[nodiscard]] Summary summary() const {
    const std::lock_guard guard(mutex_);
    return {.wrong = wrong_, .errors = errors_, .first = first_};
  }

 private:
  static constexpr std::size_t shown_max = 5;

  void note(std::uint64_t& count, std::string what) {
    const std::lock_guard guard(mutex_);
    if (errors_expected_ && &count == &errors_) return;
    ++count;
    if (first_.size() < shown_max) first_.push_back(std::move(what));
  }

  mutable std::mutex mutex_;
  std::uint64_t wrong_ = 0;
  std::uint64_t errors_ = 0;
  bool errors_expected_ = false;
  std::vector<std::string> first_;
};

}  // namespace demo
