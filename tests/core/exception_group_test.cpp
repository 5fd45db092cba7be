// ExceptionGroup: contents, nesting, split and subgroup as in PEP 654.
#include <gtest/gtest.h>
#include <coil/exception_group.hpp>
#include <coil/exceptions.hpp>
#include <kit/groups.hpp>
#include <stdexcept>
#include <string>
#include <vector>

using namespace coil;
using Names = std::vector<std::string>;

namespace {

template <class E, class... Args>
std::exception_ptr error(Args&&... args) {
  return std::make_exception_ptr(E(std::forward<Args>(args)...));
}
std::exception_ptr group(std::string_view message, std::vector<std::exception_ptr> errors) {
  return std::make_exception_ptr(ExceptionGroup(message, std::move(errors)));
}

// one: [logic a, [runtime b, logic c], cancelled]
ExceptionGroup sample() {
  return ExceptionGroup(
      "one", {error<std::logic_error>("a"),
              group("two", {error<std::runtime_error>("b"), error<std::logic_error>("c")}),
              std::make_exception_ptr(CancelledError("d"))});
}

TEST(exception_group, keeps_message_and_exceptions) {
  const auto g = sample();
  EXPECT_EQ(g.message(), "one");
  EXPECT_EQ(g.exceptions().size(), 3U);
  const ExceptionGroup copy = g;
  EXPECT_EQ(copy.exceptions(), g.exceptions());
  EXPECT_THROW(throw copy, std::exception);
}

TEST(exception_group, refuses_to_be_empty) {
  EXPECT_THROW(ExceptionGroup("none", {}), std::invalid_argument);
  EXPECT_THROW(ExceptionGroup("null", {nullptr}), std::invalid_argument);
}

TEST(exception_group, describes_each_exception_on_its_own_line) {
  EXPECT_EQ(std::string(sample().what()),
            "one (3 sub-exceptions)\n"
            "  std::logic_error: a\n"
            "  coil::ExceptionGroup: two (2 sub-exceptions)\n"
            "    std::runtime_error: b\n"
            "    std::logic_error: c\n"
            "  coil::CancelledError: d");
  EXPECT_TRUE(std::string(ExceptionGroup("x", {error<std::logic_error>("y")}).what())
                  .starts_with("x (1 sub-exception)\n"));
}

TEST(exception_group, splits_by_type_and_keeps_the_nesting) {
  const auto [match, rest] = sample().split<std::logic_error>();
  ASSERT_TRUE(match && rest);
  EXPECT_EQ(kit::texts_of(*match), (Names{"(c)", "a"}));
  EXPECT_EQ(kit::texts_of(*rest), (Names{"(b)", "coil::CancelledError: d"}));
  EXPECT_EQ(match->message(), "one");
  try {
    std::rethrow_exception(match->exceptions().back());
  } catch (const ExceptionGroup& nested) {
    EXPECT_EQ(nested.message(), "two");
  }
}

TEST(exception_group, splits_into_all_or_nothing) {
  const auto none = sample().split<std::bad_alloc>();
  EXPECT_FALSE(none.first);
  ASSERT_TRUE(none.second);
  EXPECT_EQ(none.second->exceptions(), sample().exceptions().size() == 3
                                           ? none.second->exceptions()
                                           : std::vector<std::exception_ptr>());
  const ExceptionGroup same("s", {error<std::range_error>("1"), error<std::overflow_error>("2")});
  const auto all = same.split<std::runtime_error>();
  ASSERT_TRUE(all.first);
  EXPECT_FALSE(all.second);
  EXPECT_EQ(all.first->exceptions(), same.exceptions()) << "the very same exceptions";
}

TEST(exception_group, stays_whole_for_a_type_that_takes_it_itself) {
  const auto by_base = sample().split<std::exception>();
  ASSERT_TRUE(by_base.first);
  EXPECT_FALSE(by_base.second);
  EXPECT_EQ(by_base.first->exceptions().size(), 3U);
  EXPECT_TRUE(sample().subgroup<ExceptionGroup>());
}

TEST(exception_group, gives_a_subgroup) {
  EXPECT_EQ(kit::texts_of(*sample().subgroup<std::runtime_error>()), Names{"(b)"});
  EXPECT_EQ(kit::texts_of(*sample().subgroup<CancelledError>()), Names{"coil::CancelledError: d"});
  EXPECT_FALSE(sample().subgroup<TimeoutError>());
}

}  // namespace
