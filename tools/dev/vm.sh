# shellcheck shell=bash disable=SC2154
# ./dev test --vm: the suites that talk to the kernel, on the oldest kernel that Coil promises
# (Debian 12's own, unpacked, not installed) and on a machine with two NUMA nodes: an emulated
# one. No KVM is needed; it is some 20 times slower than a real one, hence the scaled time limits.
#
# Passed means: each suite said on the console that it ended well. Silence, a panic and the limit
# are failures.

vm_kernel_package=linux-image-cloud-amd64
vm_kernel_release=6.1.
vm_limit_s=${COIL_VM_LIMIT_S:-1200}
vm_suites=(sched net)

# vm_kernel: build/vm/vmlinuz, taken out of Debian's package.
vm_kernel() {
  [[ -s build/vm/vmlinuz ]] && return
  command -v apt-get >/dev/null || fail "test --vm takes its kernel from Debian 12, with apt-get"
  say "fetching the kernel ($vm_kernel_package)"
  vm_download_kernel || { vm_update_lists && vm_download_kernel; } ||
    fail "no kernel $vm_kernel_release from $vm_kernel_package (above): no Debian 12, or no network?"
  dpkg --fsys-tarfile build/vm/package/*.deb |
    tar -xO --wildcards './boot/vmlinuz-*' >build/vm/vmlinuz.new
  mv build/vm/vmlinuz.new build/vm/vmlinuz
  rm -rf build/vm/package
}

vm_download_kernel() {
  local package
  package=$(apt-cache depends "$vm_kernel_package" 2>/dev/null |
    awk '$1 == "Depends:" { print $2; exit }')
  [[ $package == linux-image-$vm_kernel_release* ]] || return
  rm -rf build/vm/package
  mkdir -p build/vm/package
  (cd build/vm/package && apt-get -qq -o APT::Sandbox::User=root download "$package")
}

vm_update_lists() {
  local as_root=()
  ((EUID == 0)) || as_root=(sudo)
  "${as_root[@]}" apt-get -qq update
}

# vm_add PROGRAM: into build/vm/tree/bin, without debug information, and the shared libraries
# that it needs where they lie here.
vm_add() {
  llvm-strip-19 --strip-debug -o "build/vm/tree/bin/$(basename "$1")" "$1"
  ldd "$1" | grep -o '/[^ ]*' | xargs cp --parents -Lut build/vm/tree
}

# vm_initramfs FILTER: build/vm/tree with busybox, the suites and what to run of them.
vm_initramfs() {
  local root=build/vm/tree suite
  rm -rf "$root"
  mkdir -p "$root"/{bin,dev,proc,sys,tmp,etc}
  cp tools/vm/init "$root/init"
  cp "$(command -v busybox)" "$root/bin/busybox"
  echo '127.0.0.1 localhost' >"$root/etc/hosts"
  for suite in "${vm_suites[@]}"; do
    vm_add "build/release/tests/coil_${suite}_tests"
    # The placement of memory must be shown here: one node would not do.
    echo "$suite env COIL_TEST_TIME_SCALE=20 COIL_TEST_NODES=2 /bin/coil_${suite}_tests" \
      "--gtest_color=no --gtest_filter=$1"
  done >"$root/plan"
  (cd "$root" && find . | cpio --quiet -o -H newc) >build/vm/initramfs
}

# Two sockets of two processors, each with its own memory, 2.1 times as far from the other's.
# Memory stays where it was first touched: the kernel is told not to move it after its users.
vm_boot() {
  local machine=(
    -accel "tcg,thread=multi" -machine q35 -cpu max -smp "4,sockets=2,cores=2,threads=1"
    -m 2G
    -object "memory-backend-ram,id=m0,size=1G" -object "memory-backend-ram,id=m1,size=1G"
    -numa "node,nodeid=0,memdev=m0,cpus=0-1" -numa "node,nodeid=1,memdev=m1,cpus=2-3"
    -numa "dist,src=0,dst=1,val=21"
    -nodefaults -no-reboot -display none -serial stdio
    -kernel build/vm/vmlinuz -initrd build/vm/initramfs
    -append "console=ttyS0 quiet panic=-1 numa_balancing=disable"
  )
  timeout --foreground "$vm_limit_s" qemu-system-x86_64 "${machine[@]}" </dev/null 2>&1
}

# What the console says, as it comes: suites, tests that fail, how many passed; on a terminal the
# rest too, as one moving line. The whole goes to the file $1.
vm_progress() {
  local tty=0
  [[ -t 1 ]] && tty=1
  awk -v log_file="$1" -v tty="$tty" '
    { sub(/\r$/, ""); print > log_file; fflush(log_file) }
    /^vm:/ || /^\[  (FAILED|PASSED)/ || /^\[  SKIPPED \] [0-9]+ test/ || /^watchdog/ ||
      (/: Failure/ && ++failures <= 20) || /Kernel panic|BUG: |Oops/ || /^qemu-/ {
      if (tty) printf "\r\033[K"
      print "    " $0; fflush(); next
    }
    tty { printf "\r\033[K    %.90s", $0; fflush(); next }
    /^\[       OK/ && ++passed % 50 == 0 { print "    " passed " tests passed"; fflush() }
    END { if (tty) printf "\r\033[K" }'
}

# vm_verdict LOG: what is missing in it, or nothing.
vm_verdict() {
  local suite
  if grep -qE 'Kernel panic|BUG: |Oops' "$1"; then echo "the kernel complained"; fi
  grep -q "^vm: kernel $vm_kernel_release" "$1" || echo "it is not Linux $vm_kernel_release"
  for suite in "${vm_suites[@]}"; do
    if ! grep -qx "vm: end $suite 0" "$1"; then
      echo "$suite: $(grep -x "vm: end $suite [0-9]*" "$1" || echo "no verdict")"
    fi
  done
  grep -qx 'vm: done' "$1" || echo "the machine did not come to its end"
}

# vm_failures LOG: what the tests that failed said, and how it all ended.
vm_failures() {
  awk '/^\[ RUN/ { test = "" }
       { test = test $0 "\n" }
       /^\[  FAILED  \].* ms\)/ { printf "%s", test }' "$1" | head -n 100
  echo '...'
  tail -n 20 "$1"
}

# command_test_vm [FILTER]: as gtest's, '*' if there is none.
command_test_vm() {
  local log=build/vm/console.log start problems targets=() suite
  [[ $(uname -m) == x86_64 ]] || fail "test --vm emulates x86-64, and its programs are built here"
  for suite in "${vm_suites[@]}"; do targets+=("coil_${suite}_tests"); done
  ensure_packages "${packages_build[@]}" "${packages_vm[@]}"
  build release "${targets[@]}"
  mkdir -p build/vm
  vm_kernel
  vm_initramfs "${1:-*}"
  say "booting the virtual machine (at most $vm_limit_s s; all it says: $log)"
  start=$(now)
  vm_boot | vm_progress "$log" || true # the log says how it ended
  problems=$(vm_verdict "$log")
  if [[ -n $problems ]]; then
    vm_failures "$log" | sed 's/^/    | /' || true
    fail "in the virtual machine, after $(elapsed "$start"): $problems"
  fi
  say "${vm_suites[*]}: passed on $(sed -n 's/^vm: kernel/Linux/p' "$log") in $(elapsed "$start")"
}
