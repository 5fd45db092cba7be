// An object with dynamic initialisation in a file of its own, for process_hook_test.cpp.
#include <unistd.h>

#include <string>

namespace process_globals {

std::string text_of_another_file();

namespace {
const std::string text = "made by " + std::to_string(::getpid());
}

std::string text_of_another_file() { return text; }

}  // namespace process_globals
