// GoogleTest's ASSERT_... for coroutines: they leave by co_return instead of return. Only in a
// coroutine that returns nothing, as ASSERT_... is only for functions that do.
#pragma once

#include <gtest/gtest.h>

#define COIL_DETAIL_FATAL(message) \
  co_return GTEST_MESSAGE_(message, ::testing::TestPartResult::kFatalFailure)

#define COIL_FAIL() COIL_DETAIL_FATAL("Failed")
#define COIL_SKIP() co_return GTEST_MESSAGE_("", ::testing::TestPartResult::kSkip)

#define COIL_ASSERT_TRUE(condition) \
  GTEST_TEST_BOOLEAN_(condition, #condition, false, true, COIL_DETAIL_FATAL)
#define COIL_ASSERT_FALSE(condition) \
  GTEST_TEST_BOOLEAN_(!(condition), #condition, true, false, COIL_DETAIL_FATAL)

#define COIL_DETAIL_ASSERT2(compare, a, b) GTEST_PRED_FORMAT2_(compare, a, b, COIL_DETAIL_FATAL)
#define COIL_ASSERT_EQ(a, b) COIL_DETAIL_ASSERT2(::testing::internal::EqHelper::Compare, a, b)
#define COIL_ASSERT_NE(a, b) COIL_DETAIL_ASSERT2(::testing::internal::CmpHelperNE, a, b)
#define COIL_ASSERT_LT(a, b) COIL_DETAIL_ASSERT2(::testing::internal::CmpHelperLT, a, b)
#define COIL_ASSERT_LE(a, b) COIL_DETAIL_ASSERT2(::testing::internal::CmpHelperLE, a, b)
#define COIL_ASSERT_GT(a, b) COIL_DETAIL_ASSERT2(::testing::internal::CmpHelperGT, a, b)
#define COIL_ASSERT_GE(a, b) COIL_DETAIL_ASSERT2(::testing::internal::CmpHelperGE, a, b)
#define COIL_ASSERT_STREQ(a, b) COIL_DETAIL_ASSERT2(::testing::internal::CmpHelperSTREQ, a, b)
#define COIL_ASSERT_STRNE(a, b) COIL_DETAIL_ASSERT2(::testing::internal::CmpHelperSTRNE, a, b)
#define COIL_ASSERT_NEAR(a, b, error) \
  GTEST_PRED_FORMAT3_(::testing::internal::DoubleNearPredFormat, a, b, error, COIL_DETAIL_FATAL)
// With <gmock/gmock.h>.
#define COIL_ASSERT_THAT(value, matcher)                                                      \
  GTEST_PRED_FORMAT1_(::testing::internal::MakePredicateFormatterFromMatcher(matcher), value, \
                      COIL_DETAIL_FATAL)
// The statement may co_await.
#define COIL_ASSERT_THROW(statement, exception) \
  GTEST_TEST_THROW_(statement, exception, COIL_DETAIL_FATAL)
#define COIL_ASSERT_NO_THROW(statement) GTEST_TEST_NO_THROW_(statement, COIL_DETAIL_FATAL)
#define COIL_ASSERT_ANY_THROW(statement) GTEST_TEST_ANY_THROW_(statement, COIL_DETAIL_FATAL)
