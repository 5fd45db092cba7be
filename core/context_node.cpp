#include <algorithm>
#include <coil/detail/context_node.hpp>
#include <new>

namespace coil::detail {

ContextNode::ContextNode(unsigned shift, unsigned size) noexcept
    : shift_(static_cast<std::uint8_t>(shift)), size_(static_cast<std::uint8_t>(size)) {
  std::fill_n(entries(), size, nullptr);
}

std::size_t ContextNode::bytes(unsigned size) noexcept {
  return sizeof(ContextNode) + size * sizeof(void*);
}

ContextNode* ContextNode::make(unsigned shift, unsigned size) {
  return ::new (frame_allocate(bytes(size))) ContextNode(shift, size);
}

void ContextNode::destroy(const ContextNode* node) noexcept {
  for (unsigned i = 0; i < node->size_; ++i) {
    const void* entry = node->entries()[i];
    if (entry == nullptr) continue;
    if (node->shift_ == 0) {
      static_cast<const ContextValue*>(entry)->release();
    } else {
      static_cast<const ContextNode*>(entry)->release();
    }
  }
  const std::size_t size = bytes(node->size_);
  node->~ContextNode();
  frame_deallocate(const_cast<ContextNode*>(node), size);
}

void ContextNode::share_entry(const ContextNode& from, unsigned index) noexcept {
  const void* entry = from.entries()[index];
  if (entry == nullptr) return;
  if (shift_ == 0) {
    static_cast<const ContextValue*>(entry)->add_ref();
  } else {
    static_cast<const ContextNode*>(entry)->add_ref();
  }
  entries()[index] = entry;
}

const ContextValue* ContextNode::find(const ContextNode* root, std::uint64_t key) noexcept {
  if (root == nullptr || (key >> root->shift_) >= degree) return nullptr;
  for (const ContextNode* node = root;;) {
    const auto index = (key >> node->shift_) % degree;
    if (index >= node->size_) return nullptr;
    const void* entry = node->entries()[index];
    if (node->shift_ == 0 || entry == nullptr) return static_cast<const ContextValue*>(entry);
    node = static_cast<const ContextNode*>(entry);
  }
}

// `old` may be null; else its shift is `shift`.
ContextNode* ContextNode::copy(const ContextNode* old, unsigned shift, std::uint64_t key,
                               const ContextValueRef& value) {
  const auto index = static_cast<unsigned>((key >> shift) % degree);
  unsigned old_size = 0;
  if (old != nullptr) old_size = old->size_;
  ContextNode* node = make(shift, std::max(old_size, index + 1));
  for (unsigned i = 0; i < old_size; ++i)
    if (i != index) node->share_entry(*old, i);
  if (shift == 0) {
    node->entries()[index] = ContextValueRef(value).detach();
    return node;
  }
  const void* child = index < old_size ? old->entries()[index] : nullptr;
  try {
    node->entries()[index] =
        copy(static_cast<const ContextNode*>(child), shift - digit_bits, key, value);
  } catch (...) {
    node->release();
    throw;
  }
  return node;
}

Ref<const ContextNode> ContextNode::with(const ContextNode* root, std::uint64_t key,
                                         const ContextValueRef& value, std::uint64_t context) {
  unsigned shift = 0;
  if (root != nullptr) shift = root->shift_;
  while ((key >> shift) >= degree) shift += digit_bits;
  // A key with more digits than any before: the tree grows at its root.
  Ref<const ContextNode> old(root);
  while (old && old->shift_ < shift) {
    ContextNode* taller = make(old->shift_ + digit_bits, 1);
    taller->entries()[0] = old.detach();
    old = Ref<const ContextNode>(taller, AdoptRef{});
  }
  ContextNode* changed = copy(old.get(), shift, key, value);
  changed->context_ = context;
  return {changed, AdoptRef{}};
}

std::size_t ContextNode::count(const ContextNode* root) noexcept {
  if (root == nullptr) return 0;
  std::size_t n = 0;
  for (unsigned i = 0; i < root->size_; ++i) {
    const void* entry = root->entries()[i];
    if (entry == nullptr) continue;
    n += root->shift_ == 0 ? 1 : count(static_cast<const ContextNode*>(entry));
  }
  return n;
}

}  // namespace coil::detail
