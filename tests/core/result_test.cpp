// Result: a value or an exception.
#include <gtest/gtest.h>
#include <coil/result.hpp>
#include <memory>
#include <stdexcept>
#include <string>

using namespace coil;

namespace {

std::exception_ptr failure() { return std::make_exception_ptr(std::out_of_range("far")); }

TEST(result, holds_a_value) {
  Result<std::string> result("text");
  EXPECT_TRUE(result);
  EXPECT_TRUE(result.has_value());
  EXPECT_EQ(result.error(), nullptr);
  EXPECT_EQ(*result, "text");
  EXPECT_EQ(result->size(), 4U);
  result.value() += "!";
  EXPECT_EQ(std::as_const(result).value(), "text!");
  const std::string moved = std::move(result).value();
  EXPECT_EQ(moved, "text!");
}

TEST(result, holds_an_exception) {
  const Result<int> result(failure());
  EXPECT_FALSE(result);
  EXPECT_NE(result.error(), nullptr);
  EXPECT_THROW((void)result.value(), std::out_of_range);
  EXPECT_THROW((void)*result, std::out_of_range);
  EXPECT_THROW(static_cast<void>(Result<int>{std::exception_ptr{}}), std::invalid_argument);
}

TEST(result, may_be_void_move_only_or_a_reference) {
  EXPECT_NO_THROW(Result<>(std::in_place).value());
  EXPECT_THROW(Result<>(failure()).value(), std::out_of_range);
  Result<std::unique_ptr<int>> owned(std::make_unique<int>(3));
  EXPECT_EQ(*std::move(owned).value(), 3);
  int value = 1;
  const Result<int&> reference(value);
  reference.value() = 2;
  EXPECT_EQ(value, 2);
}

}  // namespace
