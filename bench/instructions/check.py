#!/usr/bin/env python3
"""Counts the instructions of single operations and compares them with the committed baseline.

They are counted by callgrind, so that neither the machine's load nor its speed matters. An
operation that takes over 3 % more than baseline.json says fails the check; --update writes what
was counted there, with which a gain, or a price that is paid on purpose, is committed.
"""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

BASELINE = pathlib.Path(__file__).with_name("baseline.json")
TOLERANCE = 0.03
SLACK = 1.0  # instructions: what a one of five may vary by


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    bin_dir = os.environ.get("COIL_BENCH_BIN")
    parser.add_argument("--bin-dir", type=pathlib.Path, required=bin_dir is None, default=bin_dir)
    parser.add_argument("--update", action="store_true", help="make this the baseline")
    parser.add_argument("--only", default="", metavar="PART", help="operations with this in the name")
    return parser.parse_args()


def count(program, only):
    """The instructions of one operation each, by name."""
    with tempfile.TemporaryDirectory() as folder:
        stripped = pathlib.Path(folder, "operations")  # valgrind 3.19 can't read lld's DWARF 5
        subprocess.run(["strip", "--strip-debug", "-o", stripped, program], check=True)
        run = subprocess.run(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out", stripped, only],
            capture_output=True, text=True)
        if run.returncode != 0:
            sys.exit(f"the operations ended with {run.returncode} under valgrind:\n"
                     f"{run.stdout}{run.stderr}")
        operations = dict(line.rsplit(" ", 1) for line in run.stdout.splitlines())
        counts = {}
        for dump in pathlib.Path(folder).glob("out.*"):
            text = dump.read_text()
            name = re.search(r"^desc: Trigger: Client Request: (.*)$", text, re.MULTILINE)
            total = re.search(r"^(?:summary|totals): (\d+)", text, re.MULTILINE)
            if name and total:
                counts[name[1]] = round(int(total[1]) / int(operations[name[1]]), 1)
        if missing := operations.keys() - counts.keys():
            sys.exit(f"callgrind left no counts of: {', '.join(sorted(missing))}")
        return {name: counts[name] for name in operations}


def compiler():
    found = subprocess.run(["clang++-19", "--version"], capture_output=True, text=True)
    return found.stdout.splitlines()[0].strip() if found.returncode == 0 else "unknown"


def compare(counts, baseline):
    """Prints the table; gives the names of those that became dearer."""
    dearer = []
    print(f"{'operation':<28}{'baseline':>10}{'now':>10}{'change':>9}")
    for name, now in counts.items():
        was = baseline.get(name)
        change = "new" if was is None else f"{100 * (now / was - 1):+.1f} %"
        worse = was is None or (now > was * (1 + TOLERANCE) and now > was + SLACK)
        print(f"{name:<28}{was if was is not None else '-':>10}{now:>10}{change:>9}"
              f"{'  <- ' if worse else ''}")
        if worse:
            dearer.append(name)
    return dearer


def main():
    arguments = parse_arguments()
    counts = count(arguments.bin_dir / "instructions" / "coil_bench_instructions", arguments.only)
    if not counts:
        sys.exit(f"there is no operation with '{arguments.only}' in its name")
    if arguments.update:
        known = json.loads(BASELINE.read_text())["instructions"] if BASELINE.exists() else {}
        kept = known if arguments.only else {}
        document = {"compiler": compiler(), "instructions": {**kept, **counts}}
        BASELINE.write_text(json.dumps(document, indent=1) + "\n")
        print(f"{len(counts)} operations written to {BASELINE.name}")
        return
    baseline = json.loads(BASELINE.read_text())
    dearer = compare(counts, baseline["instructions"])
    gone = [] if arguments.only else sorted(baseline["instructions"].keys() - counts.keys())
    if baseline["compiler"] != compiler():
        print(f"\nThe baseline is of {baseline['compiler']}, this is {compiler()}: nothing follows.")
    elif dearer or gone:
        sys.exit(f"\nover {TOLERANCE:.0%} more instructions, or new: {', '.join(dearer) or 'none'}; "
                 f"no longer counted: {', '.join(gone) or 'none'}.\n"
                 "If that is meant: ./dev bench check --update, and commit baseline.json.")


if __name__ == "__main__":
    main()
