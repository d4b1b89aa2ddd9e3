#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Let libFuzzer search with each target for a bounded time.

Usage: runfuzz.py --tree build/fuzz --seconds 60 TARGET...
New inputs go to TREE/corpus/<what>/, those that end the program to TREE/crash/<what>-*. The
committed corpus, tests/fuzz/corpus/<what>/, is read and never written. Exit status 1 if a target
died.
"""

import argparse
import glob
import os
import re
import subprocess
import sys

EXECUTED = re.compile(r"stat::number_of_executed_units:\s*(\d+)")
COVERED = re.compile(r"cov: (\d+)")


def run(tree, name, seconds):
    """One target -> (executions, edges, files that ended it)."""
    what = name[len("fuzz_"):]
    corpus = os.path.join(tree, "corpus", what)
    crash = os.path.join(tree, "crash", what + "-")
    committed = os.path.join("tests/fuzz/corpus", what)
    os.makedirs(corpus, exist_ok=True)
    os.makedirs(os.path.dirname(crash), exist_ok=True)
    before = set(glob.glob(crash + "*"))
    argv = [os.path.join(tree, "tests/fuzz", name), "-max_total_time=%d" % seconds,
            "-max_len=1024", "-len_control=0", "-timeout=30", "-rss_limit_mb=3000", "-print_final_stats=1",
            "-artifact_prefix=" + crash, corpus]
    if os.path.isdir(committed):
        argv.append(committed)
    with open(os.path.join(tree, what + ".log"), "w", encoding="utf-8") as log:
        status = subprocess.call(argv, stdin=subprocess.DEVNULL, stdout=log,
                                 stderr=subprocess.STDOUT)
    with open(os.path.join(tree, what + ".log"), encoding="utf-8", errors="replace") as log:
        text = log.read()
    found = sorted(set(glob.glob(crash + "*")) - before)
    if status and not found:
        found = [os.path.join(tree, what + ".log")]
    done = EXECUTED.findall(text)
    edges = COVERED.findall(text)
    return int(done[-1]) if done else 0, int(edges[-1]) if edges else 0, found


def main(argv):
    """Entry; returns the exit status."""
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--tree", default="build/fuzz")
    p.add_argument("--seconds", type=int, default=60)
    p.add_argument("targets", nargs="+")
    args = p.parse_args(argv)
    bad = 0
    for name in args.targets:
        runs, edges, found = run(args.tree, name, args.seconds)
        bad += bool(found)
        print("%-6s %-20s %9d inputs %6d edges  %s" % (
            "NOT OK" if found else "ok", name, runs, edges, " ".join(found)), flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
