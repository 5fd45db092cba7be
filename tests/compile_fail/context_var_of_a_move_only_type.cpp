// expect: use a shared_ptr<T>
#include <coil/context.hpp>
#include <memory>

#ifdef COIL_FIXED
coil::ContextVar<std::shared_ptr<int>> var{"var", nullptr};
#else
coil::ContextVar<std::unique_ptr<int>> var{"var", nullptr};
#endif
