// How functions are called in reports.
#include <gtest/gtest.h>

#include <coil/detail/task_view.hpp>

namespace {

using coil::detail::short_function_name;

TEST(function_name, has_neither_result_nor_parameters) {
  EXPECT_EQ(short_function_name("int f()"), "f");
  EXPECT_EQ(short_function_name("coil::Coro<int> app::serve(std::vector<int> &, int)"),
            "app::serve");
  EXPECT_EQ(short_function_name("Coro<std::pair<int, long>> (anonymous namespace)::f(int)"),
            "(anonymous namespace)::f");
  EXPECT_EQ(short_function_name("Coro<> app::Server::handle(Request) const &"),
            "app::Server::handle");
  EXPECT_EQ(short_function_name("Coro<T> f(T) [T = std::map<int, int>]"), "f");
  EXPECT_EQ(short_function_name("auto f(void (*)(int), int (&)[3]) [Fn = void (*)(int)]"), "f");
}

TEST(function_name, of_a_lambda_says_so) {
  EXPECT_EQ(short_function_name("auto app::start()::(anonymous class)::operator()(int) const"),
            "app::start()::(lambda)");
}

TEST(function_name, of_an_operator_is_whole) {
  EXPECT_EQ(short_function_name("Coro<> Box<int>::operator()()"), "Box<int>::operator()");
  EXPECT_EQ(short_function_name("Coro<> Box<int>::operator<<(int)"), "Box<int>::operator<<");
  EXPECT_EQ(short_function_name("Coro<> Box<int>::operator->()"), "Box<int>::operator->");
}

TEST(function_name, is_what_it_was_if_it_makes_no_sense) {
  EXPECT_EQ(short_function_name("main"), "main");
  EXPECT_EQ(short_function_name(""), "");
  EXPECT_EQ(short_function_name(")"), ")");
  EXPECT_EQ(short_function_name("]"), "]");
}

}  // namespace
