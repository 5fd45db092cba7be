// The one way in which a test says that the simulation cannot run it. (For threads of the test's
// own there is KIT_USES_THREADS in kit/loops.hpp.)
#pragma once

#include <gtest/gtest.h>

#include <kit/loops.hpp>

// First line of a test that needs real processes, descriptors, signals or clocks.
#define KIT_NEEDS_KERNEL(what) \
  if (kit::simulated()) GTEST_SKIP() << "not under simulation: needs " what
