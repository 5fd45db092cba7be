#include "generator_registry.hpp"

#include <mutex>

#include "worker_pool.hpp"

namespace coil::detail {
namespace {

constinit std::mutex visitors;

GeneratorRegistry* registry_of(const GeneratorBase& generator) noexcept {
  return static_cast<GeneratorRegistry*>(generator.registry.load(std::memory_order_acquire));
}

}  // namespace

void GeneratorRegistry::add(GeneratorBase& generator) noexcept {
  generator.registry_pool = &worker_.pool();
  const SpinGuard guard(lock_);
  generator.registry_previous = nullptr;
  generator.registry_next = first_;
  if (first_ != nullptr) first_->registry_previous = &generator;
  first_ = &generator;
  generator.registry.store(this, std::memory_order_release);
}

void GeneratorRegistry::unlink(GeneratorBase& generator) noexcept {
  (generator.registry_previous != nullptr ? generator.registry_previous->registry_next : first_) =
      generator.registry_next;
  if (generator.registry_next != nullptr)
    generator.registry_next->registry_previous = generator.registry_previous;
  generator.registry.store(nullptr, std::memory_order_release);
}

void GeneratorRegistry::unlink_if_linked(GeneratorBase& generator) noexcept {
  const SpinGuard guard(lock_);
  if (registry_of(generator) != nullptr) unlink(generator);
}

void GeneratorRegistry::remove(GeneratorBase& generator, const WorkerPool* here) noexcept {
  std::unique_lock<std::mutex> visit(visitors, std::defer_lock);
  if (generator.registry_pool != here) visit.lock();
  if (auto* registry = registry_of(generator)) registry->unlink_if_linked(generator);
}

bool GeneratorRegistry::post_to_home(GeneratorBase& generator) noexcept {
  const std::lock_guard<std::mutex> visit(visitors);
  auto* registry = registry_of(generator);
  return registry != nullptr && registry->worker_.post(generator);
}

void GeneratorRegistry::take_all(std::vector<GeneratorRef>& to) {
  const SpinGuard guard(lock_);
  for (GeneratorBase* generator = first_; generator != nullptr;) {
    GeneratorBase* next = generator->registry_next;
    // The others are on their way to a task that closes them, or are being destroyed.
    if (generator->state().try_add_ref()) {
      to.emplace_back(generator, AdoptRef{});
      if (!generator->state().handed_over()) unlink(*generator);
    }
    generator = next;
  }
}

void GeneratorRegistry::disown_all() noexcept {
  const std::lock_guard<std::mutex> visit(visitors);
  const SpinGuard guard(lock_);
  while (first_ != nullptr) unlink(*first_);
}

}  // namespace coil::detail
