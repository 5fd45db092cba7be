// For objects that one loop uses all the time: on pages of their own, fresh from the kernel, so
// that they lie on the NUMA node of the thread that makes them (what malloc gives may have been
// touched elsewhere before), and no two loops share one.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <new>

namespace coil::detail {

struct OwnPages {
  static void* operator new(std::size_t size) {
    void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    return memory;
  }
  static void operator delete(void* memory, std::size_t size) noexcept { munmap(memory, size); }
};

}  // namespace coil::detail
