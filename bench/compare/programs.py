"""Where the contenders' programs are, and building those that CMake does not: Go, Rust, uvloop.

Everything is built below one folder, offline: Go's programs have no dependencies, Tokio and
rayon come as source from Debian's packages. A contender that cannot be built is left out, with a note.
"""

import os
import pathlib
import shutil
import subprocess
import sys

BENCH = pathlib.Path(__file__).resolve().parent.parent
PREFIX = "coil_bench_"
RUST_SOURCES = pathlib.Path("/usr/share/cargo/registry")
RUST_RELEASE = "opt-level = 3\nlto = \"thin\"\npanic = \"abort\"\n"


def find(directories, workload, contender):
    """The program's path, or None. The newest, if there are several."""
    name = f"{PREFIX}{workload}_{contender}"
    hits = [path for directory in directories for path in pathlib.Path(directory).rglob(name)
            if path.is_file() and os.access(path, os.X_OK)]
    return max(hits, key=lambda path: path.stat().st_mtime, default=None)


def build_all(workloads, contenders, out):
    """Builds below `out`; gives the notes on what could not be built."""
    builders = {"go": _build_go, "rayon": _build_rust("rayon", "[]"),
                "tokio": _build_rust("tokio", '["full"]'), "uvloop": _link_uvloop}
    notes = []
    out.mkdir(parents=True, exist_ok=True)
    for contender, builder in builders.items():
        mine = [workload.name for workload in workloads
                if contender in workload.contenders and contender in contenders]
        if mine:
            print(f"  building {contender}: {', '.join(mine)}", file=sys.stderr, flush=True)
        problem = builder(mine, out) if mine else None
        if problem:
            notes.append(f"no {contender}: {problem}")
            for program in out.glob(f"{PREFIX}*_{contender}"):  # of an earlier time
                program.unlink()
    return notes


def debian_first():
    """The environment, with Debian's own compilers before others that may be on the path."""
    return {**os.environ, "PATH": f"/usr/bin:{os.environ.get('PATH', '')}"}


def _run(command, **options):
    """None, or the line that says what went wrong."""
    done = subprocess.run(command, capture_output=True, text=True, **options)
    lines = (done.stderr.strip() or done.stdout.strip() or "it failed").splitlines()
    errors = [line for line in lines if line.startswith("error")]
    return None if done.returncode == 0 else (errors or lines[-1:])[0]


def _build_go(names, out):
    environment = debian_first()
    go = shutil.which("go", path=environment["PATH"])
    if not go:
        return "go is not installed (Debian: golang-go)"
    caches = out.parent / "go"
    environment |= {"GOCACHE": str(caches / "cache"), "GOPATH": str(caches / "path"),
                    "GOFLAGS": "-mod=mod", "GOPROXY": "off", "GO111MODULE": "on"}
    for name in names:
        problem = _run([go, "build", "-o", out / f"{PREFIX}{name}_go", f"./{name}/go"], cwd=BENCH,
                       env=environment)
        if problem:
            return f"{name}: {problem}"
    return None


def _build_rust(crate, features):
    return lambda names, out: _build_crate(crate, features, names, out)


def _build_crate(crate, features, names, out):
    environment = debian_first()
    cargo = shutil.which("cargo", path=environment["PATH"])
    if not cargo:
        return "cargo is not installed (Debian: cargo)"
    if not any(RUST_SOURCES.glob(f"{crate}-1.*")):
        return f"no {crate} in {RUST_SOURCES} (Debian: librust-{crate}-dev)"
    package = out.parent / crate
    environment |= {"CARGO_HOME": str(package / "home"), "CARGO_TARGET_DIR": str(package / "target")}
    package.mkdir(parents=True, exist_ok=True)
    # Written here because cargo puts its lock file beside it.
    (package / "Cargo.toml").write_text(
        '[package]\nname = "coil-bench"\nversion = "0.0.0"\nedition = "2021"\n\n'
        f'[dependencies]\n{crate} = {{ version = "1", features = {features} }}\nlibc = "0.2"\n\n'
        f"[profile.release]\n{RUST_RELEASE}"
        + "".join(f'\n[[bin]]\nname = "{PREFIX}{name}_{crate}"\n'
                  f'path = "{BENCH / name / crate / "main.rs"}"\n' for name in names))
    problem = _run([cargo, "build", "--release", "--offline", "--quiet",
                    "--config", 'source.crates-io.replace-with="debian"',
                    "--config", f'source.debian.directory="{RUST_SOURCES}"'],
                   cwd=package, env=environment)
    if problem:
        return problem
    for name in names:
        shutil.copy2(package / "target" / "release" / f"{PREFIX}{name}_{crate}", out)
    return None


def _link_uvloop(names, out):
    """Scripts, so a link with a program's name is all there is to build."""
    if _run(["/usr/bin/python3", "-c", "import uvloop"]):
        return "uvloop is not installed (Debian: python3-uvloop)"
    for name in names:
        link = out / f"{PREFIX}{name}_uvloop"
        link.unlink(missing_ok=True)
        link.symlink_to(BENCH / name / "uvloop" / "main.py")
    return None
