// expect: static assertion failed.*this type cannot go to another process
#include <coil/process_pool_executor.hpp>
#include <vector>

struct Node {
  int value;
#ifndef COIL_FIXED
  const Node* next;
#endif
};
int count(const std::vector<Node>& nodes) { return static_cast<int>(nodes.size()); }

coil::Future<int> use(coil::ProcessPoolExecutor& pool) {
  return pool.submit<&count>(std::vector<Node>());
}
