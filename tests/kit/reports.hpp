// Collects what the exception handler of the running Runner is told, and keeps it from stderr.
#pragma once

#include <coil/exception_context.hpp>
#include <coil/exceptions.hpp>
#include <coil/loop.hpp>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace kit {

class Reports {
 public:
  Reports() {
    coil::get_running_loop().set_exception_handler([list = list_](const coil::ExceptionContext& c) {
      const std::lock_guard lock(list->mutex);
      list->contexts.push_back(c);
    });
  }
  ~Reports() { coil::get_running_loop().set_exception_handler({}); }
  Reports(const Reports&) = delete;
  Reports& operator=(const Reports&) = delete;

  [[nodiscard]] std::vector<coil::ExceptionContext> all() const {
    const std::lock_guard lock(list_->mutex);
    return list_->contexts;
  }
  [[nodiscard]] bool empty() const { return all().empty(); }
  // How many messages contain `text`.
  [[nodiscard]] int count(const std::string& text) const {
    int found = 0;
    for (const auto& context : all()) found += context.message.find(text) != std::string::npos;
    return found;
  }
  [[nodiscard]] std::string text() const {
    std::string lines;
    for (const auto& context : all())
      lines += context.message + ": " + coil::detail::describe(context.exception) + "\n";
    return lines;
  }

 private:
  struct List {
    std::mutex mutex;
    std::vector<coil::ExceptionContext> contexts;
  };
  std::shared_ptr<List> list_ = std::make_shared<List>();
};

}  // namespace kit
