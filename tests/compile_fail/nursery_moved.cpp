// expect: deleted constructor of 'coil::Nursery'
// A nursery lives in the scope that waits for it, and nowhere else.
#include <coil/nursery.hpp>
#include <utility>

#ifdef COIL_FIXED
void use(coil::Nursery& nursery) { nursery.cancel_scope().cancel(); }
#else
void use(coil::Nursery& nursery) { coil::Nursery other(std::move(nursery)); }
#endif
