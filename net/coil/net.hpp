// Everything of Coil's sockets and streams.
#pragma once

#include <coil/address.hpp>
#include <coil/open_connection.hpp>
#include <coil/server.hpp>
#include <coil/socket.hpp>
#include <coil/stream.hpp>
#include <coil/stream_errors.hpp>
