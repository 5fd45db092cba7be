// What a hot function calls once in a while.
#pragma once

// It keeps all registers, so that its caller need not save any for it. Only for functions that
// throw nothing and are not called through a table of the dynamic linker's: neither would keep
// them.
#if defined(__clang__)
#define COIL_RARE_CALL [[gnu::noinline, gnu::visibility("hidden"), clang::preserve_most]]
#else
#define COIL_RARE_CALL [[gnu::noinline, gnu::visibility("hidden")]]
#endif
