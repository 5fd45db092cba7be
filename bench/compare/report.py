"""The comparison as Markdown: where it was measured, the bars, a table for each workload."""

import about as machine
import bars
import summary


def _spread(entry, name="value"):
    low, high = entry[f"{name}_range"]
    return f"{summary.figure(low)} – {summary.figure(high)}"


def _ratio(value):
    return "-" if value is None else f"{value:.2f}"


def _rows(workload, entries):
    def place(entry):
        return workload.cases.index(entry["case"]), entry["threads"]
    last = None
    for entry in sorted(entries, key=place):
        first = place(entry) != last
        last = place(entry)
        cells = [entry["case"] if first else ""] if workload.cases != ("",) else []
        cells += [str(entry["threads"]) if first else "", entry["contender"],
                  f"**{summary.figure(entry['value'])}**", _spread(entry), summary.figure(entry["cpu_per_op"]),
                  f"{entry['peak_kib'] / 1024:.1f} MiB" if "peak_kib" in entry else "-",
                  _ratio(entry["to_baseline"]), _ratio(entry["to_rival"])]
        yield "| " + " | ".join(cells) + " |"


def _table(workload, entries):
    what = "CPU time" if workload.measure == "cpu_s" else "time"
    head = ["case"] if workload.cases != ("",) else []
    head += ["threads", "contender", f"{what}, {workload.unit}", "lowest – highest", "CPU time",
             "peak memory", f"by {workload.baseline}", f"by {workload.rival}"]
    align = ["---"] * (len(head) - 8) + ["---:", "---"] + ["---:"] * 6
    sizes = {entry["contender"]: entry["size"] for entry in entries}
    usual = next((size for name, size in sizes.items() if name not in workload.own_sizes), None)
    lines = [f"### {workload.name}", f"{workload.about} (size {usual:,})." if usual else
             f"{workload.about}.", ""]
    lines += ["| " + " | ".join(head) + " |", "|" + "|".join(align) + "|"]
    lines += _rows(workload, entries)
    other = [name for name in workload.own_sizes if name in sizes]
    if other:
        lines += ["", "At a smaller size: " + ", ".join(f"{name} ({sizes[name]:,})"
                                                        for name in other) + "."]
    return "\n".join(lines)


def markdown(document, workloads, plot=None):
    """`document`: what goes to the JSON."""
    entries, options = document["summary"], document["options"]
    parts = ["# Coil beside others", ""]
    if document["noise"]["problems"]:
        parts += ["> **Noisy: do not quote.** " + "; ".join(document["noise"]["problems"]) + ".", ""]
    parts += ["Written by `./dev bench compare`. Medians of "
              f"{options['rounds']} interleaved rounds, a fresh process a run, everybody pinned to "
              "the same cores, every result checked. A ratio is taken within its round; below 1 is "
              "better. CPU time is that of all threads, in the unit of the time beside it.", ""]
    parts += machine.lines(document["about"])
    parts += [f"- load average before {document['noise']['load_average_before']:.2f}, fixed work "
              f"within {100 * document['noise']['fixed_work_spread']:.0f} %", ""]
    parts += [f"- {note}" for note in document["notes"]] + [""] * bool(document["notes"])
    if plot:
        parts += [f"![time by contender]({plot})", ""]
    if any(row["measured"] is not None for row in document["bars"]):
        parts += ["## Bars", "", bars.markdown(document["bars"]), ""]
    parts += ["## Workloads", ""]
    for workload in workloads:
        mine = [entry for entry in entries if entry["workload"] == workload.name]
        if mine:
            parts += [_table(workload, mine), ""]
    return "\n".join(parts).rstrip() + "\n"
