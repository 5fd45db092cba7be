#include "shared_region.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <coil/detail/processors.hpp>
#include <cstring>
#include <string>
#include <system_error>
#include <thread>

namespace coil::detail {
namespace {

constexpr std::size_t free_max = std::size_t{256} << 20;  // what a store keeps for later
constexpr std::size_t step_min = std::size_t{256} << 10;

constexpr std::size_t shared_copy_min = std::size_t{8} << 20;  // to be worth a thread
constexpr std::size_t block = 4096;

[[noreturn]] void throw_errno(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

// In steps of an eighth, so that the next one of nearly the same size fits.
std::size_t rounded(std::size_t size) noexcept {
  std::size_t step = step_min;
  while (step < size / 8) step *= 2;
  return (size + step - 1) / step * step;
}

}  // namespace

SharedRegion::SharedRegion(std::size_t size, std::uint32_t id)
    : descriptor_(::memfd_create("coil-region", MFD_CLOEXEC | MFD_ALLOW_SEALING)),
      size_(size),
      id_(id) {
  const auto what = [size] { return " of " + std::to_string(size) + " bytes for another process"; };
  if (!descriptor_) throw_errno("memfd_create" + what());
  if (::ftruncate(descriptor_.get(), static_cast<off_t>(size)) != 0)
    throw_errno("ftruncate" + what());
  if (::fcntl(descriptor_.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) != 0)
    throw_errno("fcntl(F_ADD_SEALS)" + what());
  void* mapped = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor_.get(), 0);
  if (mapped == MAP_FAILED) throw_errno("mmap" + what());
  data_ = static_cast<std::byte*>(mapped);
  ::madvise(mapped, size, MADV_HUGEPAGE);  // only advice
}

// The receivers may keep it mapped for a while; its pages go now.
SharedRegion::~SharedRegion() {
  if (data_ == nullptr) return;
  ::munmap(data_, size_);
  (void)::fallocate(descriptor_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
                    static_cast<off_t>(size_));
}

void SharedRegion::release() noexcept {
  if (references_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  const Ref<RegionStore> home = std::move(home_);
  home->give_back(*this);
}

RegionStore::~RegionStore() { trim(); }

Ref<SharedRegion> RegionStore::acquire(std::size_t size) {
  const std::size_t wanted = rounded(size);
  std::uint32_t id = 0;
  {
    const std::lock_guard lock(mutex_);
    // The smallest that is large enough and no waste.
    auto best = free_.end();
    for (auto at = free_.begin(); at != free_.end(); ++at) {
      if ((*at)->size() < size || (*at)->size() / 2 > wanted) continue;
      if (best == free_.end() || (*at)->size() < (*best)->size()) best = at;
    }
    if (best != free_.end()) {
      SharedRegion* region = *best;
      free_.erase(best);
      free_bytes_ -= region->size();
      region->references_.store(1, std::memory_order_relaxed);
      region->home_ = Ref(this);
      return {region, AdoptRef{}};
    }
    id = next_id_++;
  }
  auto* region = new SharedRegion(wanted, id);
  region->home_ = Ref(this);
  return {region, AdoptRef{}};
}

void RegionStore::give_back(SharedRegion& region) noexcept try {
  std::vector<SharedRegion*> dropped;
  {
    const std::lock_guard lock(mutex_);
    free_.push_back(&region);
    free_bytes_ += region.size();
    while (free_bytes_ > free_max) {  // the oldest goes
      dropped.push_back(free_.front());
      free_bytes_ -= free_.front()->size();
      free_.erase(free_.begin());
    }
  }
  for (auto* one : dropped) delete one;
} catch (...) {
  delete &region;  // no memory to note it
}

bool RegionStore::trim() noexcept {
  std::vector<SharedRegion*> dropped;
  {
    const std::lock_guard lock(mutex_);
    dropped.swap(free_);
    free_bytes_ = 0;
  }
  for (auto* one : dropped) delete one;
  return !dropped.empty();
}

// One core does not use up the memory's bandwidth: a large block takes two.
void copy_to_region(std::byte* to, const void* from, std::size_t size) noexcept {
  if (size < shared_copy_min || processor_count() == 1) {
    std::memcpy(to, from, size);
    return;
  }
  const auto* bytes = static_cast<const std::byte*>(from);
  const std::size_t half = size / 2 / block * block;
  try {
    std::thread other([=] {
      unbind_thread();
      std::memcpy(to + half, bytes + half, size - half);
    });
    std::memcpy(to, bytes, half);
    other.join();
  } catch (const std::system_error&) {  // no more threads
    std::memcpy(to, bytes, size);
  }
}

void RegionSender::describe(std::span<const Ref<SharedRegion>> regions,
                            std::vector<RegionEntry>& entries, std::vector<int>& descriptors) {
  for (const auto& region : regions) {
    RegionEntry entry{.size = region->size(), .id = region->id(), .forget = 0, .is_new = 0};
    const auto found = std::find(known_.begin(), known_.end(), entry.id);
    if (found != known_.end()) {
      std::rotate(found, found + 1, known_.end());  // the newest now
    } else {
      if (known_.size() == known_max) {
        entry.forget = known_.front();
        known_.erase(known_.begin());
      }
      known_.push_back(entry.id);
      entry.is_new = 1;
      descriptors.push_back(region->descriptor());
    }
    entries.push_back(entry);
  }
}

RegionReceiver::~RegionReceiver() {
  for (const auto& mapping : mappings_) ::munmap(mapping.data, mapping.size);
}

void RegionReceiver::forget(std::uint32_t id) noexcept {
  const auto found = std::find_if(mappings_.begin(), mappings_.end(),
                                  [id](const Mapping& mapping) { return mapping.id == id; });
  if (found == mappings_.end()) return;
  ::munmap(found->data, found->size);
  mappings_.erase(found);
}

std::span<const std::byte> RegionReceiver::receive(const RegionEntry& entry,
                                                   std::vector<Descriptor>& descriptors) {
  if (entry.forget != 0) forget(entry.forget);
  if (entry.is_new != 0) {
    if (descriptors.empty()) throw PackError("a region comes without its descriptor");
    const Descriptor descriptor = std::move(descriptors.front());
    descriptors.erase(descriptors.begin());
    struct stat about{};
    if (::fstat(descriptor.get(), &about) != 0) throw_errno("fstat of a region");
    const int seals = ::fcntl(descriptor.get(), F_GET_SEALS);
    if (seals < 0 || (seals & F_SEAL_SHRINK) == 0 ||
        static_cast<std::uint64_t>(about.st_size) < entry.size || entry.size == 0)
      throw PackError("a region is not what the message says");
    forget(entry.id);
    mappings_.reserve(mappings_.size() + 1);
    void* mapped =
        ::mmap(nullptr, entry.size, PROT_READ, MAP_SHARED | MAP_POPULATE, descriptor.get(), 0);
    if (mapped == MAP_FAILED) throw_errno("mmap of a region");
    mappings_.push_back({entry.id, static_cast<std::byte*>(mapped), entry.size});
  }
  for (const auto& mapping : mappings_)
    if (mapping.id == entry.id && mapping.size == entry.size) return {mapping.data, mapping.size};
  throw PackError("a region is unknown");
}

}  // namespace coil::detail
