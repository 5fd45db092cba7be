// C += A * B of square matrices of doubles by quarters, down to blocks of 64 that one kernel
// multiplies. Kernel and recursion are the same for every contender; they differ only in how the
// four products of a step are run.
//
// Invariant: the results are exact (small whole numbers), so they are compared for equality.
#pragma once

#include <cstdint>
#include <vector>

namespace bench {

constexpr long matmul_leaf = 64;
constexpr long matmul_warm_up = 128;
constexpr int matmul_rounds = 4;

// A square part of a matrix whose rows are `stride` apart.
struct Block {
  double* data;
  long size;
  long stride;

  // 0 1
  // 2 3
  [[nodiscard]] Block quarter(int which) const {
    const long half = size / 2;
    return {data + (which / 2) * half * stride + (which % 2) * half, half, stride};
  }
};

[[gnu::noinline]] inline void multiply_leaf(Block a, Block b, Block c) {
  for (long i = 0; i < a.size; ++i)
    for (long k = 0; k < a.size; ++k) {
      const double factor = a.data[i * a.stride + k];
      const double* __restrict row = b.data + k * b.stride;
      double* __restrict out = c.data + i * c.stride;
      for (long j = 0; j < a.size; ++j) out[j] += factor * row[j];
    }
}

// Step 0 and 1 of a multiplication, product 0 to 3 of each: the four of a step write to different
// quarters of C.
template <class Multiply>
auto product(Block a, Block b, Block c, int step, int which, Multiply multiply) {
  const int row = which / 2;
  const int column = which % 2;
  return multiply(a.quarter(row * 2 + step), b.quarter(step * 2 + column), c.quarter(which));
}

// Two matrices to multiply and the place for their product. `size` is a power of two, 64 or more.
class Matrices {
 public:
  explicit Matrices(long size) : size_(size), a_(size * size), b_(size * size), c_(size * size) {
    for (long i = 0; i < size; ++i)
      for (long j = 0; j < size; ++j) {
        a_[i * size + j] = double((i + j) % 7);
        b_[i * size + j] = double(i % 3) + double(j % 5);
      }
  }
  Block a() { return {a_.data(), size_, size_}; }
  Block b() { return {b_.data(), size_, size_}; }
  Block c() { return {c_.data(), size_, size_}; }

  // After `rounds` multiplications; looks at every 37th element.
  [[nodiscard]] bool correct(int rounds) const {
    for (long at = 0; at < size_ * size_; at += 37) {
      const long i = at / size_;
      const long j = at % size_;
      double sum = 0;
      for (long k = 0; k < size_; ++k) sum += a_[i * size_ + k] * b_[k * size_ + j];
      if (c_[at] != sum * rounds) return false;
    }
    return true;
  }

 private:
  long size_;
  std::vector<double> a_, b_, c_;
};

}  // namespace bench
