// Plain shared data whose every access is checked: two accesses, one a write, that nothing orders
// are a data race, whatever values they happened to see.
#pragma once

#include <type_traits>
#include <utility>

#include "model/cell.hpp"

namespace model {

template <class T>
class Plain {
 public:
  constexpr Plain() : value_{} {}
  constexpr Plain(T value) : value_(std::move(value)) {}
  Plain(const Plain& other) : value_(other.read()) {}
  Plain& operator=(const Plain& other) {
    write() = other.read();
    return *this;
  }
  Plain& operator=(T value) {
    write() = std::move(value);
    return *this;
  }

  const T& read(Site site = Site::current()) const {
    if (race_.modelled()) race_.read(site);
    return value_;
  }
  // For changing in place.
  T& write(Site site = Site::current()) {
    if (race_.modelled()) race_.write(site);
    return value_;
  }

  operator const T&() const { return read(); }
  T operator->() const
    requires std::is_pointer_v<T>
  {
    return read();
  }
  Plain& operator++() {
    ++write();
    return *this;
  }
  Plain& operator--() {
    --write();
    return *this;
  }
  template <class D>
  Plain& operator+=(const D& by) {
    write() += by;
    return *this;
  }

 private:
  mutable Race race_;
  T value_;
};

}  // namespace model
