"""The tree as the checks see it: rooms, their headers, and what lies in it as text."""

import os
import re

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# Left to right: each room may include itself and what is before it.
ROOMS = ("core", "sched", "executors", "net")
FOLDERS = (*ROOMS, "testing", "bench", "tests", "tools", "examples", "docs", "cmake", ".ci")
TOP_LEVEL_TEXT = re.compile(r"^(CMakeLists\.txt|CMakePresets\.json|dev|\.\w[\w-]*|\w+\.md|LICENSE)$")
GENERATED = {"__pycache__", ".cache", "build"}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)

# What only a build with COIL_MODEL sees, which is none that is installed.
MODEL_ONLY = re.compile(
    r"^#\s*if(?:def|\s+defined)?\s*\(?COIL_MODEL\)?\s*$.*?(?=^#\s*(?:else|endif))",
    re.MULTILINE | re.DOTALL,
)


def visible_rooms(room):
    """The rooms that `room` may include."""
    return ROOMS[: ROOMS.index(room) + 1]


def include_flags(rooms):
    return [f"-I{os.path.join(ROOT, room)}" for room in rooms]


def walk(folder, extensions=None):
    """Paths below `folder`, relative to the root, sorted."""
    found = []
    for directory, folders, files in os.walk(os.path.join(ROOT, folder)):
        folders[:] = [name for name in folders if name not in GENERATED]
        for name in files:
            if extensions is None or os.path.splitext(name)[1] in extensions:
                found.append(os.path.relpath(os.path.join(directory, name), ROOT))
    return sorted(found)


def text_files():
    """Every file of the project that a person reads."""
    top = [name for name in os.listdir(ROOT) if os.path.isfile(os.path.join(ROOT, name))]
    found = [name for name in top if TOP_LEVEL_TEXT.match(name)]
    for folder in FOLDERS:
        found += walk(folder)
    return sorted(found)


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8", errors="replace") as file:
        return file.read()


def is_public(path):
    """Whether a header is on the include path of users: <room>/coil/..., detail too."""
    parts = path.split("/")
    return parts[0] in ROOMS and parts[1:2] == ["coil"]


def blank(match):
    """As many lines, with nothing on them."""
    return "\n" * match[0].count("\n")


def includes(path):
    """(line number, quoted?, name) of each #include of a file, but those for the model checker."""
    text = MODEL_ONLY.sub(blank, read(path))
    for match in INCLUDE.finditer(text):
        yield text.count("\n", 0, match.start(2)) + 1, match[1] == '"', match[2]


def finish(problems, summary):
    """Ends a check: prints the problems and fails, or prints what was looked at."""
    for problem in problems:
        print(problem)
    print(f"{len(problems)} problems; {summary}")
    raise SystemExit(1 if problems else 0)
