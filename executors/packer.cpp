#include <algorithm>
#include <coil/detail/packer.hpp>
#include <utility>

#include "shared_region.hpp"

namespace coil::detail {
namespace {

enum class Place : std::uint32_t { Here, Region };

// What stands where the elements of a block would.
struct BlockHead {
  std::uint64_t size;
  std::uint64_t offset;  // in the region
  std::uint32_t region;  // which of the message's
  Place place;
};

constexpr std::size_t block_alignment = 64;  // in a region: a cache line

std::size_t padding(std::size_t at) noexcept { return -at % pack_alignment; }

}  // namespace

Packer::Packer(RegionSource* source) noexcept : source_(source) {}
Packer::Packer(Packer&& other) noexcept = default;
Packer& Packer::operator=(Packer&& other) noexcept = default;
Packer::~Packer() = default;

std::byte* Packer::bulk(std::size_t size, std::uint64_t& offset) {
  std::size_t from = (used_ + block_alignment - 1) / block_alignment * block_alignment;
  if (regions_.empty() || from > regions_.back()->size() || size > regions_.back()->size() - from) {
    // Each at least as large as all before it: their number stays small.
    const std::size_t before = regions_.empty() ? 0 : 2 * regions_.back()->size();
    regions_.push_back(source_->acquire(std::max(size, before)));
    from = 0;
  }
  offset = from;
  used_ = from + size;
  return regions_.back()->data() + from;
}

void Packer::add_block(const void* data, std::size_t size, std::size_t alignment) {
  BlockHead head{.size = size, .offset = 0, .region = 0, .place = Place::Here};
  if (source_ != nullptr && size != 0 && (size > bulk_min || alignment > pack_alignment)) {
    std::byte* to = bulk(size, head.offset);
    head.place = Place::Region;
    head.region = static_cast<std::uint32_t>(regions_.size() - 1);
    copy_to_region(to, data, size);
    return add_plain(head);
  }
  add_plain(head);
  bytes_.append(padding(bytes_.size()), '\0');
  if (size != 0) add(data, size);
}

void Packer::spill_above(std::size_t size_max) {
  if (bytes_.size() <= size_max) return;
  copy_to_region(bulk(bytes_.size(), spilled_.offset), bytes_.data(), bytes_.size());
  spilled_.size = bytes_.size();
  std::string().swap(bytes_);
}

std::span<const std::byte> Unpacker::read_block(std::size_t alignment) {
  const auto head = read_plain<BlockHead>();
  if (head.place == Place::Region) {
    if (head.region >= regions_.size()) fail();
    const auto region = regions_[head.region];
    if (head.offset > region.size() || head.size > region.size() - head.offset ||
        head.offset % alignment != 0)
      fail();
    return region.subspan(head.offset, head.size);
  }
  if (head.place != Place::Here) fail();
  (void)take(std::min(padding(static_cast<std::size_t>(at_ - begin_)), left()));
  return {take(head.size), head.size};
}

std::size_t Unpacker::read_count(std::size_t size_min) {
  const auto count = read_plain<std::uint64_t>();
  if (count > left() / size_min) fail();
  return count;
}

void Unpacker::fail() { throw PackError("the message is shorter than it says, or damaged"); }

}  // namespace coil::detail
