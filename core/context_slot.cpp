#include <coil/detail/context_slot.hpp>
#include <utility>

namespace coil::detail {
namespace {

std::uint64_t next_number() noexcept {
  static constinit Atomic<std::uint64_t> next{1};
  return next.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

ContextCell::ContextCell(Ref<const ContextNode> map) noexcept
    : map_(std::move(map)), number_(next_number()) {}

Ref<const ContextNode> ContextCell::map() const noexcept {
  const SpinGuard guard(lock_);
  return map_;
}

// The new map is made without the lock, and again if somebody was faster.
ContextChange ContextCell::set(std::uint64_t key, const ContextValueRef& value) {
  context_used.store(true, std::memory_order_relaxed);
  for (;;) {
    auto base = map();
    auto changed = ContextNode::with(base.get(), key, value, number_);
    const SpinGuard guard(lock_);
    if (map_.get() != base.get()) continue;
    map_.swap(changed);
    return {ContextValueRef(ContextNode::find(base.get(), key)), number_};
  }
}

bool ContextCell::restore(std::uint64_t key, const ContextChange& change) {
  const auto before = map();  // takes the lock: number_ is written
  if (change.context != number_) return false;
  (void)set(key, change.old);
  return true;
}

void ContextCell::rewind(Ref<const ContextNode> map) noexcept {
  const SpinGuard guard(lock_);
  map_.swap(map);
}

ContextCell& ContextSlot::cell_of(std::uintptr_t word) noexcept {
  return *reinterpret_cast<ContextCell*>(word & ~cell_bit);
}
const ContextNode* ContextSlot::map_of(std::uintptr_t word) noexcept {
  return reinterpret_cast<const ContextNode*>(word & ~inherited_bit);
}

std::uintptr_t ContextSlot::add_ref(std::uintptr_t word) noexcept {
  if ((word & cell_bit) != 0) {
    cell_of(word).add_ref();
  } else if (word != 0) {
    map_of(word)->add_ref();
  }
  return word;
}

void ContextSlot::inherit(const ContextSlot& from) noexcept {
  auto word = from.word_.load(std::memory_order_acquire);
  if (word == 0) return;
  if ((word & cell_bit) != 0) {
    word = reinterpret_cast<std::uintptr_t>(cell_of(word).map().detach());
    if (word == 0) return;
  } else {
    map_of(word)->add_ref();
  }
  word_.store(word | inherited_bit, std::memory_order_release);
}

void ContextSlot::inherit(const ContextSnapshot& from) noexcept {
  if (!from.map) return;
  from.map->add_ref();
  word_.store(reinterpret_cast<std::uintptr_t>(from.map.get()) | inherited_bit,
              std::memory_order_release);
}

void ContextSlot::share(ContextCell& cell) noexcept {
  cell.add_ref();
  word_.store(reinterpret_cast<std::uintptr_t>(&cell) | cell_bit, std::memory_order_release);
}

void ContextSlot::share(const ContextSlot& from) noexcept {
  word_.store(add_ref(from.word_.load(std::memory_order_acquire)), std::memory_order_release);
}

void ContextSlot::let_go() noexcept {
  const auto word = word_.exchange(0, std::memory_order_acq_rel);
  if ((word & cell_bit) != 0) {
    cell_of(word).release();
  } else if (word != 0) {
    map_of(word)->release();
  }
}

Ref<ContextCell> ContextSlot::cell() {
  auto word = word_.load(std::memory_order_acquire);
  if ((word & cell_bit) != 0) return Ref<ContextCell>(&cell_of(word));
  Ref<ContextCell> made(new ContextCell, AdoptRef{});
  const SpinGuard guard(made->lock_);
  const auto wanted = reinterpret_cast<std::uintptr_t>(made.get()) | cell_bit;
  made->add_ref();  // the slot's
  while ((word & cell_bit) == 0) {
    if (!word_.compare_exchange_weak(word, wanted, std::memory_order_acq_rel,
                                     std::memory_order_acquire))
      continue;
    // Not before: until then the owner may have let go of the map.
    made->first_ = Ref<const ContextNode>(map_of(word), AdoptRef{});
    made->map_ = made->first_;
    if (own_map(word)) made->number_ = made->first_->context();
    if (COIL_MUTATION("context.forget_first")) made->first_ = {};
    return made;
  }
  made->release();
  return Ref<ContextCell>(&cell_of(word));
}

const ContextValue* ContextSlot::find(std::uint64_t key, ContextValueRef& keep) const noexcept {
  const auto word = word_.load(std::memory_order_acquire);
  if ((word & cell_bit) == 0) [[likely]]
    return ContextNode::find(map_of(word), key);
  const auto map = cell_of(word).map();
  keep = ContextValueRef(ContextNode::find(map.get(), key));
  return keep.get();
}

Ref<const ContextNode> ContextSlot::map() const noexcept {
  const auto word = word_.load(std::memory_order_acquire);
  if ((word & cell_bit) != 0) return cell_of(word).map();
  return Ref<const ContextNode>(map_of(word));
}

// False: the slot has become a cell meanwhile, `word`.
bool ContextSlot::replace_map(std::uintptr_t& word, std::uint64_t key, const ContextValueRef& value,
                              std::uint64_t number) {
  auto changed = ContextNode::with(map_of(word), key, value, number);
  if (!word_.compare_exchange_strong(word, reinterpret_cast<std::uintptr_t>(changed.get()),
                                     std::memory_order_acq_rel, std::memory_order_acquire))
    return false;
  (void)changed.detach();
  if (word != 0) map_of(word)->release();
  return true;
}

ContextChange ContextSlot::set(std::uint64_t key, const ContextValueRef& value) {
  auto word = word_.load(std::memory_order_acquire);
  if ((word & cell_bit) == 0) {
    context_used.store(true, std::memory_order_relaxed);
    const auto number = own_map(word) ? map_of(word)->context() : next_number();
    ContextValueRef old(ContextNode::find(map_of(word), key));
    if (replace_map(word, key, value, number)) return {std::move(old), number};
  }
  return cell_of(word).set(key, value);
}

bool ContextSlot::restore(std::uint64_t key, const ContextChange& change) {
  auto word = word_.load(std::memory_order_acquire);
  if ((word & cell_bit) == 0) {
    if (!own_map(word) || map_of(word)->context() != change.context) return false;
    if (replace_map(word, key, change.old, change.context)) return true;
  }
  return cell_of(word).restore(key, change);
}

bool ContextSlot::is(const ContextCell& cell) const noexcept {
  const auto word = word_.load(std::memory_order_acquire);
  return (word & cell_bit) != 0 && &cell_of(word) == &cell;
}

ContextSnapshot ContextSlot::snapshot() const noexcept {
  return {map(), own_map(word_.load(std::memory_order_acquire))};
}

// As in set(): the owner lets go of the map that was in its word, unless a cell has it by now.
void ContextSlot::rewind(const ContextSnapshot& then) noexcept {
  auto word = word_.load(std::memory_order_acquire);
  if ((word & cell_bit) == 0) {
    if (map_of(word) == then.map.get()) return;
    std::uintptr_t wanted = 0;
    if (then.map) {
      then.map->add_ref();
      wanted = reinterpret_cast<std::uintptr_t>(then.map.get()) | (then.own ? 0 : inherited_bit);
    }
    if (word_.compare_exchange_strong(word, wanted, std::memory_order_acq_rel,
                                      std::memory_order_acquire)) {
      if (map_of(word) != nullptr) map_of(word)->release();
      return;
    }
    if (then.map) then.map->release();
  }
  cell_of(word).rewind(then.map);
}

}  // namespace coil::detail
