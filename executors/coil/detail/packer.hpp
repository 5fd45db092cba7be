// Values as bytes on their way to another process that runs the same executable, so in the
// machine's own encoding. Blocks of elements above 64 KiB lie in memory that both processes map.
//
// Invariant: an Unpacker reads nothing beside what it was given: every length is checked against
// what is left, and what does not fit throws PackError.
#pragma once

#include <coil/detail/ref.hpp>
#include <cstddef>
#include <cstdint>
#include <new>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

namespace coil::detail {

class SharedRegion;
class RegionSource;

// Elements of at least this size go through shared memory, smaller ones beside the rest.
inline constexpr std::size_t bulk_min = std::size_t{64} << 10;
// Both ends of the bytes start at an address that is a multiple of this.
inline constexpr std::size_t pack_alignment = 16;

class PackError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class Packer {
 public:
  // Without a source everything goes beside the rest.
  explicit Packer(RegionSource* source = nullptr) noexcept;
  Packer(Packer&& other) noexcept;
  Packer& operator=(Packer&& other) noexcept;
  ~Packer();

  void add(const void* data, std::size_t size) {
    bytes_.append(static_cast<const char*>(data), size);
  }
  template <class T>
    requires std::is_trivially_copyable_v<T>
  void add_plain(const T& value) {
    add(&value, sizeof value);
  }
  // The elements' memory as it is.
  void add_block(const void* data, std::size_t size, std::size_t alignment);

  [[nodiscard]] const std::string& bytes() const noexcept { return bytes_; }
  [[nodiscard]] const std::vector<Ref<SharedRegion>>& regions() const noexcept { return regions_; }

  // Once all is in: the bytes themselves go to a region too if there are more of them than that.
  void spill_above(std::size_t size_max);
  struct Spilled {
    std::uint64_t offset = 0;  // in the last region
    std::uint64_t size = 0;    // 0: the bytes are here
  };
  [[nodiscard]] Spilled spilled() const noexcept { return spilled_; }

 private:
  std::byte* bulk(std::size_t size, std::uint64_t& offset);

  std::string bytes_;
  RegionSource* source_;
  std::vector<Ref<SharedRegion>> regions_;
  std::size_t used_ = 0;  // of the last one
  Spilled spilled_;
};

class Unpacker {
 public:
  using Regions = std::span<const std::span<const std::byte>>;
  explicit Unpacker(std::span<const std::byte> bytes, Regions regions = {}) noexcept
      : begin_(bytes.data()), at_(begin_), end_(begin_ + bytes.size()), regions_(regions) {}

  void read(void* to, std::size_t size) {
    if (size != 0) __builtin_memcpy(to, take(size), size);
  }
  template <class T>
    requires std::is_trivially_copyable_v<T>
  [[nodiscard]] T read_plain() {
    // Not built first: T may have no default constructor.
    alignas(T) std::byte room[sizeof(T)];
    read(room, sizeof room);
    return *std::launder(reinterpret_cast<T*>(room));
  }
  // Where they lie: until the message and its regions go.
  [[nodiscard]] std::span<const std::byte> read_block(std::size_t alignment);
  // How many elements follow, of which each is at least `size_min` bytes long.
  [[nodiscard]] std::size_t read_count(std::size_t size_min);
  [[nodiscard]] std::size_t left() const noexcept { return static_cast<std::size_t>(end_ - at_); }

 private:
  const std::byte* take(std::size_t size) {
    if (size > left()) [[unlikely]]
      fail();
    const std::byte* taken = at_;
    at_ += size;
    return taken;
  }
  [[noreturn]] static void fail();

  const std::byte* begin_;
  const std::byte* at_;
  const std::byte* end_;
  Regions regions_;
};

}  // namespace coil::detail
