#include "message_channel.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace coil::detail {
namespace {

struct Head {
  MessageKind kind;
  std::uint32_t size;  // of all: this, the entries, the body, padding
  std::uint32_t sequence;
  std::uint32_t slot;
  std::uint32_t regions;
  std::uint32_t body;            // bytes here
  std::uint64_t spilled_offset;  // or in the last region
  std::uint64_t spilled_size;
  std::uint64_t unused;
};
static_assert(sizeof(Head) % pack_alignment == 0);

constexpr std::size_t descriptors_max = 64;  // that come with one packet

std::size_t padded(std::size_t size) noexcept {
  return (size + pack_alignment - 1) / pack_alignment * pack_alignment;
}

}  // namespace

MessageChannel::MessageChannel(Descriptor socket)
    : socket_(std::move(socket)), buffer_(new std::byte[packet_max]) {
  static_assert(__STDCPP_DEFAULT_NEW_ALIGNMENT__ >= pack_alignment);
}

void MessageChannel::append(const OutMessage& message) {
  out_entries_.clear();
  Head head{.kind = message.kind,
            .size = 0,
            .sequence = message.sequence,
            .slot = message.slot,
            .regions = 0,
            .body = 0,
            .spilled_offset = 0,
            .spilled_size = 0,
            .unused = 0};
  std::string_view body;
  if (const Packer* content = message.content) {
    sender_.describe(content->regions(), out_entries_, out_descriptors_);
    body = content->bytes();
    head.spilled_offset = content->spilled().offset;
    head.spilled_size = content->spilled().size;
  }
  const std::size_t begin = padded(sizeof head + out_entries_.size() * sizeof(RegionEntry));
  head.regions = static_cast<std::uint32_t>(out_entries_.size());
  head.body = static_cast<std::uint32_t>(body.size());
  head.size = static_cast<std::uint32_t>(padded(begin + body.size()));
  const std::size_t at = out_.size();
  out_.resize(at + head.size);
  std::memcpy(out_.data() + at, &head, sizeof head);
  if (!out_entries_.empty())
    std::memcpy(out_.data() + at + sizeof head, out_entries_.data(),
                out_entries_.size() * sizeof(RegionEntry));
  if (!body.empty()) std::memcpy(out_.data() + at + begin, body.data(), body.size());
}

int MessageChannel::send(std::span<const OutMessage> messages, int flags, int extra) {
  out_.clear();
  out_descriptors_.clear();
  if (extra >= 0) out_descriptors_.push_back(extra);
  const bool regions = std::any_of(messages.begin(), messages.end(), [](const OutMessage& m) {
    return m.content != nullptr && !m.content->regions().empty();
  });
  const RegionSender before = regions ? sender_ : RegionSender();
  for (const auto& message : messages) append(message);

  iovec part{out_.data(), out_.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(descriptors_max * sizeof(int))> control;
  const std::size_t size = out_descriptors_.size() * sizeof(int);
  if (out_descriptors_.size() > descriptors_max) {
    sender_ = before;
    return EMSGSIZE;
  }
  if (size != 0) {
    header.msg_control = control.data();
    header.msg_controllen = CMSG_SPACE(size);
    cmsghdr* rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(size);
    std::memcpy(CMSG_DATA(rights), out_descriptors_.data(), size);
  }
  ssize_t sent = 0;
  do {
    sent = ::sendmsg(socket_.get(), &header, flags | MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  if (sent >= 0) return 0;
  const int error = errno;
  if (regions) sender_ = before;  // the receiver has learned nothing
  return error;
}

MessageChannel::Received MessageChannel::receive(int flags) {
  packet_ = {};
  descriptors_.clear();
  iovec part{buffer_.get(), packet_max};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(descriptors_max * sizeof(int))> control;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  ssize_t size = 0;
  do {
    size = ::recvmsg(socket_.get(), &header, flags | MSG_CMSG_CLOEXEC);
  } while (size < 0 && errno == EINTR);
  if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return Received::Nothing;
  // Its other end died with packets unread.
  if (size == 0 || (size < 0 && errno == ECONNRESET)) return Received::End;
  if (size < 0)
    throw std::system_error(errno, std::generic_category(), "recvmsg between a pool and a worker");
  for (auto* part_of = CMSG_FIRSTHDR(&header); part_of != nullptr;
       part_of = CMSG_NXTHDR(&header, part_of)) {
    if (part_of->cmsg_level != SOL_SOCKET || part_of->cmsg_type != SCM_RIGHTS) continue;
    for (std::size_t at = 0; CMSG_LEN(at + sizeof(int)) <= part_of->cmsg_len; at += sizeof(int)) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(part_of) + at, sizeof fd);
      descriptors_.emplace_back(fd);
    }
  }
  packet_ = {buffer_.get(), static_cast<std::size_t>(size)};
  return Received::Packet;
}

bool MessageChannel::next(InMessage& message) {
  if (packet_.empty()) return false;
  const auto damaged = [] { return PackError("a message between a pool and a worker is damaged"); };
  Head head;
  if (packet_.size() < sizeof head) throw damaged();
  std::memcpy(&head, packet_.data(), sizeof head);
  const std::size_t begin = padded(sizeof head + std::size_t{head.regions} * sizeof(RegionEntry));
  if (head.size > packet_.size() || begin > head.size || head.body > head.size - begin)
    throw damaged();
  message.kind = head.kind;
  message.sequence = head.sequence;
  message.slot = head.slot;
  message.regions.clear();
  for (std::uint32_t i = 0; i < head.regions; ++i) {
    RegionEntry entry;
    std::memcpy(&entry, packet_.data() + sizeof head + i * sizeof entry, sizeof entry);
    message.regions.push_back(receiver_.receive(entry, descriptors_));
  }
  message.body = packet_.subspan(begin, head.body);
  if (head.spilled_size != 0) {
    if (message.regions.empty() || head.spilled_offset > message.regions.back().size() ||
        head.spilled_size > message.regions.back().size() - head.spilled_offset)
      throw damaged();
    message.body = message.regions.back().subspan(head.spilled_offset, head.spilled_size);
  }
  packet_ = packet_.subspan(head.size);
  return true;
}

Descriptor MessageChannel::take_descriptor() noexcept {
  if (descriptors_.empty()) return {};
  Descriptor first = std::move(descriptors_.front());
  descriptors_.erase(descriptors_.begin());
  return first;
}

}  // namespace coil::detail
