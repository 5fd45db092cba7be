// The concepts of ranges alone: <iterator> brings stream iterators, and <ranges> its views, which a
// program that includes Coil would have to compile.
#pragma once

#if __has_include(<bits/ranges_base.h>)
#include <bits/ranges_base.h>
#else
#include <iterator>
#include <ranges>
#endif
