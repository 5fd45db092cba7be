// expect: no known conversion from .*CancelledError
// `catch (const std::exception&)` must never swallow a cancellation.

#include <coil/coil.hpp>
#include <exception>
#include <stdexcept>

#ifdef COIL_FIXED
using Error = std::runtime_error;
#else
using Error = coil::CancelledError;
#endif

void report(const std::exception& error);

void handle(const Error& error) { report(error); }
