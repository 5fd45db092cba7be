#include <coil/context.hpp>

namespace coil {
namespace detail {

std::uint64_t next_context_key() noexcept {
  static constinit Atomic<std::uint64_t> next{0};
  return next.fetch_add(1, std::memory_order_relaxed);
}

const ContextValue* find_context_value(std::uint64_t key, ContextValueRef& keep) noexcept {
  if (!context_in_use()) return nullptr;
  return current_context().find(key, keep);
}

ContextChange set_context_value(std::uint64_t key, const ContextValueRef& value) {
  return current_context().set(key, value);
}

bool restore_context_value(std::uint64_t key, const ContextChange& change) {
  return current_context().restore(key, change);
}

void throw_no_context_value(const std::string& name) {
  throw LookupError("ContextVar '" + name +
                    "' is not set in this context and has no default: set() it first, or use "
                    "get(fallback)");
}

namespace {

ContextCell& enter(ContextCell& cell) {
  if (current_context().is(cell) || !cell.enter())
    throw std::runtime_error("Context::run: cannot enter the context, it is already entered");
  return cell;
}

}  // namespace

ContextRun::ContextRun(ContextCell& cell) : cell_(&enter(cell)), entry_(slot_) {
  slot_.share(cell);
}
ContextRun::~ContextRun() { cell_->leave(); }

}  // namespace detail

Context copy_context() {
  return Context(detail::Ref<detail::ContextCell>(
      new detail::ContextCell(detail::current_context().map()), detail::AdoptRef{}));
}

}  // namespace coil
