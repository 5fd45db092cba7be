// Makes a process a worker before main() runs, if it was started to be one.
//
// A worker's functions use the program's objects, so the hook has to come after their dynamic
// initialisation, wherever the linker has put it. Initialisers are run from a table, first entry
// to last. In a worker, and only there, the hook puts itself in place of the table's last entry,
// which it calls first: so it is the last thing before main(). Then main() is never reached.
// (A shared libcoil's hook runs before the table of the executable, a static one's amid it.)
// Kept by tests/executors/process_hook_test.cpp.
#include <elf.h>
#include <link.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>

#include "worker_main.hpp"

// Of an executable without dynamic section, which is linked statically.
extern "C" {
[[gnu::weak, gnu::visibility("hidden")]] extern void (*__init_array_start[])(int, char**, char**);
[[gnu::weak, gnu::visibility("hidden")]] extern void (*__init_array_end[])(int, char**, char**);
}

namespace coil::detail {
namespace {

using Initializer = void (*)(int, char**, char**);

struct Table {
  Initializer* first = nullptr;
  std::size_t size = 0;
};

long parent = 0;
bool starting = false;
Initializer replaced = nullptr;

// The executable's own.
Table initializers() noexcept {
  Table table;
  ::dl_iterate_phdr(
      [](dl_phdr_info* image, std::size_t, void* to) {
        for (int i = 0; i < image->dlpi_phnum; ++i) {
          if (image->dlpi_phdr[i].p_type != PT_DYNAMIC) continue;
          // NOLINTNEXTLINE(performance-no-int-to-ptr): base and offset, as the linker counts
          auto* entry =
              reinterpret_cast<const ElfW(Dyn)*>(image->dlpi_addr + image->dlpi_phdr[i].p_vaddr);
          for (; entry->d_tag != DT_NULL; ++entry) {
            auto& table = *static_cast<Table*>(to);
            if (entry->d_tag == DT_INIT_ARRAY) {
              // NOLINTNEXTLINE(performance-no-int-to-ptr): the same
              table.first = reinterpret_cast<Initializer*>(image->dlpi_addr + entry->d_un.d_ptr);
            } else if (entry->d_tag == DT_INIT_ARRAYSZ) {
              table.size = entry->d_un.d_val / sizeof(Initializer);
            }
          }
        }
        return 1;  // the first image is the executable
      },
      &table);
  if (table.size == 0 && __init_array_start != nullptr) {
    table.first = __init_array_start;
    table.size = static_cast<std::size_t>(__init_array_end - __init_array_start);
  }
  return table;
}

void run_last(int count, char** arguments, char** environment) {
  replaced(count, arguments, environment);
  starting = false;
  run_worker(parent);
}

[[noreturn]] void give_up(const char* why) noexcept {
  std::fprintf(stderr, "coil: a worker process cannot begin: %s\n", why);
  ::_exit(127);
}

[[gnu::constructor]] void hook(int, char**, char**) {
  const char* value = ::getenv(worker_variable);
  if (value == nullptr) return;
  parent = ::strtol(value, nullptr, 10);
  ::unsetenv(worker_variable);
  const Table table = initializers();
  if (table.size == 0) run_worker(parent);
  Initializer* last = table.first + table.size - 1;
  if (*last == &hook) run_worker(parent);
  // The table is read-only once it has been relocated.
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<std::uintptr_t>(last) / page * page;
  // NOLINTNEXTLINE(performance-no-int-to-ptr): the page of a pointer
  if (::mprotect(reinterpret_cast<void*>(begin), page, PROT_READ | PROT_WRITE) != 0)
    give_up("mprotect of the table of initialisers failed");
  starting = true;
  replaced = *last;
  *last = &run_last;
}

}  // namespace

// Before the hook's own turn it is the variable that says so.
bool worker_is_starting() noexcept { return starting || ::getenv(worker_variable) != nullptr; }

void link_worker_hook() noexcept {}

}  // namespace coil::detail
