# shellcheck shell=bash disable=SC2119,SC2120,SC2154
# The commands that run what was built: demo, test, sanitize, model, bench, ci.

command_demo() {
  ensure_packages "${packages_build[@]}"
  build release digest_server
  say "running the demo: digest_server $*"
  local program=$PWD/build/release/examples/digest_server/digest_server
  cd "$caller_directory" || return
  exec "$program" "$@"
}

# Runs ctest and keeps its summary for the last line, below the list of what failed.
run_ctest() {
  local preset=$1
  shift
  say "running the tests (preset $preset)"
  ctest --test-dir "build/$preset" --output-on-failure --no-tests=error --timeout 600 \
    --parallel "$(nproc)" "$@" 2>&1 |
    awk '/tests passed, [0-9]+ tests failed out of/ { summary = $0; next }
         { print; fflush() }
         END { if (summary) print summary }'
  return "${PIPESTATUS[0]}"
}

command_test() {
  local preset=release
  if [[ ${1:-} == --vm ]]; then
    shift
    command_test_vm "$@"
    return
  fi
  if is_preset "${1:-}"; then
    preset=$1
    shift
  fi
  ensure_packages "${packages_build[@]}"
  build "$preset"
  run_ctest "$preset" "$@"
}

command_sanitize() {
  local preset chosen=(asan tsan) failed=()
  if [[ ${1:-} == asan || ${1:-} == tsan ]]; then
    chosen=("$1")
    shift
  fi
  ensure_packages "${packages_build[@]}"
  for preset in "${chosen[@]}"; do
    build "$preset"
    run_ctest "$preset" "$@" || failed+=("$preset")
  done
  ((${#failed[@]} == 0)) || fail "failed with: ${failed[*]}"
}

command_model() {
  ensure_packages "${packages_build[@]}"
  [[ -f tests/model/CMakeLists.txt ]] || fail "there are no models: tests/model is missing"
  build release coil_models
  build/release/tests/model/coil_models "$@"
}

bench_names() {
  printf '%s\n' micro check
  local script
  for script in bench/*/run.py; do
    [[ -f $script ]] && basename "$(dirname "$script")"
  done
}

command_bench() {
  local name=${1:-}
  if [[ -z $name ]]; then
    echo "benches (./dev bench NAME [arguments]):"
    bench_names | sed 's/^/  /'
    return
  fi
  shift
  grep -qxF -- "$name" <(bench_names) || fail "there is no bench '$name'; there are: $(bench_names | xargs)"
  ensure_packages "${packages_build[@]}"
  mkdir -p build/bench
  case $name in
    micro) bench_micro "$@" ;;
    check) bench_check "$@" ;;
    compare) bench_compare "$@" ;;
    *) bench_workload "$name" "$@" ;;
  esac
}

bench_micro() {
  build release coil_bench_micro
  build/release/bench/coil_bench_micro --benchmark_out=build/bench/micro.json \
    --benchmark_out_format=json --benchmark_counters_tabular=true "$@"
  say "JSON: build/bench/micro.json"
}

bench_check() {
  build release coil_bench_instructions
  COIL_BENCH_BIN=$PWD/build/release/bench python3 bench/instructions/check.py "$@"
}

# A workload's run.py finds its programs in $COIL_BENCH_BIN and writes its JSON to $COIL_BENCH_OUT.
bench_workload() {
  local name=$1
  shift
  build release "bench/$name/all"
  COIL_BENCH_BIN=$PWD/build/release/bench/$name COIL_BENCH_OUT=$PWD/build/bench \
    python3 "bench/$name/run.py" "$@"
}

# The others are wanted here and nowhere else, and one that can't be had is left out, with a note.
bench_compare() {
  if (ensure_packages "${packages_bench[@]}"); then
    # A library that came since build/release was configured.
    configure release
    grep -q coil_bench_timers_libuv build/release/build.ninja || reconfigure release
  else
    say "some contenders can't be installed: going on without them"
  fi
  build release coil_bench_compare bench/echo/all
  # Debian's own Python sees Debian's packages; one that comes before it on the path may not.
  local python=/usr/bin/python3
  [[ -x $python ]] || python=python3
  COIL_BENCH_BIN=$PWD/build/release/bench "$python" bench/compare/run.py "$@"
}

# The sanitizers cost a second build of everything; skip them when the rest took long.
command_ci() {
  command_test
  command_check
  command_bench check
  if ((SECONDS < 900)); then
    command_sanitize asan -L unit
  else
    say "no time left for the sanitizers ($SECONDS s): ./dev sanitize"
  fi
}
