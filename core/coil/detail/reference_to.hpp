// std::reference_wrapper's part in results that are kept in a vector.
#pragma once

namespace coil::detail {

// A reference that a vector can hold (std::reference_wrapper, which <functional> would bring).
template <class T>
class ReferenceTo {
 public:
  // NOLINTBEGIN(google-explicit-constructor): it stands for the reference
  ReferenceTo(T& object) noexcept : object_(&object) {}
  operator T&() const noexcept { return *object_; }
  // NOLINTEND(google-explicit-constructor)
  [[nodiscard]] T& get() const noexcept { return *object_; }

 private:
  T* object_;
};

}  // namespace coil::detail
