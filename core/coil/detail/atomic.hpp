// The one door through which Coil reaches atomics, so that the explorer in tests/model can stand
// in for the hardware and run every interleaving of the real code.
//
// Invariant: without COIL_MODEL each name here is std's own, or nothing at all: no cost, no
// wrapper. With COIL_MODEL each is the explorer's, and behaves as the C++ memory model allows.
// A program never links objects of both kinds.
#pragma once

#if defined(COIL_MODEL)

#include <model/atomic.hpp>

#define COIL_MUTATION(name) (::model::mutated(name))

namespace coil::detail {

template <class T>
using Atomic = ::model::Atomic<T>;
template <class T>
using Plain = ::model::Plain<T>;
using Mutex = ::model::Mutex;

// Here the thread sleeps until another one has changed something, so that spinning ends, and so
// that spinning for what never comes is reported.
inline void spin_pause() { ::model::spin_pause(); }

}  // namespace coil::detail

#else

#include <atomic>

// True where the explorer was told to break the step of this name; production has no such branch.
#define COIL_MUTATION(name) false

namespace coil::detail {

template <class T>
using Atomic = std::atomic<T>;

// Data that a protocol hands from thread to thread without being atomic itself. Only a note to
// the reader here; the explorer checks every access for a race.
template <class T>
using Plain = T;

// Tells the core that this is a spin loop: the sibling hyperthread gets the pipeline.
inline void spin_pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield" ::: "memory");
#else
#error "coil::detail::spin_pause: only x86-64 and AArch64 are known"
#endif
}

}  // namespace coil::detail

#endif
