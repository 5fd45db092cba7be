#include <coil/detail/function_place.hpp>

#include <dlfcn.h>
#include <elf.h>
#include <link.h>

#include <cstring>
#include <span>
#include <stdexcept>

namespace coil::detail {
namespace {

std::string hex(std::span<const unsigned char> bytes) {
  constexpr const char* digits = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : bytes) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

// The build id among an image's notes; without one, where its segments lie.
std::string identity_of(const dl_phdr_info& image) {
  std::string without = "segments";
  for (int i = 0; i < image.dlpi_phnum; ++i) {
    const auto& segment = image.dlpi_phdr[i];
    if (segment.p_type == PT_LOAD)
      without += ":" + std::to_string(segment.p_vaddr) + "+" + std::to_string(segment.p_memsz);
    if (segment.p_type != PT_NOTE) continue;
    const auto* at = reinterpret_cast<const unsigned char*>(image.dlpi_addr + segment.p_vaddr);
    const auto* end = at + segment.p_memsz;
    while (at + sizeof(ElfW(Nhdr)) <= end) {
      ElfW(Nhdr) note;
      std::memcpy(&note, at, sizeof note);
      const auto* name = at + sizeof note;
      const auto* content = name + ((note.n_namesz + 3U) & ~3U);
      if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && std::memcmp(name, "GNU", 4) == 0)
        return hex({content, note.n_descsz});
      at = content + ((note.n_descsz + 3U) & ~3U);
    }
  }
  return without;
}

bool contains(const dl_phdr_info& image, std::uintptr_t address) noexcept {
  for (int i = 0; i < image.dlpi_phnum; ++i) {
    const auto& segment = image.dlpi_phdr[i];
    if (segment.p_type == PT_LOAD && address - image.dlpi_addr - segment.p_vaddr < segment.p_memsz)
      return true;
  }
  return false;
}

// The executable comes first, and its name is empty.
template <class Visit>
bool visit_images(Visit visit) {
  return ::dl_iterate_phdr([](dl_phdr_info* image, std::size_t,
                              void* data) { return (*static_cast<Visit*>(data))(*image) ? 1 : 0; },
                           &visit) != 0;
}

std::uintptr_t executable_base() {
  std::uintptr_t base = 0;
  visit_images([&](const dl_phdr_info& image) {
    base = image.dlpi_addr;
    return true;
  });
  return base;
}

const void* find_in_images(const FunctionPlace& place) {
  const void* found = nullptr;
  std::string other;
  visit_images([&](const dl_phdr_info& image) {
    if (place.image != image.dlpi_name) return false;
    if (!place.identity.empty()) other = identity_of(image);
    if (place.identity == other) {
      // NOLINTNEXTLINE(performance-no-int-to-ptr): base and offset, as the linker counts
      found = reinterpret_cast<const void*>(image.dlpi_addr + place.offset);
    }
    return true;
  });
  if (found == nullptr && !other.empty())
    throw std::runtime_error(place.image + " was replaced after the program had begun (build id " +
                             other + ", not " + place.identity + ")");
  return found;
}

}  // namespace

FunctionPlace place_of(const void* function) {
  const auto address = reinterpret_cast<std::uintptr_t>(function);
  FunctionPlace place;
  const bool found = visit_images([&](const dl_phdr_info& image) {
    if (!contains(image, address)) return false;
    place.image = image.dlpi_name;
    if (!place.image.empty()) place.identity = identity_of(image);
    place.offset = address - image.dlpi_addr;
    return true;
  });
  if (!found) throw std::runtime_error("a function lies in no image that another process has");
  return place;
}

const void* function_at(const FunctionPlace& place) {
  if (place.image.empty()) {  // nearly always
    static const std::uintptr_t executable = executable_base();
    // NOLINTNEXTLINE(performance-no-int-to-ptr): base and offset, as the linker counts
    return reinterpret_cast<const void*>(executable + place.offset);
  }
  if (const void* found = find_in_images(place)) return found;
  // The program has loaded it after it began.
  if (::dlopen(place.image.c_str(), RTLD_NOW | RTLD_GLOBAL) == nullptr)
    throw std::runtime_error("cannot load " + place.image + ": " + ::dlerror());
  if (const void* found = find_in_images(place)) return found;
  throw std::runtime_error(place.image + " is not to be found in the new process");
}

std::string executable_identity() {
  std::string identity;
  visit_images([&](const dl_phdr_info& image) {
    identity = identity_of(image);
    return true;
  });
  return identity;
}

}  // namespace coil::detail
