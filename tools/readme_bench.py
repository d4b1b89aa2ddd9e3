#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Put the figures of a benchmark run into the README, between its bench markers, and those of a run
with --peers between its peers markers.

Usage: readme_bench.py [build/bench.json [README.md]]
"""

import json
import re
import sys

PEERS = ("bwrap", "proot", "runsc")

def seconds(ns):
    """A time as people read it."""
    for unit, size in (("ms", 1e6), ("us", 1e3), ("ns", 1)):
        if ns >= size:
            return "%.3g %s" % (ns / size, unit)
    return "0 ns"


def table(data):
    """Markdown lines of one run."""
    out = ["| | native | lx | ratio | target |", "|---|---:|---:|---:|---:|"]
    for row in [r for r in data["rows"] if r.get("side", "host") not in PEERS] + data["start"]:
        if not row.get("lx_ns") or not row.get("native_ns"):
            continue
        target = "" if row.get("target") is None else "%g" % row["target"]
        out.append("| %s | %s | %s | %.2f | %s |" % (
            row["name"], seconds(row["native_ns"]), seconds(row["lx_ns"]), row["ratio"], target))
    for row in data["memory"]:
        out.append("| %s | | %.0f KiB | | %g KiB |" % (row["name"].replace(" (KiB)", ""), row["value"],
                                                     row["target"]))
    out += ["", "[host]: `lx --root /` (hostfs), [dist]: a distribution (volfs). Linux %s, %d processors%s." % (
        data["kernel"].split("-")[0], data["cpus"],
        ", busy with other work" if any("busy" in n for n in data["notes"]) else "")]
    return "\n".join(out)


def peers_table(data):
    """Markdown lines: a row a benchmark, a column a way to run it."""
    cells = {}
    for row in data["rows"]:
        if row.get("lx_ns") and row.get("native_ns"):
            name = row["name"].rsplit(" [", 1)[0]
            cells.setdefault(name, {"native": row["native_ns"]})[row["side"]] = row["lx_ns"]
    there = [p for p in PEERS if any(p in c for c in cells.values())]
    columns = ["native", "host"] + there
    out = ["| | " + " | ".join("lx --root /" if c == "host" else c for c in columns) + " |",
           "|---|" + "---:|" * len(columns)]
    for name, got in cells.items():
        if all(c in got for c in columns):
            out.append("| %s | %s |" % (name, " | ".join(seconds(got[c]) for c in columns)))
    return "\n".join(out)


def fill(text, mark, lines):
    """The text with `lines` between the two markers `mark`; None: they are not there."""
    new, n = re.subn(r"(<!-- %s: begin -->\n).*?(<!-- %s: end -->)" % (mark, mark),
                     lambda m: m.group(1) + lines + "\n" + m.group(2), text, flags=re.S)
    return new if n == 1 else None


def main(argv):
    """Entry; returns the exit status."""
    source = argv[0] if argv else "build/bench.json"
    readme = argv[1] if len(argv) > 1 else "README.md"
    with open(source, encoding="utf-8") as f:
        data = json.load(f)
    with open(readme, encoding="utf-8") as f:
        text = f.read()
    peers = any(r.get("side") in PEERS for r in data["rows"])
    new = fill(text, "bench", table(data))
    if new and peers:
        new = fill(new, "peers", peers_table(data))
    if not new:
        print("readme_bench: %s lacks its markers" % readme, file=sys.stderr)
        return 1
    with open(readme, "w", encoding="utf-8") as f:
        f.write(new)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
