// std::unique_ptr alone: the rest of <memory> is a fifth of what a program that includes Coil would
// have to compile.
#pragma once

#if __has_include(<bits/unique_ptr.h>)
#include <bits/unique_ptr.h>
#else
#include <memory>
#endif
