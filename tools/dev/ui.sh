# shellcheck shell=bash disable=SC2034
# What ./dev says: one line per step, coloured only on a terminal.

if [[ -t 1 && ${TERM:-dumb} != dumb && -z ${NO_COLOR:-} ]]; then
  ui_bold=$'\e[1m' ui_green=$'\e[32m' ui_red=$'\e[31m' ui_off=$'\e[0m'
else
  ui_bold='' ui_green='' ui_red='' ui_off=''
fi

say() { printf '%s==>%s %s\n' "$ui_bold" "$ui_off" "$*"; }

fail() {
  printf '%sdev: %s%s\n' "$ui_red" "$*" "$ui_off" >&2
  exit 1
}

# Shows a long output as one moving line on a terminal, and as every 40th line elsewhere.
# The whole goes to the file $1.
progress_filter() {
  local tty=0
  [[ -t 1 ]] && tty=1
  awk -v log_file="$1" -v tty="$tty" '
    { print > log_file; fflush(log_file) }
    tty { printf "\r\033[K    %.90s", $0; fflush(); next }
    NR % 40 == 1 { printf "    %.90s\n", $0; fflush() }
    END { if (tty) printf "\r\033[K" }'
}

# Seconds since the epoch, with tenths; and the difference to an earlier one.
now() { printf '%.1f' "$EPOCHREALTIME"; }
elapsed() { awk -v a="$1" -v b="$(now)" 'BEGIN { printf "%.1fs", b - a }'; }
