// Messages and views; see memory.hpp for the rules.
#include "model/memory.hpp"

#include "model/arena.hpp"

namespace model {

namespace {
constexpr std::size_t kept_stamps = std::size_t{1} << 20;
// Between neighbours, for stores that come late.
constexpr unsigned stamp_gap = 32;
constexpr unsigned max_stamp = 65'000;
}  // namespace

Memory::Memory() : locations_(max_locations), views_(kept_stamps) {}

void Memory::reset() {
  for (unsigned i = 0; i < used_; ++i) {
    Location& location = locations_[i];
    location.messages.clear();
    location.accessed.fill(0);
    location.fair.fill(0);
    location.read_in.fill(0);
    location.strong = 0;
    location.name = nullptr;
  }
  used_ = 0;
  views_used_ = 0;
}

unsigned Memory::add(const Word& initial, const Site& site) {
  if (used_ == max_locations) fail("the model touches more than 504 atomics");
  arena::Pause pause;
  Location& location = locations_[used_];
  location.messages.push_back({initial});
  location.first_site = site;
  return used_++;
}

unsigned Memory::oldest(unsigned location, const View& view, unsigned thread, Order order) const {
  const Location& at = locations_[location];
  Stamp floor = std::max(view.oldest(location), at.fair[thread]);
  if (order == Order::seq_cst) floor = std::max(floor, at.strong);
  unsigned index = at.newest();
  while (index > 0 && at.messages[index - 1].stamp >= floor) --index;
  return index;
}

void Memory::read(unsigned location, View& view, unsigned thread, Order order, unsigned index) {
  Location& at = locations_[location];
  const Message& message = at.messages[index];
  view.raise(location, message.stamp);
  if (acquires(order) && message.released != nullptr) {
    join(view.slot.data(), message.released, message.released_slots);
  }
  if (order == Order::seq_cst) at.strong = std::max(at.strong, message.stamp);
  at.accessed[thread] = view.clock(thread);
}

bool Memory::open(unsigned location, unsigned index) const {
  const auto& messages = locations_[location].messages;
  if (index + 1 == messages.size()) return true;
  const Message& next = messages[index + 1];
  return !next.glued && next.stamp - messages[index].stamp > 1;
}

void Memory::write(unsigned location, View& view, unsigned thread, Order order, const Word& value,
                   unsigned behind, bool rmw) {
  Location& at = locations_[location];
  const Message& before = at.messages[behind];
  const bool last = behind == at.newest();
  if (last && before.stamp + stamp_gap > max_stamp) fail("too many stores to one location");
  const unsigned stamp =
      last ? before.stamp + stamp_gap : (before.stamp + at.messages[behind + 1].stamp) / 2U;
  Message message{value, nullptr, 0, static_cast<Stamp>(stamp), rmw};
  view.raise(location, message.stamp);
  at.accessed[thread] = view.clock(thread);
  const bool carries = rmw && before.released != nullptr;
  if (releases(order)) {
    message.released = keep(view.slot.data(), carries ? before.released : nullptr,
                            carries ? before.released_slots : 0);
    message.released_slots = static_cast<std::uint16_t>(slots());
    // What follows the release is not released by it.
    ++view.clock(thread);
  } else if (carries) {
    message.released = before.released;
    message.released_slots = before.released_slots;
  }
  if (order == Order::seq_cst) at.strong = std::max(at.strong, message.stamp);
  arena::Pause pause;
  at.messages.insert(at.messages.begin() + behind + 1, message);
}

const Stamp* Memory::keep(const Stamp* a, const Stamp* b, unsigned b_slots) {
  const unsigned count = slots();
  if (views_used_ + count > views_.size()) fail("too many release operations in one execution");
  Stamp* copy = views_.data() + views_used_;
  views_used_ += count;
  std::copy_n(a, count, copy);
  if (b != nullptr) join(copy, b, b_slots);
  return copy;
}

void Memory::looked(unsigned location, unsigned thread, std::uint32_t turn, unsigned index) {
  Location& at = locations_[location];
  at.read_in[thread] = turn;
  at.read_at[thread] = at.messages[index].stamp;
}

bool Memory::behind(unsigned thread, std::uint32_t turn) const {
  for (unsigned i = 0; i < used_; ++i) {
    const Location& at = locations_[i];
    if (at.read_in[thread] == turn && at.read_at[thread] != at.messages.back().stamp) return true;
  }
  return false;
}

void Memory::catch_up(unsigned thread, std::uint32_t turn) {
  for (unsigned i = 0; i < used_; ++i) {
    Location& at = locations_[i];
    if (at.read_in[thread] == turn) at.fair[thread] = at.messages.back().stamp;
  }
}

}  // namespace model
