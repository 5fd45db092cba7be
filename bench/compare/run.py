#!/usr/bin/env python3
"""Runs the programs of bench/<workload>/<contender> against each other and writes what came out.

Everything that is measured is in workloads.py, how in measure.py, and when it counts in noise.py.
"""

import argparse
import json
import os
import pathlib
import shutil
import sys
import tempfile

sys.dont_write_bytecode = True
import about  # noqa: E402
import bars  # noqa: E402
import measure  # noqa: E402
import noise  # noqa: E402
import plot  # noqa: E402
import programs  # noqa: E402
import report  # noqa: E402
import summary  # noqa: E402
import workloads  # noqa: E402

REFUSED = 3  # the exit code for "too noisy"


def _list(text):
    return [word for word in text.split(",") if word]


def _counts(text):
    return sorted({int(word) for word in _list(text)})


def parse_arguments():
    cores = len(os.sched_getaffinity(0))
    counts = sorted({2**i for i in range(16) if 2**i <= cores} | {cores})
    usual = ",".join(map(str, counts))
    parser = argparse.ArgumentParser(prog="./dev bench compare", description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--workloads", type=_list, default=[], metavar="A,B", help="only these")
    add("--contenders", type=_list, default=[], metavar="A,B", help="only these, beside serial")
    add("--threads", type=_counts, default=counts, metavar="1,2",
        help=f"numbers of threads; here {usual} by default")
    add("--rounds", type=int, help="5 by default")
    add("--size", choices=workloads.SIZES, default="full")
    add("--quick", action="store_true", help="a look: --size small --rounds 2")
    add("--force", action="store_true", help="print although the machine is noisy, and say so")
    add("--check", action="store_true", help="everything tiny and once: does it work?")
    add("--list", action="store_true", help="list workloads and contenders")
    add("--out", type=pathlib.Path, help="where JSON, Markdown and SVG go; by default docs/benchmarks "
        "for a whole run and build/bench/compare for others")
    add("--bin-dir", type=pathlib.Path, action="append", help="where the programs are",
        default=[pathlib.Path(os.environ["COIL_BENCH_BIN"])] if "COIL_BENCH_BIN" in os.environ
        else [])
    arguments = parser.parse_args()
    if arguments.quick or arguments.check:
        arguments.size = "small" if arguments.quick else "tiny"
    if arguments.rounds is None:
        arguments.rounds = 2 if arguments.quick else 5
    if arguments.rounds < 1 or not arguments.threads or arguments.threads[0] < 1:
        parser.error("--rounds and --threads take numbers from 1 on")
    if arguments.threads[-1] > cores and not arguments.check:
        parser.error(f"--threads {arguments.threads[-1]}: there are {cores} cores")
    known = {name for workload in workloads.ALL for name in workload.contenders}
    for name in arguments.contenders:
        if name not in known:
            parser.error(f"there is no contender '{name}'; there are: {', '.join(sorted(known))}")
    return arguments


def wanted(workload, arguments):
    keep = {*arguments.contenders, workload.baseline} if arguments.contenders else None
    return [name for name in workload.contenders if keep is None or name in keep]


def plan(chosen, arguments, directories):
    """Groups of jobs that are compared with each other, and who is missing."""
    groups, missing = [], {}
    for workload in chosen:
        group = {}
        for contender in wanted(workload, arguments):
            program = programs.find(directories, workload.name, contender)
            if program is None:
                missing.setdefault(contender, []).append(workload.name)
                continue
            for case in workload.cases:
                for threads in workload.threads(contender, arguments.threads):
                    size = workload.size(contender, arguments.size)
                    group.setdefault((case, threads), []).append(
                        measure.Job(workload, case, threads, contender, program, size,
                                    tuple(directories)))
        groups += group.values()
    return groups, [f"no {name} in {', '.join(names)}: not built" for name, names in missing.items()]


def write(document, chosen, out):
    out.mkdir(parents=True, exist_ok=True)
    problem = plot.write(out / "compare.svg", document["summary"])
    document["notes"] += [problem] if problem else []
    (out / "compare.json").write_text(json.dumps(document, indent=1) + "\n")
    text = report.markdown(document, chosen, None if problem else "compare.svg")
    (out / "compare.md").write_text(text)
    return text


def output_folder(arguments):
    root = programs.BENCH.parent
    whole = arguments.size == "full" and not (arguments.workloads or arguments.contenders)
    return arguments.out or root / ("docs/benchmarks" if whole else "build/bench/compare")


def check(chosen, arguments):
    """Tiny: does each program that is built compute the right thing, and does the report work?"""
    arguments.threads, arguments.rounds = [1, 2], 1
    groups, _ = plan(chosen, arguments, arguments.bin_dir)
    if not groups:
        raise SystemExit("nothing is built")
    measured = noise.Noise(settle_s=0)
    runs = measure.run_rounds(groups, arguments.rounds, lambda: None)
    folder = pathlib.Path(tempfile.mkdtemp())
    try:
        print(write(make_document(chosen, arguments, runs, measured, []), chosen, folder))
    finally:
        shutil.rmtree(folder)


def make_document(chosen, arguments, runs, measured, notes):
    entries = summary.summarize(runs, chosen)
    # Bars are for full sizes; --check only wants to see that they can be computed.
    rows = bars.compare(bars.load(), entries, runs) if arguments.size != "small" else []
    return {"about": about.collect(), "noise": {**measured.as_json(), "problems": measured.problems()},
            "options": {"rounds": arguments.rounds, "size": arguments.size,
                        "threads": arguments.threads},
            "notes": notes, "summary": entries, "bars": rows, "runs": runs}


def main():
    arguments = parse_arguments()
    chosen = workloads.by_name(arguments.workloads)
    if arguments.list:
        for workload in chosen:
            print(f"{workload.name:<10} {workload.about}\n{'':<10} {', '.join(workload.contenders)}")
        return 0
    if arguments.check:
        return check(chosen, arguments)
    built = programs.BENCH.parent / "build/bench/contenders/bin"
    everybody = {name for workload in chosen for name in wanted(workload, arguments)}
    notes = programs.build_all(chosen, everybody, built)
    groups, missing = plan(chosen, arguments, [*arguments.bin_dir, built])
    notes += missing
    measured = noise.Noise(settle_s=0 if arguments.force else noise.SETTLE_S)
    if not arguments.force and measured.problems():
        print(f"refused: {'; '.join(measured.problems())}. --force measures all the same.",
              file=sys.stderr)
        return REFUSED
    runs = measure.run_rounds(groups, arguments.rounds, measured.probe)
    document = make_document(chosen, arguments, runs, measured, notes)
    out = output_folder(arguments)
    if document["noise"]["problems"] and not arguments.force:
        (programs.BENCH.parent / "build/bench/compare-refused.json").write_text(json.dumps(document, indent=1) + "\n")
        print("refused, the machine was too noisy: " + "; ".join(document["noise"]["problems"])
              + ". Repeat it when it is quiet, or say --force to see the figures, marked as noisy.",
              file=sys.stderr)
        return REFUSED
    print(write(document, chosen, out))
    print(f"Written: {out}/compare.json, compare.md, compare.svg")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except measure.WrongAnswer as error:
        sys.exit(f"compare: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
