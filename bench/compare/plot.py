"""The comparison as a picture: for each workload and case a bar a contender, by number of threads.

matplotlib is asked for only here: everything else works without.
"""

import io

import summary

COLOURS = {"coil": "#c0392b", "serial": "#b0b0b0", "raw": "#b0b0b0", "onetbb": "#2471a3",
           "rayon": "#a04000",
           "asio": "#5b8c5a", "libuv": "#8e6bb0", "go": "#17a2b8", "tokio": "#d68910",
           "uvloop": "#7f6a4f"}
COLUMNS = 3


def write(path, entries):
    """Gives None, or why there is no picture."""
    try:
        import matplotlib
    except ImportError:
        return "no plot: matplotlib is not installed (Debian: python3-matplotlib)"
    matplotlib.use("svg")
    # The same figures give the same file, and text stays text.
    matplotlib.rcParams.update({"svg.hashsalt": "coil", "svg.fonttype": "none"})
    from matplotlib import pyplot

    panels = list(dict.fromkeys((entry["workload"], entry["case"]) for entry in entries))
    rows = -(-len(panels) // COLUMNS)
    counts = len({entry["threads"] for entry in entries})
    figure, axes = pyplot.subplots(rows, COLUMNS, squeeze=False, layout="constrained",
                                   figsize=(4.2 * COLUMNS, (2.1 + 0.3 * counts) * rows + 0.4))
    for axis in axes.flat[len(panels):]:
        axis.axis("off")
    for axis, (workload, case) in zip(axes.flat, panels):
        _panel(axis, [entry for entry in entries
                      if (entry["workload"], entry["case"]) == (workload, case)])
        axis.set_title(f"{workload}: {case}" if case else workload, fontsize=10)
    figure.suptitle("Time per operation: median, lowest and highest; shorter is better", fontsize=11)
    drawing = io.StringIO()
    figure.savefig(drawing, format="svg", metadata={"Date": None})
    pyplot.close(figure)
    path.write_text("".join(f"{line.rstrip()}\n" for line in drawing.getvalue().splitlines()))
    return None


def _panel(axis, entries):
    contenders = list(dict.fromkeys(entry["contender"] for entry in entries))
    counts = sorted({entry["threads"] for entry in entries})
    height = 0.8 / len(counts)
    for entry in entries:
        row = contenders.index(entry["contender"]) + height * (
            counts.index(entry["threads"]) - (len(counts) - 1) / 2)
        low, high = entry["value_range"]
        axis.barh(row, entry["value"], height * 0.9,
                  color=COLOURS.get(entry["contender"], "#555555"),
                  alpha=1 - 0.45 * counts.index(entry["threads"]) / max(1, len(counts) - 1),
                  xerr=[[entry["value"] - low], [high - entry["value"]]],
                  error_kw={"elinewidth": 0.8})
        axis.annotate(f" {summary.figure(entry['value'])}"
                      + f"  ({entry['threads']})" * (len(counts) > 1),
                      (high, row), va="center", fontsize=7)
    values = [entry["value"] for entry in entries]
    label = entries[0]["unit"] + ("  (threads)" if len(counts) > 1 else "")
    if max(values) > 50 * min(values):
        axis.set_xscale("log")
        label += ", logarithmic"
    axis.set_yticks(range(len(contenders)), contenders, fontsize=8)
    axis.invert_yaxis()
    axis.margins(x=0.22)
    axis.tick_params(axis="x", labelsize=7)
    axis.set_xlabel(label, fontsize=8)
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)
