"""What `./dev bench compare` runs: workload by workload, who takes part, at which size, in which unit.

A size is what a program's --size takes. `own_sizes` is for contenders that would need minutes at the
size of the others: the figure per operation is compared all the same, peak memory is not.
"""

import dataclasses

SIZES = ("full", "small", "tiny")


@dataclasses.dataclass(frozen=True)
class Workload:
    name: str
    about: str
    contenders: tuple
    sizes: dict  # by the names of SIZES
    unit: str  # of the figure that is compared: ns, µs or ms per what
    rival: str  # the contender to whom ratios are given, beside `serial`
    cases: tuple = ("",)
    baseline: str = "serial"
    own_sizes: dict = dataclasses.field(default_factory=dict)
    threads_max: int = 1024
    one_thread: tuple = ("serial",)  # contenders that know no second thread
    measure: str = "wall_s"  # or cpu_s: what is divided by the operations
    driver: str = ""  # a script beside this one that runs the contender's program, on all cores

    @property
    def scale(self):
        return {"ns": 1e9, "µs": 1e6, "ms": 1e3}[self.unit.split()[0]]

    def size(self, contender, which):
        return self.own_sizes.get(contender, self.sizes)[which]

    def threads(self, contender, wanted):
        if contender in self.one_thread:
            return [1]
        return [count for count in wanted if count <= self.threads_max]


def _sizes(*sizes):
    return dict(zip(SIZES, sizes))


ALL = (
    Workload("fib", "Fibonacci numbers, each call forks its two", ("coil", "serial", "onetbb", "rayon", "go"), _sizes(38, 30, 12),
             "ns per call", "onetbb", own_sizes={"go": _sizes(30, 25, 12)}),
    Workload("skynet", "The leaves of a tree summed, each node forks its ten children",
             ("coil", "serial", "onetbb", "rayon", "go"), _sizes(10**8, 10**6, 100), "ns per task", "onetbb",
             own_sizes={"go": _sizes(10**6, 10**5, 100)}),
    Workload("nqueens", "Queens on a board, each that can be placed is forked", ("coil", "serial", "onetbb", "rayon"), _sizes(13, 10, 6),
             "ms", "onetbb"),
    Workload("matmul", "Square matrices of doubles by quarters, down to one kernel for 64 x 64",
             ("coil", "serial", "onetbb"), _sizes(1024, 256, 128), "ms", "onetbb"),
    Workload("fork_join", "One fork of one or two children that do nothing; with a second thread, "
             "that one is always hungry", ("coil", "serial", "onetbb"),
             _sizes(10**7, 10**6, 10**3), "ns per fork", "onetbb", cases=("one", "two"),
             threads_max=2),
    Workload("channel", "A bounded queue of 128 places or one, between one producer and one consumer",
             ("coil", "serial", "asio", "go", "tokio", "uvloop"), _sizes(10**7, 10**5, 10**3),
             "ns per item", "go", cases=("128", "1"), threads_max=2,
             own_sizes={"uvloop": _sizes(10**6, 10**4, 10**2)}, one_thread=("serial", "uvloop")),
    Workload("timers", "Timers armed and cancelled, none fires, a turn of the loop included; "
             "arm_cancel: one at a time beside so many live ones",
             ("coil", "serial", "asio", "libuv", "go", "tokio", "uvloop"),
             _sizes(10**6, 10**5, 10**3), "ns per timer", "libuv",
             cases=("arm", "cancel", "arm_cancel"), threads_max=1,
             own_sizes={"uvloop": _sizes(10**5, 10**4, 10**2)}),
    Workload("pipeline", "Requests of 4 KiB over 64 TCP connections, each with some microseconds of "
             "computing, every 16th with 64 times as much; client and server in one process",
             ("coil", "serial", "asio", "go", "tokio"), _sizes(20_000, 2_000, 256),
             "µs per request", "tokio"),
    Workload("echo", "A TCP round trip of 64 bytes, connections or connections x pipelined; the "
             "server's CPU time on one core (bench/echo/README.md)",
             ("coil", "raw", "asio", "libuv", "go", "tokio", "uvloop"), _sizes(2_000, 500, 100),
             "µs per request", "tokio", cases=("64", "1000", "64x16", "1"), baseline="raw",
             threads_max=1, measure="cpu_s", driver="echo.py"),
)


def by_name(names=None):
    """The workloads named, or all; SystemExit for a name that is none."""
    known = {workload.name: workload for workload in ALL}
    for name in names or ():
        if name not in known:
            raise SystemExit(f"there is no workload '{name}'; there are: {', '.join(known)}")
    return [known[name] for name in names or known]
