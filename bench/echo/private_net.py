"""A network of the benchmark's own, so that the machine's settings do not get into the figures.

The program starts itself anew inside a fresh network namespace, brings its loopback device up, and
sets the congestion control there: the default of the machine (BBR on some) can cost a tenth.
"""

import fcntl
import os
import shutil
import socket
import struct
import subprocess
import sys

_MARK = "COIL_BENCH_PRIVATE_NET"
_CONGESTION = "/proc/sys/net/ipv4/tcp_congestion_control"
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 1


def congestion_control():
    with open(_CONGESTION) as file:
        return file.read().strip()


def enter(algorithm="reno"):
    """Returns (private, notes). Inside the namespace it is the second call that returns."""
    if os.environ.get(_MARK):
        return _set_up(algorithm)
    unshare = shutil.which("unshare")
    for flags in (["-n"], ["-r", "-n"]):
        probe = [unshare or "false", *flags, "true"]
        if unshare and subprocess.run(probe, capture_output=True).returncode == 0:
            os.environ[_MARK] = "1"
            sys.stdout.flush()
            os.execv(unshare, [unshare, *flags, "--", sys.executable, *sys.argv])
    return False, [f"no private network namespace here: measured on the machine's own loopback, "
                   f"congestion control {congestion_control()}"]


def _set_up(algorithm):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sh22x", b"lo", 0)
        flags = struct.unpack("16sh22x", fcntl.ioctl(any_socket, _SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", flags | _IFF_UP))
    notes = []
    try:
        with open(_CONGESTION, "w") as file:
            file.write(algorithm)
    except OSError as error:
        notes.append(f"congestion control stays {congestion_control()}: {error.strerror}")
    return True, notes
