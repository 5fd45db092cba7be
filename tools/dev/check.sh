# shellcheck shell=bash disable=SC2154
# ./dev check: each check is a function check_<name>; its output is shown only if it fails.

checks=(format style headers layering tested-names compilers readme install tidy)

own_sources() {
  local extension args=()
  for extension in "$@"; do
    args+=(${args:+-o} -name "*.$extension")
  done
  find core sched executors net testing bench tests tools examples \( "${args[@]}" \) -type f 2>/dev/null |
    sort
}

command_format() {
  ensure_packages "${packages_format[@]}"
  own_sources cpp hpp | xargs clang-format-19 -i
}

check_format() { own_sources cpp hpp | xargs clang-format-19 --dry-run -Werror; }

check_style() { python3 tools/check_style.py; }

check_headers() { python3 tools/check_headers.py; }

check_layering() { python3 tools/check_layering.py build/release; }

check_tested-names() { python3 tools/check_tested_names.py; }

# The refusal of broken compilers is a promise to the user: it must name the reason and the cure.
check_compilers() { tools/check_compilers; }

check_readme() { python3 tools/check_readme.py build/release; }

check_install() { tests/install/run build/release clang++-19; }

# Libraries and examples with everything in .clang-tidy; tests and benches are held to the
# warnings of the compiler.
check_tidy() {
  local files
  mapfile -t files < <(own_sources cpp | grep -E '^(core|sched|executors|net|examples)/')
  run-clang-tidy-19 -p build/release -j "$(nproc)" -quiet "${files[@]/#/^$PWD/}"
}

# run_check NAME: prints its name, time and result, and its output if it failed.
run_check() {
  local name=$1 log=build/check/$1.log start status=0
  start=$(now)
  printf '  %-12s ' "$name"
  "check_$name" >"$log" 2>&1 || status=$?
  if ((status == 0)); then
    printf '%sok%s      %s\n' "$ui_green" "$ui_off" "$(elapsed "$start")"
  else
    printf '%sFAILED%s  %s\n' "$ui_red" "$ui_off" "$(elapsed "$start")"
    tail -n 120 "$log" | sed 's/^/    | /'
  fi
  return "$status"
}

command_check() {
  local name chosen=("$@") failed=()
  if [[ ${1:-} == --list ]]; then
    printf '%s\n' "${checks[@]}"
    return
  fi
  ((${#chosen[@]})) || chosen=("${checks[@]}")
  for name in "${chosen[@]}"; do
    declare -F "check_$name" >/dev/null || fail "there is no check '$name'; there are: ${checks[*]}"
  done
  ensure_packages "${packages_build[@]}" "${packages_check[@]}"
  build release
  mkdir -p build/check
  say "checking"
  for name in "${chosen[@]}"; do
    run_check "$name" || failed+=("$name")
  done
  echo "checks: $((${#chosen[@]} - ${#failed[@]})) passed, ${#failed[@]} failed${failed[*]:+: ${failed[*]}}"
  ((${#failed[@]} == 0))
}
