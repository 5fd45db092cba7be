"""What the Python side of a scenario is written with; scenario.hpp is its twin.

A scenario is a function that logs what happens. Its decorator says where its twin must log the
same: on one loop line by line, or on any number of loops.
"""

import dataclasses
import inspect
import typing

ONE, ANY = "one", "any"


@dataclasses.dataclass
class Scenario:
    name: str
    function: typing.Callable
    loops: str = ONE
    any_order: bool = False  # the logs are compared sorted
    since: tuple = ()  # the first version of Python (for Trio scenarios: of Trio) that can run it
    expected: str = ""  # the log that older ones can't produce
    doc: str = ""  # where `expected` is promised
    threads: bool = False  # it uses threads of its own, which the virtual clock knows nothing of
    departs: str = ""  # how the contract differs here on purpose; `expected` is Coil's log
    known_mismatch: str = ""  # why Coil differs though it should not


REGISTERED = {}


def _register(function, options):
    if function.__name__ in REGISTERED:
        raise ValueError(f"there are two scenarios {function.__name__}")
    scenario = Scenario(function.__name__, function, **options)
    scenario.expected = inspect.cleandoc(scenario.expected)
    if scenario.since and not (scenario.expected and scenario.doc):
        raise ValueError(f"{scenario.name}: what Debian's Python lacks needs `expected` and `doc`")
    if scenario.departs and not scenario.expected:
        raise ValueError(f"{scenario.name}: a departure needs `expected`")
    REGISTERED[function.__name__] = scenario
    return function


def _decorator(loops, function, options):
    options["loops"] = loops
    if function is not None:
        return _register(function, options)
    return lambda decorated: _register(decorated, options)


def on_one_loop(function=None, **options):
    """What is logged, and in which order, is promised on one loop only."""
    return _decorator(ONE, function, options)


def on_any_loops(function=None, **options):
    """The same is logged however many loops there are; with any_order, in whatever order."""
    return _decorator(ANY, function, options)


_lines = []

# Their text is the user's; of all others only the type is compared.
_WITH_TEXT = ("ValueError", "RuntimeError", "LookupError", "CancelledError")


def shown(value):
    """A value as both languages print it."""
    if isinstance(value, BaseExceptionGroup):
        return f"ExceptionGroup[{', '.join(shown(inner) for inner in value.exceptions)}]"
    if isinstance(value, BaseException):
        text = str(value) if type(value).__name__ in _WITH_TEXT else ""
        return f"{kind(value)}: {text}" if text else kind(value)
    if isinstance(value, list):
        return f"[{', '.join(map(shown, value))}]"
    if isinstance(value, tuple):
        return f"({', '.join(map(shown, value))})"
    return str(value)


def kind(error):
    """The name of an exception's type: for those whose text is the library's."""
    name = type(error).__name__
    return {"Cancelled": "CancelledError", "TooSlowError": "TimeoutError",
            "BaseExceptionGroup": "ExceptionGroup"}.get(name, name)


class Ticks(int):
    """Time that has passed, logged as t3: on a real clock it may be more."""

    def __str__(self):
        return f"t{int(self)}"


def log(*values):
    _lines.append(" ".join(map(shown, values)))


def take_log():
    lines = list(_lines)
    _lines.clear()
    return lines


async def outcome(awaitable):
    """How awaiting it ends, as text."""
    try:
        return f"gave {shown(await awaitable)}"
    except BaseException as error:
        return f"raised {shown(error)}"


def attempt(function, *args):
    """How calling it ends, as text; of an exception only the type."""
    try:
        return f"gave {shown(function(*args))}"
    except BaseException as error:
        return f"raised {kind(error)}"
