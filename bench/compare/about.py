"""What the figures were measured on: machine, kernel, compilers, libraries, commit."""

import datetime
import os
import pathlib
import platform
import re
import shutil
import subprocess

import programs

PACKAGES = ("clang-19", "libtbb-dev", "libasio-dev", "libuv1-dev", "golang-go", "rustc",
            "librust-rayon-dev", "librust-tokio-dev", "python3-uvloop", "liburing-dev")
_CPU = pathlib.Path("/sys/devices/system/cpu/cpu0")


def _output(*command):
    environment = programs.debian_first()
    if not shutil.which(command[0], path=environment["PATH"]):
        return None
    done = subprocess.run(command, capture_output=True, text=True, env=environment,
                          cwd=pathlib.Path(__file__).parent)
    return done.stdout.strip() if done.returncode == 0 else None


def _read(path):
    try:
        return pathlib.Path(path).read_text().strip()
    except OSError:
        return None


def _processor():
    match = re.search(r"^model name\s*: (.*)$", _read("/proc/cpuinfo") or "", re.MULTILINE)
    return match[1] if match else platform.machine()


def _caches():
    found = []
    for index in sorted(_CPU.glob("cache/index*")):
        kind = {"Data": "d", "Instruction": "i"}.get(_read(index / "type"), "")
        found.append(f"L{_read(index / 'level')}{kind} {_read(index / 'size')}")
    return ", ".join(found)


def _packages():
    versions = {}
    for package in PACKAGES:
        text = _output("dpkg-query", "-W", "-f=${db:Status-Status} ${Version}", package)
        if text and text.startswith("installed "):
            versions[package] = text.split()[1]
    return versions


def collect():
    commit = _output("git", "rev-parse", "--short=12", "HEAD")
    if commit and _output("git", "status", "--porcelain", "--untracked-files=no"):
        commit += " with changes"
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="minutes"),
        "commit": commit,
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "caches": _caches(),
        "virtual": "hypervisor" in (_read("/proc/cpuinfo") or ""),
        "governor": _read(_CPU / "cpufreq/scaling_governor"),
        "kernel": platform.release(),
        "go": (_output("go", "version") or "").removeprefix("go version ") or None,
        "rustc": _output("rustc", "--version"),
        "python": platform.python_version(),
        "packages": _packages(),
    }


def lines(about):
    """As lines of Markdown."""
    governor = about["governor"] or "none to be seen"
    packages = ", ".join(f"{name} {version}" for name, version in about["packages"].items())
    return [
        f"- {about['processor']}, {about['cores']} cores" + (", virtual" if about["virtual"] else "")
        + f"; caches: {about['caches']}; governor: {governor}",
        f"- Linux {about['kernel']}",
        f"- {packages}" + "".join(f"; {about[name]}" for name in ("go", "rustc") if about[name]),
        f"- commit {about['commit']}, {about['date']}",
    ]
