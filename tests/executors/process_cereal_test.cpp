// <coil/cereal.hpp>: what only cereal can serialise crosses to a worker.
#if __has_include(<cereal/cereal.hpp>)

#include <gtest/gtest.h>

#include <cereal/access.hpp>
#include <cereal/types/memory.hpp>
#include <cereal/types/polymorphic.hpp>
#include <cereal/types/string.hpp>
#include <cereal/types/vector.hpp>
#include <coil/cereal.hpp>
#include <coil/future.hpp>
#include <coil/process_pool_executor.hpp>
#include <kit/loops.hpp>
#include <kit/watchdog.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "process_kit.hpp"

namespace process_cereal {

struct Shape {
  virtual ~Shape() = default;
  [[nodiscard]] virtual double area() const = 0;
  template <class Archive>
  void serialize(Archive&) {}
};
struct Square final : Shape {
  double side = 0;
  [[nodiscard]] double area() const override { return side * side; }
  template <class Archive>
  void serialize(Archive& archive) {
    archive(cereal::base_class<Shape>(this), side);
  }
};

// Its members are cereal's affair.
class Guarded {
 public:
  Guarded() = default;
  explicit Guarded(std::string text) : text_(std::move(text)) {}
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  friend class cereal::access;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(cereal::make_nvp("text", text_));
  }
  std::string text_;
};

struct Named {
  int number = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(number));
  }
};

}  // namespace process_cereal

CEREAL_REGISTER_TYPE(process_cereal::Square)

namespace {

using namespace coil;
using namespace process_cereal;

double area_of(const std::shared_ptr<Shape>& shape) { return shape->area(); }
std::unique_ptr<int> one_more(const std::unique_ptr<int>& number) {
  return std::make_unique<int>(*number + 1);
}
Guarded twice(const Guarded& guarded) { return Guarded(guarded.text() + guarded.text()); }
Named next(Named named) { return {named.number + 1}; }
bool is_shared(const std::pair<std::shared_ptr<int>, int>& in) { return in.first != nullptr; }
double areas_of(const std::vector<std::shared_ptr<Shape>>& shapes) {
  double sum = 0;
  for (const auto& shape : shapes) sum += shape->area();
  return sum;
}

TEST(process_cereal, types_that_only_cereal_knows_cross) {
  PROCESSES_NEEDED();
  const kit::Watchdog watchdog;
  ProcessPoolExecutor pool{{.max_workers = 1}};
  const auto square = std::make_shared<Square>();
  square->side = 3;
  EXPECT_EQ(pool.submit<&area_of>(std::shared_ptr<Shape>(square)).get(), 9);
  EXPECT_EQ(pool.submit<&areas_of>(std::vector<std::shared_ptr<Shape>>{square, square}).get(), 18);
  auto number = pool.submit<&one_more>(std::make_unique<int>(4));
  ASSERT_TRUE(number.wait_for(std::nullopt));
  EXPECT_EQ(number.exception(), nullptr);
  EXPECT_EQ(pool.submit<&twice>(Guarded("ab")).get().text(), "abab");
  EXPECT_EQ(pool.submit<&next>(Named{1}).get().number, 2);
  EXPECT_TRUE(pool.submit<&is_shared>(std::pair(std::make_shared<int>(1), 2)).get());
}

}  // namespace

#endif
