// On which NUMA nodes threads run and memory lies.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>

// First line of a test that needs loops on two NUMA nodes. Where COIL_TEST_NODES=2 promises them
// it fails without them, else it is skipped.
#define KIT_NEEDS_TWO_NODES()                                                   \
  if (const char* why = kit::why_not_two_nodes(); why != nullptr) {             \
    if (kit::nodes_are_promised()) FAIL() << "COIL_TEST_NODES is set: " << why; \
    GTEST_SKIP() << why;                                                        \
  }                                                                             \
  static_assert(true)

namespace kit {

[[nodiscard]] const char* why_not_two_nodes();  // nullptr: there are
[[nodiscard]] bool nodes_are_promised();

[[nodiscard]] int node_of_this_thread();
// Of the page at `address`; -1 if it has none, or it cannot be told (a page that the kernel has
// mapped for a driver tells it to root alone).
[[nodiscard]] int node_of_page(const void* address);

// How many of the pages of [begin, begin + size) lie on `node`, on others, or nowhere yet.
struct PageCount {
  std::size_t here = 0;
  std::size_t elsewhere = 0;
  std::size_t untouched = 0;
};
[[nodiscard]] PageCount count_pages(const void* begin, std::size_t size, int node);

}  // namespace kit
