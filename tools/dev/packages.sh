# shellcheck shell=bash disable=SC2034
# Which Debian packages a command needs, and installing those that are missing.

packages_build=(
  clang-19 lld-19 llvm-19 libclang-rt-19-dev cmake ninja-build ccache pkg-config
  liburing-dev libhwloc-dev libtbb-dev libjemalloc-dev libssl-dev libfmt-dev libcli11-dev
  libgtest-dev libgmock-dev libbenchmark-dev libcereal-dev libasio-dev nlohmann-json3-dev
  libzstd-dev libsqlite3-dev python3 python3-trio valgrind
)
# Only for ./dev bench compare: the contenders, and what draws the picture.
packages_bench=(
  libuv1-dev golang-go cargo rustc librust-tokio-dev librust-rayon-dev librust-libc-dev
  python3-uvloop python3-matplotlib
)
packages_format=(clang-format-19)
packages_vm=(qemu-system-x86 busybox-static cpio)  # ./dev test --vm only
packages_check=(clang-tidy-19 g++-12 "${packages_format[@]}")
tools_build=(clang++-19 cmake ninja pkg-config python3)

package_installed() {
  [[ $(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

# ensure_packages NAME...
ensure_packages() {
  if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    ensure_tools_without_apt "$@"
    return
  fi
  local package missing=()
  for package in "$@"; do
    package_installed "$package" || missing+=("$package")
  done
  if ((${#missing[@]})); then
    install_packages "${missing[@]}"
  fi
}

# Not Debian: we cannot install, but the tools may be there.
ensure_tools_without_apt() {
  local tool missing=()
  for tool in "${tools_build[@]}"; do
    command -v "$tool" >/dev/null || missing+=("$tool")
  done
  if ((${#missing[@]})); then
    fail "this is no Debian system (no apt-get), and these tools are missing: ${missing[*]}
     Install what corresponds to these Debian 12 packages: $*
     BUILD.md says how to build by hand."
  fi
}

install_packages() {
  local as_root=() log
  if ((EUID != 0)); then
    command -v sudo >/dev/null ||
      fail "packages are missing, and installing them needs root or sudo. As root: apt-get install $*"
    as_root=(sudo)
  fi
  log=$(mktemp)
  say "installing with apt-get: $*"
  apt_quietly "$log" "${as_root[@]}" apt-get update ||
    package_failure "$log" "apt-get update failed" "$@"
  apt_quietly "$log" "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y \
    --no-install-recommends "$@" ||
    package_failure "$log" "apt-get install failed" "$@"
  rm -f "$log"
}

# apt_quietly LOG COMMAND...: the command's output as progress, its exit status as ours.
apt_quietly() {
  local log=$1
  shift
  "$@" </dev/null 2>&1 | progress_filter "$log"
  return "${PIPESTATUS[0]}"
}

package_failure() {
  local log=$1 what=$2
  shift 2
  tail -n 8 "$log" >&2
  fail "$what (above). Is there a network, and are Debian 12's sources set up?
     Needed: $*"
}
