#include "corpus.hpp"

#include <algorithm>
#include <atomic>
#include <fstream>
#include <string_view>
#include <system_error>
#include <utility>

namespace demo {
namespace {

namespace fs = std::filesystem;

struct Candidate {
  std::string path;
  std::size_t size = 0;
};

class Walk {
 public:
  coil::Coro<> visit(const fs::path& root) {
    std::error_code error;
    fs::recursive_directory_iterator entry(root, fs::directory_options::skip_permission_denied,
                                           error);
    for (std::size_t seen = 1; !error && entry != fs::recursive_directory_iterator(); ++seen) {
      consider(*entry);
      entry.increment(error);
      if (seen % 256 == 0) co_await coil::checkpoint();
    }
    if (error) ++unreadable;  // a directory went away below us, with the rest of this root
  }

  std::vector<Candidate> found;
  std::size_t unreadable = 0;

 private:
  void consider(const fs::directory_entry& entry) {
    std::error_code error;
    if (!fs::is_regular_file(entry.symlink_status(error))) return;
    const auto size = entry.file_size(error);
    if (error) {
      ++unreadable;
    } else {
      found.push_back({entry.path().string(), static_cast<std::size_t>(size)});
    }
  }
};

// Sorted, each once (roots may overlap), and no more than fits.
std::vector<Candidate> choose(std::vector<Candidate> found, std::size_t bytes_max, Corpus& corpus) {
  std::ranges::sort(found, {}, &Candidate::path);
  const auto twice = std::ranges::unique(found, {}, &Candidate::path);
  found.erase(twice.begin(), twice.end());
  std::size_t bytes = 0;
  std::erase_if(found, [&](const Candidate& candidate) {
    if (candidate.size > file_size_max || candidate.size > bytes_max - bytes) {
      ++corpus.too_large;
      return true;
    }
    bytes += candidate.size;
    return false;
  });
  return found;
}

// Reads as much as the walk saw: a file that grows meanwhile does not exceed the memory. The
// content goes behind room for the request's head, which is not known yet.
bool read_file(const Candidate& candidate, File& file) {
  std::ifstream stream(candidate.path, std::ios::binary);
  if (!stream) return false;
  file.request.resize(request_head_size + candidate.size);
  stream.read(file.request.data() + request_head_size,
              static_cast<std::streamsize>(candidate.size));
  if (stream.bad()) return false;
  file.request.resize(request_head_size + static_cast<std::size_t>(stream.gcount()));
  file.path = candidate.path;
  return true;
}

void finish_requests(Corpus& corpus) {
  for (std::size_t i = 0; i < corpus.files.size(); ++i) {
    File& file = corpus.files[i];
    std::ranges::copy(encode(RequestHead{.id = i, .file_size = file.size()}), file.request.begin());
    corpus.bytes += file.size();
  }
}

struct Loading {
  const std::vector<Candidate>& candidates;
  std::vector<File>& files;  // a slot for each candidate; its path stays empty if unreadable
  std::atomic<std::size_t> next{0};
};

coil::Coro<> load_some(Loading& loading) {
  for (;;) {
    const std::size_t i = loading.next.fetch_add(1, std::memory_order_relaxed);
    if (i >= loading.candidates.size()) co_return;
    File& file = loading.files[i];
    if (read_file(loading.candidates[i], file)) {
      file.expected = reference_digest(std::string_view(file.request).substr(request_head_size));
    } else {
      file = {};
    }
    co_await coil::checkpoint();
  }
}

}  // namespace

coil::Coro<Corpus> load_corpus(std::vector<fs::path> roots, std::size_t bytes_max,
                               std::size_t loops) {
  Corpus corpus;
  Walk walk;
  for (const auto& root : roots) co_await walk.visit(root);
  const auto candidates = choose(std::move(walk.found), bytes_max, corpus);

  corpus.files.resize(candidates.size());
  Loading loading{.candidates = candidates, .files = corpus.files};
  co_await coil::with_task_group([&](coil::TaskGroup& group) -> coil::Coro<> {
    for (std::size_t i = 0; i < loops; ++i) (void)group.create_task(load_some(loading));
    co_return;
  });

  const auto removed =
      std::erase_if(corpus.files, [](const File& file) { return file.path.empty(); });
  corpus.unreadable = walk.unreadable + removed;
  finish_requests(corpus);
  co_return corpus;
}

}  // namespace demo
