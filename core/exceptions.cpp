#include <cxxabi.h>

#include <coil/exceptions.hpp>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <typeinfo>

namespace coil::detail {
namespace {

// libstdc++ knows the type of a held exception without throwing it.
const std::type_info* type_of(const std::exception_ptr& error) noexcept {
  return error ? error.__cxa_exception_type() : nullptr;
}

// The thrown object itself: libstdc++'s exception_ptr is one pointer to it. Throwing it again just
// to look at it would cost a microsecond, in every cancelled task.
void* held_object(const std::exception_ptr& error) noexcept {
  static_assert(sizeof(std::exception_ptr) == sizeof(void*));
  void* object = nullptr;
  // NOLINTNEXTLINE(bugprone-undefined-memory-manipulation): a pointer is all there is to read
  std::memcpy(&object, &error, sizeof object);
  return object;
}

std::string type_name(const std::exception_ptr& error) {
  const auto* type = type_of(error);
  if (type == nullptr) return "unknown exception";
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> name(
      abi::__cxa_demangle(type->name(), nullptr, nullptr, &status), &std::free);
  return name ? name.get() : type->name();
}

}  // namespace

const void* thrown_object(const std::exception_ptr& error) noexcept { return held_object(error); }
const void* thrown_type(const std::exception_ptr& error) noexcept { return type_of(error); }

bool is_cancelled_error(const std::exception_ptr& error) noexcept {
  const auto* type = type_of(error);
  return type != nullptr && *type == typeid(CancelledError);
}

CancelledError& held_cancelled_error(const std::exception_ptr& error) noexcept {
  return *static_cast<CancelledError*>(held_object(error));
}

bool is_level_cancelled_error(const std::exception_ptr& error) noexcept {
  return is_cancelled_error(error) &&
         CancelledErrorAccess::origin(held_cancelled_error(error)) == CancelOrigin::Level;
}

void forget_cancel_origin(const std::exception_ptr& error) noexcept {
  // Written only where there is something to forget: what is Edge may be shared already.
  if (is_level_cancelled_error(error))
    CancelledErrorAccess::forget_origin(held_cancelled_error(error));
}

bool is_generator_exit(const std::exception_ptr& error) noexcept {
  const auto* type = type_of(error);
  return type != nullptr && *type == typeid(GeneratorExit);
}

bool is_termination_request(const std::exception_ptr& error) noexcept {
  const auto* type = type_of(error);
  return type != nullptr && *type == typeid(TerminationRequest);
}

bool is_base_error(const std::exception_ptr& error) noexcept {
  const auto* type = type_of(error);
  return type != nullptr && (*type == typeid(KeyboardInterrupt) || is_termination_request(error));
}

std::string describe(const std::exception_ptr& error) {
  std::string text = type_name(error);
  try {
    if (error) std::rethrow_exception(error);
  } catch (const std::exception& e) {
    text += std::string(": ") + e.what();
  } catch (const CancelledError& e) {
    if (*e.what() != '\0') text += std::string(": ") + e.what();
  } catch (...) {  // the type says all there is
  }
  return text;
}

}  // namespace coil::detail
