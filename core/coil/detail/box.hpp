// One owner of one object: std::unique_ptr without <memory>, which is half of what a user's
// compiler would have to read.
#pragma once

#include <utility>

namespace coil::detail {

struct DeleteObject {
  template <class T>
  void operator()(T* object) const noexcept {
    delete object;
  }
};

template <class T, class Disposer = DeleteObject>
class Box {
 public:
  Box() noexcept = default;
  explicit Box(T* object) noexcept : object_(object) {}
  Box(Box&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Box& operator=(Box&& other) noexcept {
    Box(std::move(other)).swap(*this);
    return *this;
  }
  ~Box() {
    if (object_ != nullptr) Disposer()(object_);
  }

  void swap(Box& other) noexcept { std::swap(object_, other.object_); }
  [[nodiscard]] T* get() const noexcept { return object_; }
  T& operator*() const noexcept { return *object_; }
  T* operator->() const noexcept { return object_; }
  explicit operator bool() const noexcept { return object_ != nullptr; }

 private:
  T* object_ = nullptr;
};

}  // namespace coil::detail
