// What the tests of queues and channels share: waiting until a task waits, and awkward items.
#pragma once

#include <coil/task.hpp>
#include <kit/loops.hpp>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

namespace queue_kit {

// Until the task is suspended, and for some turns more.
inline coil::Coro<> waits(coil::TaskRef task) {
  co_await kit::until([&] { return task.get()->suspended(); });
  co_await kit::yield(5);
}

// Moves throw on demand; counts how many are alive.
struct Throwing {
  static inline int alive = 0;
  explicit Throwing(int n) : value(n) { ++alive; }
  Throwing(Throwing&& other) noexcept(false)
      : value(other.value), moves_left(other.moves_left - 1) {
    if (other.moves_left == 0) throw std::runtime_error("this one does not move");
    ++alive;
  }
  Throwing& operator=(Throwing&& other) noexcept(false) {
    value = other.value;
    return *this;
  }
  ~Throwing() { --alive; }
  friend bool operator<(const Throwing& a, const Throwing& b) { return a.value < b.value; }
  int value;
  int moves_left = 1'000'000;
};

struct alignas(64) Wide {
  explicit Wide(int n) : value(n) {}
  [[nodiscard]] bool aligned() const { return reinterpret_cast<std::uintptr_t>(this) % 64 == 0; }
  friend bool operator<(const Wide& a, const Wide& b) { return a.value < b.value; }
  int value;
};

}  // namespace queue_kit
