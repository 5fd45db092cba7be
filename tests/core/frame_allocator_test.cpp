// The frame allocator: blocks are never shared, also when threads end and others go on with theirs.
#include <gtest/gtest.h>

#include <coil/detail/frame_allocator.hpp>
#include <cstring>
#include <set>
#include <thread>
#include <vector>

namespace {

using coil::detail::frame_allocate;
using coil::detail::frame_deallocate;

std::vector<void*> take(std::size_t n, std::size_t size) {
  std::vector<void*> blocks;
  for (std::size_t i = 0; i < n; ++i) {
    blocks.push_back(frame_allocate(size));
    std::memset(blocks.back(), 0xA5, size);  // breaks links that lie inside a block in use
  }
  return blocks;
}

void give(std::vector<void*>& blocks, std::size_t size) {
  for (void* block : blocks) frame_deallocate(block, size);
  blocks.clear();
}

TEST(FrameAllocator, gives_every_block_once) {
  for (const std::size_t size : {1U, 32U, 33U, 500U, 2047U, 2048U, 2049U, 100'000U}) {
    auto blocks = take(1000, size);
    EXPECT_EQ(std::set<void*>(blocks.begin(), blocks.end()).size(), blocks.size());
    give(blocks, size);
  }
}

// A thread that ends leaves a batch of any length behind, and the next one takes it over.
TEST(FrameAllocator, short_batches_of_ended_threads_are_used_as_what_they_are) {
  for (const std::size_t left : {1U, 2U, 63U, 64U, 65U, 127U, 128U}) {
    std::thread([left] {
      auto blocks = take(left, 96);
      give(blocks, 96);
    }).join();
    std::thread([] {
      for (int round = 0; round < 3; ++round) {
        auto blocks = take(1000, 96);
        EXPECT_EQ(std::set<void*>(blocks.begin(), blocks.end()).size(), blocks.size());
        give(blocks, 96);
      }
    }).join();
  }
}

TEST(FrameAllocator, blocks_freed_on_another_thread_come_back) {
  for (int round = 0; round < 20; ++round) {
    auto blocks = take(1000, 256);
    std::thread([&] { give(blocks, 256); }).join();
  }
}

// What a thread that has only freed leaves is used again.
TEST(frame_allocator, takes_back_what_a_thread_freed_that_never_allocated) {
#if defined(__has_feature) && __has_feature(address_sanitizer)
  GTEST_SKIP() << "every frame is an allocation of its own";
#endif
  constexpr std::size_t size = 1'900;  // of a class that nobody else uses
  constexpr std::size_t count = 50;    // fewer than a list may hold
  std::set<void*> seen;
  for (int round = 0; round < 200; ++round) {
    std::vector<void*> blocks;
    for (std::size_t i = 0; i < count; ++i) blocks.push_back(frame_allocate(size));
    seen.insert(blocks.begin(), blocks.end());
    std::thread([&] {
      for (void* block : blocks) frame_deallocate(block, size);
    }).join();
  }
  EXPECT_LT(seen.size(), 20 * count) << "each round took new memory";
}

// Blocks that a thread of another node has freed are for the threads of the node they came from.
TEST(frame_allocator, blocks_go_home_to_their_node) {
#if defined(__has_feature) && __has_feature(address_sanitizer)
  GTEST_SKIP() << "every frame is an allocation of its own";
#endif
  constexpr std::size_t size = 1'850;  // of a class that nobody else uses
  constexpr std::size_t count = 2'000;
  std::set<void*> first_node;
  std::set<void*> second_node;
  const auto on_node = [](unsigned node, auto body) {
    std::thread([&] {
      coil::detail::frame_thread_is_on(node);
      body();
    }).join();
  };
  for (int round = 0; round < 10; ++round) {
    std::vector<void*> blocks;
    on_node(0, [&] { blocks = take(count, size); });
    first_node.insert(blocks.begin(), blocks.end());
    on_node(1, [&] {
      give(blocks, size);
      blocks = take(count / 10, size);  // it may have kept some of those it has just freed
      give(blocks, size);
    });
    on_node(1, [&] {
      blocks = take(count, size);
      second_node.insert(blocks.begin(), blocks.end());
      give(blocks, size);
    });
  }
  for (void* block : second_node) EXPECT_EQ(first_node.count(block), 0U);
  // A slab has 35 of them.
  EXPECT_LT(first_node.size(), count + 100) << "each round took new memory";
  EXPECT_LT(second_node.size(), count + 100);
}

// What a thread had before it was bound is not of its node.
TEST(frame_allocator, a_thread_that_is_bound_starts_anew) {
#if defined(__has_feature) && __has_feature(address_sanitizer)
  GTEST_SKIP() << "every frame is an allocation of its own";
#endif
  constexpr std::size_t size = 1'800;
  std::thread([] {
    auto before = take(100, size);
    const std::set<void*> seen(before.begin(), before.end());
    give(before, size);
    coil::detail::frame_thread_is_on(0);
    auto after = take(100, size);
    for (void* block : after) EXPECT_EQ(seen.count(block), 0U);
    give(after, size);
  }).join();
}

}  // namespace
