// Memory that two processes map (memfd), for large blocks of elements: written once by the sender,
// read where it lies by the receiver.
//
// A sender uses its regions again, because the first touch of a page costs more than the copy. It
// passes a region's descriptor once; the receiver keeps the mapping. Which ones it keeps is the
// sender's decision alone, so both agree: RegionSender and RegionReceiver.
// Invariant: a region never shrinks (it is sealed), so what was mapped can be read.
#pragma once

#include <coil/detail/atomic.hpp>
#include <coil/detail/counted.hpp>
#include <coil/detail/packer.hpp>
#include <coil/detail/ref.hpp>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <vector>

#include "descriptor.hpp"

namespace coil::detail {

class RegionStore;

class SharedRegion {
 public:
  // Throws std::system_error.
  SharedRegion(std::size_t size, std::uint32_t id);
  SharedRegion(const SharedRegion&) = delete;
  SharedRegion& operator=(const SharedRegion&) = delete;
  ~SharedRegion();

  void add_ref() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
  void release() noexcept;  // the last one gives it back to its store

  [[nodiscard]] std::byte* data() const noexcept { return data_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::uint32_t id() const noexcept { return id_; }
  [[nodiscard]] int descriptor() const noexcept { return descriptor_.get(); }

 private:
  friend class RegionStore;

  Atomic<std::uint32_t> references_{1};
  Ref<RegionStore> home_;  // while it is in use
  Descriptor descriptor_;
  std::byte* data_ = nullptr;
  std::size_t size_;
  std::uint32_t id_;
};

class RegionSource {
 public:
  // Of at least `size` bytes. Throws std::system_error.
  virtual Ref<SharedRegion> acquire(std::size_t size) = 0;

 protected:
  ~RegionSource() = default;
};

// Any thread. Lives as long as a region of it is in use.
class RegionStore final : public RegionSource, public Counted<RegionStore> {
 public:
  RegionStore() = default;
  RegionStore(const RegionStore&) = delete;
  RegionStore& operator=(const RegionStore&) = delete;
  ~RegionStore();

  Ref<SharedRegion> acquire(std::size_t size) override;
  // Lets go of the memory that is not in use. True: there was some.
  bool trim() noexcept;

 private:
  friend class SharedRegion;
  void give_back(SharedRegion& region) noexcept;

  std::mutex mutex_;
  std::vector<SharedRegion*> free_;
  std::size_t free_bytes_ = 0;
  std::uint32_t next_id_ = 1;
};

void copy_to_region(std::byte* to, const void* from, std::size_t size) noexcept;

// What a message says of each region that it uses.
struct RegionEntry {
  std::uint64_t size;
  std::uint32_t id;
  std::uint32_t forget;  // another one that the receiver shall unmap; 0: none
  std::uint32_t is_new;  // its descriptor comes with the message
  std::uint32_t unused = 0;
};

class RegionSender {
 public:
  // Adds an entry for each, and the descriptors of those that the receiver does not know.
  void describe(std::span<const Ref<SharedRegion>> regions, std::vector<RegionEntry>& entries,
                std::vector<int>& descriptors);

 private:
  static constexpr std::size_t known_max = 32;
  std::vector<std::uint32_t> known_;  // oldest first
};

class RegionReceiver {
 public:
  RegionReceiver() = default;
  RegionReceiver(const RegionReceiver&) = delete;
  RegionReceiver& operator=(const RegionReceiver&) = delete;
  ~RegionReceiver();

  // Takes descriptors from the front of `descriptors`. Throws PackError or std::system_error.
  std::span<const std::byte> receive(const RegionEntry& entry,
                                     std::vector<Descriptor>& descriptors);

 private:
  struct Mapping {
    std::uint32_t id;
    std::byte* data;
    std::size_t size;
  };
  void forget(std::uint32_t id) noexcept;

  std::vector<Mapping> mappings_;
};

}  // namespace coil::detail
