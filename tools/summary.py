#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Run make targets one after the other, then add up what the suites wrote to the results folder.

Usage: summary.py --results build/results [--make make] TARGET...
Every target runs even if an earlier one failed. A target that fails without a failed case in any
suite counts as one failure itself. The last line is `N passed, N failed`.
"""

import argparse
import glob
import os
import shlex
import subprocess
import sys


# targets that are one case of their own
COUNTED_TARGETS = ("all", "lint-lite", "lint")


def read_results(folder):
    """[(suite, passed, failed)] of all files in the folder."""
    rows = []
    for path in sorted(glob.glob(os.path.join(folder, "*.txt"))):
        with open(path, encoding="utf-8") as f:
            for line in f:
                words = line.split()
                if len(words) == 3 and words[1].isdigit() and words[2].isdigit():
                    rows.append((words[0], int(words[1]), int(words[2])))
    return rows


def make_environment():
    """The environment without the outer make's job server, which does not reach through here."""
    env = dict(os.environ)
    flags = env.pop("MAKEFLAGS", "").split()
    env["MAKEFLAGS"] = " ".join(
        f for f in flags if not f.startswith(("--jobserver", "-j")) and f != "w")
    return env


def run_targets(make, targets, folder):
    """[(target, failed)] where a failure not explained by a suite's own count is 1."""
    rows = []
    for target in targets:  # one suite each, so that none hides another
        before = sum(bad for _, _, bad in read_results(folder))
        print("== make %s" % target, flush=True)
        status = subprocess.call(shlex.split(make) +
                                 ["-k", "-j%d" % (os.cpu_count() or 2), "--no-print-directory",
                                  target], env=make_environment())
        after = sum(bad for _, _, bad in read_results(folder))
        if status and after == before:
            print("== make %s failed (status %d)" % (target, status), flush=True)
            rows.append((target, 0, 1))
        elif not status and target in COUNTED_TARGETS:
            rows.append((target, 1, 0))
    return rows


def main(argv):
    """Entry; returns the exit status."""
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--results", default="build/results")
    p.add_argument("--make", default="make")
    p.add_argument("targets", nargs="*")
    args = p.parse_args(argv)
    rows = run_targets(args.make, args.targets, args.results) + read_results(args.results)
    print()
    for name, good, bad in rows:
        print("  %-12s %5d passed %4d failed" % (name, good, bad))
    passed, failed = sum(r[1] for r in rows), sum(r[2] for r in rows)
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
