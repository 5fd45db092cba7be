#include <bit>
#include <coil/detail/address_set.hpp>
#include <utility>

namespace coil::detail {

std::size_t AddressSet::find(const void* address) const noexcept {
  std::size_t at = home(address);
  while (slots_[at] != nullptr && slots_[at] != address) at = (at + 1) & mask();
  return at;
}

void AddressSet::reserve(std::size_t n) {
  if (slots_.size() >= 2 * n) return;
  std::vector<const void*> old(std::bit_ceil(4 * n));
  old.swap(slots_);
  for (const void* address : old)
    if (address != nullptr) slots_[find(address)] = address;
}

bool AddressSet::insert(const void* address) noexcept {
  const std::size_t at = find(address);
  if (slots_[at] == address) return false;
  slots_[at] = address;
  ++size_;
  return true;
}

bool AddressSet::erase(const void* address) noexcept {
  if (!contains(address)) return false;
  // What follows moves up, unless that would put it before its home.
  std::size_t hole = find(address);
  for (std::size_t at = hole;;) {
    at = (at + 1) & mask();
    if (slots_[at] == nullptr) break;
    const std::size_t from_home = (at - home(slots_[at])) & mask();
    if (from_home >= ((at - hole) & mask())) slots_[std::exchange(hole, at)] = slots_[at];
  }
  slots_[hole] = nullptr;
  --size_;
  return true;
}

}  // namespace coil::detail
