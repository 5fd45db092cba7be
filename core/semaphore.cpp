#include <algorithm>
#include <climits>
#include <coil/semaphore.hpp>
#include <coil/would_block.hpp>
#include <stdexcept>

namespace coil {
namespace {

std::uint64_t checked(int value) {
  if (value < 0) throw std::invalid_argument("Semaphore initial value must be >= 0");
  return static_cast<std::uint64_t>(value);
}

}  // namespace

Semaphore::Semaphore(int value, std::uint64_t bound) : permits_(checked(value)), bound_(bound) {}

BoundedSemaphore::BoundedSemaphore(int value) : Semaphore(value, checked(value)) {}

void Semaphore::acquire_nowait() {
  if (!permits_.try_take()) throw WouldBlock();
}

int Semaphore::value() const noexcept {
  return static_cast<int>(std::min<std::uint64_t>(permits_.free(), INT_MAX));
}

void Semaphore::throw_released_too_often() {
  throw std::invalid_argument("BoundedSemaphore released too many times");
}

}  // namespace coil
