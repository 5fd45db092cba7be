"""The figures that Coil is to reach (bars.json) beside those measured.

A bar names a workload, a case and a number of threads, and one of: a limit for the figure itself
or for "peak_mb"; with a `rival`, a limit for Coil's figure by the rival's (`at_most`) or for the
rival's by Coil's, "times as fast" (`at_least`). The rival "best" is the best of the others.
"""

import json
import pathlib

import summary

US = "coil"


def load():
    return json.loads((pathlib.Path(__file__).parent / "bars.json").read_text())


def _value(entry, measure):
    return entry["peak_kib"] * 1024 / 1e6 if measure == "peak_mb" else entry["value"]


def _rivals(bar, runs, entry):
    def mine(contender):
        return [run for run in runs if run["contender"] == contender and all(
            run[key] == entry[key] for key in ("workload", "case", "threads"))]
    names = {run["contender"] for run in runs} - {US} if bar["rival"] == "best" else {bar["rival"]}
    by_ratio = [summary.ratio(mine(US), mine(name)) for name in sorted(names)]
    return max((value for value in by_ratio if value is not None), default=None)


def compare(bars, entries, runs):
    """One row for each bar: its text, the limit, what was measured (None: it was not), and `ok`."""
    rows = []
    for bar in bars:
        case = bar.get("case", "")
        entry = summary.find(entries, bar["workload"], bar["threads"], US, case)
        measured = None
        if entry and "rival" in bar:
            measured = _rivals(bar, runs, entry)
            if measured and "at_least" in bar:
                measured = 1 / measured
        elif entry:
            measured = _value(entry, bar.get("measure"))
        ok = None
        if measured is not None:
            ok = measured <= bar["at_most"] if "at_most" in bar else measured >= bar["at_least"]
        unit = entry["unit"].split()[0] if entry and "rival" not in bar and "measure" not in bar \
            else ""
        rows.append({**bar, "unit": unit, "measured": measured, "ok": ok})
    return rows


def markdown(rows):
    lines = ["| bar | threads | reach | measured | |", "|---|---:|---:|---:|---|"]
    for row in rows:
        if row["measured"] is None:
            continue
        sign, limit = ("≤", row["at_most"]) if "at_most" in row else ("≥", row["at_least"])
        against = f" ({row['rival']})" if "rival" in row else ""
        unit = f" {row['unit']}" if row["unit"] else ""
        lines.append(f"| {row['bar']}{against} | {row['threads']} | {sign} {limit:g}{unit} | "
                     f"{summary.figure(row['measured'])}{unit} | "
                     f"{'ok' if row['ok'] else '**missed**'} |")
    return "\n".join(lines)
