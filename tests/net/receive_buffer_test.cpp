// ReceiveBuffer: what it holds, and how much memory for it.
#include <gtest/gtest.h>

#include <coil/detail/receive_buffer.hpp>
#include <span>
#include <string>

#include "net_kit.hpp"

namespace {

using coil::detail::ReceiveBuffer;

void append(ReceiveBuffer& buffer, const std::string& text) {
  buffer.append(std::as_bytes(std::span(text)));
}

TEST(ReceiveBuffer, gives_back_what_a_burst_has_made_large_before_it_is_empty) {
  ReceiveBuffer buffer;
  const std::string burst = kit::pattern(1'000'000);
  append(buffer, burst);
  EXPECT_EQ(buffer.take(burst.size() - 100), burst.substr(0, burst.size() - 100));
  EXPECT_LT(buffer.capacity(), 1'000U);
  append(buffer, "more");
  EXPECT_EQ(buffer.take_all(), burst.substr(burst.size() - 100) + "more");
}

TEST(ReceiveBuffer, keeps_every_byte_in_order_however_it_is_read) {
  ReceiveBuffer buffer;
  const std::string text = kit::pattern(300'000);
  std::string read;
  std::size_t written = 0;
  for (std::size_t step = 1; read.size() < text.size(); step = step * 7 % 9'973) {
    const std::size_t n = std::min(step * 3, text.size() - written);
    append(buffer, text.substr(written, n));
    written += n;
    read += buffer.take(std::min(step * 2, buffer.size()));
    if (written == text.size()) read += buffer.take_all();
  }
  EXPECT_EQ(read, text);
}

}  // namespace
