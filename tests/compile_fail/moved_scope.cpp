// expect: deleted constructor
#include <coil/cancel_scope.hpp>
#include <utility>

#ifdef COIL_FIXED
void use(coil::CancelScope& scope) { scope.cancel(); }
#else
void use(coil::CancelScope& scope) { coil::CancelScope other(std::move(scope)); }
#endif
