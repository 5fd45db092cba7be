// The concepts of ranges alone: <iterator> brings stream iterators, and <ranges> its views, which a
// program that includes Coil would have to compile.
#pragma once

#if __has_include(<bits/ranges_base.h>)
// clang-format off: the second leans on what the first brings
#include <string_view>
#include <bits/ranges_base.h>
// clang-format on
#else
#include <iterator>
#include <ranges>
#endif
