# shellcheck shell=bash disable=SC2154
# Configuring and building below build/<preset>.

presets=(release debug asan tsan)

is_preset() { [[ " ${presets[*]} " == *" ${1:-none} "* ]]; }

# configure PRESET: only when there is no build directory, or the presets changed since.
configure() {
  if [[ -f build/$1/build.ninja && ! CMakePresets.json -nt build/$1/build.ninja ]]; then
    return
  fi
  reconfigure "$1"
}

reconfigure() {
  local preset=$1 log=build/$1.configure.log
  say "configuring build/$preset"
  mkdir -p build
  if ! cmake --preset "$preset" >"$log" 2>&1; then
    cat "$log" >&2
    fail "configuring preset $preset failed (above)"
  fi
}

# build PRESET [TARGET...]
build() {
  local preset=$1
  shift
  configure "$preset"
  say "building ${*:-everything} (preset $preset)"
  NINJA_STATUS='[%f/%t %es] ' cmake --build "build/$preset" -j "$(nproc)" ${1:+--target "$@"} ||
    fail "building preset $preset failed (above)"
}

command_build() {
  is_preset "${1:-}" || fail "usage: ./dev build PRESET [TARGET...]; presets: ${presets[*]}"
  ensure_packages "${packages_build[@]}"
  build "$@"
}
