// Messages between a pool and one of its worker processes, over a socket that keeps their bounds.
//
// Invariant: a packet is at most packet_max bytes long; what does not fit lies in shared regions.
// Whatever a packet's bytes are, reading it gives messages or throws.
#pragma once

#include <coil/detail/packer.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "descriptor.hpp"
#include "shared_region.hpp"

namespace coil::detail {

enum class MessageKind : std::uint32_t {
  Welcome,            // to the worker, first: the control page, the initializer
  Call,               // place of the function, arguments
  Hello,              // from the worker, once it can be called: build id
  InitializerFailed,  // type, text
  Result,             // value
  Error,              // type, text: what the function has thrown
  Refused,            // text: why the call cannot be made
};

struct OutMessage {
  MessageKind kind;
  std::uint32_t sequence = 0;
  std::uint32_t slot = 0;
  const Packer* content = nullptr;
};

struct InMessage {
  MessageKind kind{};
  std::uint32_t sequence = 0;
  std::uint32_t slot = 0;
  std::vector<std::span<const std::byte>> regions;
  std::span<const std::byte> body;

  [[nodiscard]] Unpacker unpack() const noexcept { return Unpacker(body, regions); }
};

class MessageChannel {
 public:
  static constexpr std::size_t packet_max = std::size_t{128} << 10;
  // More of a message's own bytes go to a region: Packer::spill_above.
  static constexpr std::size_t body_max = std::size_t{96} << 10;

  explicit MessageChannel(Descriptor socket);

  [[nodiscard]] int descriptor() const noexcept { return socket_.get(); }
  // All in one packet. 0, or the error; then nothing was sent.
  [[nodiscard]] int send(std::span<const OutMessage> messages, int flags, int extra = -1);

  enum class Received { Packet, Nothing, End };
  // The next packet. Nothing: there is none now (MSG_DONTWAIT). Throws std::system_error.
  [[nodiscard]] Received receive(int flags);
  // The packet's next message; its spans end with the next receive(). Throws PackError.
  [[nodiscard]] bool next(InMessage& message);
  // One that came with the packet; empty if there is none.
  [[nodiscard]] Descriptor take_descriptor() noexcept;

 private:
  void append(const OutMessage& message);

  Descriptor socket_;
  RegionSender sender_;
  RegionReceiver receiver_;
  std::string out_;
  std::vector<RegionEntry> out_entries_;
  std::vector<int> out_descriptors_;
  std::unique_ptr<std::byte[]> buffer_;
  std::span<const std::byte> packet_;  // what is left of it
  std::vector<Descriptor> descriptors_;
};

}  // namespace coil::detail
