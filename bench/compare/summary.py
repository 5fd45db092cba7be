"""Medians and spreads. A ratio is taken within its round, then the median: the machine may drift."""

import statistics

MEASURES = ("value", "wall_s", "cpu_s", "peak_kib")


def figure(value):
    """As text: three digits, or whole thousands."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def _key(run):
    return run["workload"], run["case"], run["threads"], run["contender"]


def _median_and_range(values):
    return statistics.median(values), [min(values), max(values)]


def summarize(runs, workloads):
    """One entry for each (workload, case, threads, contender), in the order of the runs."""
    known = {workload.name: workload for workload in workloads}
    grouped = {}
    for run in runs:
        grouped.setdefault(_key(run), []).append(run)
    entries = []
    for (name, case, threads, contender), mine in grouped.items():
        workload = known[name]
        entry = {"workload": name, "case": case, "threads": threads, "contender": contender,
                 "unit": workload.unit, "rounds": len(mine), "size": mine[0]["size"]}
        for measure in MEASURES:
            values = [run[measure] for run in mine if run.get(measure) is not None]
            if values:
                entry[measure], entry[f"{measure}_range"] = _median_and_range(values)
        entry["cpu_per_op"] = statistics.median(
            run["cpu_s"] / run["ops"] * workload.scale for run in mine)
        base = grouped.get((name, case, 1, workload.baseline), [])
        rival = grouped.get((name, case, threads, workload.rival), [])
        entry["to_baseline"] = ratio(mine, base)
        entry["to_rival"] = ratio(mine, rival)
        entries.append(entry)
    entries.sort(key=lambda entry: list(known).index(entry["workload"]))
    return entries


def ratio(mine, theirs, measure="value"):
    """The median over the rounds of ours by theirs, or None."""
    other = {run["round"]: run[measure] for run in theirs}
    values = [run[measure] / other[run["round"]] for run in mine if run["round"] in other]
    return statistics.median(values) if values else None


def find(entries, workload, threads, contender, case=""):
    for entry in entries:
        if (entry["workload"], entry["case"], entry["threads"],
                entry["contender"]) == (workload, case, threads, contender):
            return entry
    return None
