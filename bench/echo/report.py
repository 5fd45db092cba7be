"""Medians, spreads and the Markdown tables of the echo benchmark."""

import statistics

_MEASURES = ("requests_per_s", "p50_us", "p99_us", "p999_us", "server_cpu_us_per_request",
             "server_cpu_share", "server_user_share", "server_sleeps_per_request",
             "load_cpu_share")


def summarize(runs, contenders, baseline="raw"):
    """One entry per scenario and contender; ratios are taken within a round, then the median."""
    result = []
    for scenario in dict.fromkeys(run["scenario"] for run in runs):
        mine = [run for run in runs if run["scenario"] == scenario]
        base = {run["round"]: run for run in mine if run["contender"] == baseline}
        for contender in contenders:
            rounds = [run for run in mine if run["contender"] == contender]
            if not rounds:
                continue
            entry = {"scenario": scenario, "contender": contender, "rounds": len(rounds),
                     "starved_connections": max(run["starved_connections"] for run in rounds)}
            for name in _MEASURES:
                values = [run[name] for run in rounds]
                entry[name] = statistics.median(values)
                entry[name + "_range"] = [min(values), max(values)]
            for ratio, name in (("cpu_ratio", "server_cpu_us_per_request"),
                                ("throughput_ratio", "requests_per_s")):
                values = [run[name] / base[run["round"]][name]
                          for run in rounds if run["round"] in base]
                entry[ratio] = statistics.median(values) if values else None
                entry[ratio + "_range"] = [min(values), max(values)] if values else None
            result.append(entry)
    return result


def _duration(us):
    return f"{us:.1f} µs" if us < 1000 else f"{us / 1000:.2f} ms"


def _spread(entry, name):
    """Half of the range over the median, in percent."""
    low, high = entry[name + "_range"]
    return f"±{50 * (high - low) / entry[name]:.0f} %" if entry[name] else "-"


def _ratio(entry, name):
    if entry[name] is None:
        return "-"
    low, high = entry[name + "_range"]
    return f"**{entry[name]:.2f}** ({low:.2f}–{high:.2f})"


def markdown(summary):
    lines = ["| connections | server | requests/s | p50 | p99 | p99.9 | server CPU per request "
             "| CPU, ratio to raw | requests/s, ratio to raw |",
             "|---|---|---:|---:|---:|---:|---:|---:|---:|"]
    for entry in summary:
        lines.append("| " + " | ".join([
            entry["scenario"].replace("x", " × "), entry["contender"],
            f"{entry['requests_per_s'] / 1000:,.1f} k {_spread(entry, 'requests_per_s')}",
            _duration(entry["p50_us"]), _duration(entry["p99_us"]), _duration(entry["p999_us"]),
            f"{entry['server_cpu_us_per_request']:.3f} µs "
            f"{_spread(entry, 'server_cpu_us_per_request')}",
            _ratio(entry, "cpu_ratio"), _ratio(entry, "throughput_ratio")]) + " |")
    return "\n".join(lines)


def idle_markdown(idle):
    lines = ["| server | idle connections | resident memory per connection |", "|---|---:|---:|"]
    for name in dict.fromkeys(run["contender"] for run in idle):
        mine = [run for run in idle if run["contender"] == name]
        median = statistics.median(run["bytes_per_connection"] for run in mine)
        lines.append(f"| {name} | {mine[0]['idle_connections']:,} | {median:,.0f} B |")
    return "\n".join(lines)
