// What a connection has received and nobody has read yet.
//
// Invariant: empty, it holds no memory: what is read is moved out of it where that is possible.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace coil::detail {

class ReceiveBuffer {
 public:
  [[nodiscard]] std::size_t size() const noexcept { return text_.size() - start_; }
  [[nodiscard]] bool empty() const noexcept { return size() == 0; }
  [[nodiscard]] std::string_view view() const noexcept {
    return std::string_view(text_).substr(start_);
  }

  void append(std::span<const std::byte> bytes) {
    // What was read makes room once it is more than what is left: each byte moves once at most.
    if (start_ > size()) {
      text_.erase(0, start_);
      start_ = 0;
    }
    text_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }

  // The first n bytes; n is at most size().
  [[nodiscard]] std::string take(std::size_t n) {
    if (n == size()) return take_all();
    std::string first(text_, start_, n);
    start_ += n;
    return first;
  }
  [[nodiscard]] std::string take_all() {
    if (start_ != 0) {
      text_.erase(0, start_);
      start_ = 0;
    }
    return std::exchange(text_, std::string());
  }
  void drop(std::size_t n) { (void)take(n); }
  void clear() noexcept {
    std::string().swap(text_);
    start_ = 0;
  }

 private:
  std::string text_;
  std::size_t start_ = 0;
};

}  // namespace coil::detail
