#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Random sequences of system calls (tests/mix/*.c), natively and under lx: each line must be the same.

A theme's seeds are repeatable: what `--themes files --seed 17 --seeds 1 --steps 80` shows, it shows again. The
first line that differs in a seed is told; what follows from it is not. Lines that differ between two
native runs (times, other programs) are no finding, and such a seed is left out.
"""

import argparse
import errno
import os
import re
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.dirname(HERE))
import run as guest  # noqa: E402  (tests/run.py)

# Seeds at one go; the short list of `make check` is fixed, so that it does not find news on a bad day.
STEPS = 80


def by_seed(text):
    """{header: lines} of the output of mix."""
    out, lines = {}, []
    for line in text.splitlines():
        if line.startswith("=== "):
            lines = out.setdefault(line, [])
        else:
            lines.append(line)
    return out


def readable(line):
    """Error numbers as names."""
    return re.sub(r"= E(\d+)", lambda m: "= " + errno.errorcode.get(int(m.group(1)), m.group(0)[2:]), line)


def first_difference(a, b):
    for i in range(max(len(a), len(b))):
        x = a[i] if i < len(a) else "(nothing)"
        y = b[i] if i < len(b) else "(nothing)"
        if x != y:
            return i, x, y
    return None


class Runner:
    def __init__(self, args):
        self.args = args
        self.lx, self.mix = guest.within_reach(os.path.abspath(args.lx), os.path.abspath(args.mix))
        self.work = tempfile.mkdtemp(prefix="picolx-mix-")
        os.chmod(self.work, 0o755)
        self.home = guest.private_dir(self.work, "home")
        self.count = 0

    def run(self, theme, seed, seeds, under_lx):
        """The output of a run in a folder of its own, two levels down: `..` is ours too."""
        self.count += 1
        outer = guest.private_dir(self.work, "w%d" % self.count)
        cwd = os.path.join(outer, "w")
        os.mkdir(cwd)
        ids = guest.ordinary_user()
        if ids is not None:
            os.chown(cwd, *ids)
        argv = [self.mix, theme, str(seed), str(self.args.steps), str(seeds)]
        env = guest.clean_env(self.home)
        if under_lx:
            env["PICOLX_HOME"] = self.home
            argv = [self.lx, "--root", "/", "--cd", cwd, "--"] + argv
        result = guest.run_process(argv, cwd, env, self.args.timeout)
        guest.remove_tree(outer)
        if result.timed_out or result.status != 0:
            return result.out + "\n(%s)" % result.how_it_ended()
        return result.out

    def theme(self, theme):
        """(good, bad) seeds."""
        seed, seeds = self.args.seed, self.args.seeds
        native = by_seed(self.run(theme, seed, seeds, False))
        lx = by_seed(self.run(theme, seed, seeds, True))
        suspects = [h for h in native if native[h] != lx.get(h)]
        again = by_seed(self.run(theme, seed, seeds, False)) if suspects else {}
        bad = 0
        for header in suspects:
            if native[header] != again.get(header):
                print("%s: not the same natively either, left out" % header)
                continue
            bad += 1
            at, x, y = first_difference(native[header], lx.get(header, []))
            if bad <= self.args.show:
                print("%s, line %d\n    native: %s\n    lx:     %s" % (header, at, readable(x)[:400], readable(y)[:400]))
        print("%-6s %-12s %d seeds equal, %d different" % ("NOT OK" if bad else "ok", theme, len(native) - bad, bad))
        return len(native) - bad, bad

    def close(self):
        guest.end_processes_of(self.home)
        guest.remove_tree(self.work)


THEMES = ["files", "memory", "pipes", "processes", "sockets"]
KNOWN = ["files", "memory", "processes"]  # in the others some differences are known: pages half full, what is collected when


def main(argv):
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--lx", default=os.path.join(TOP, "build", "lx"))
    p.add_argument("--mix", default=os.path.join(TOP, "build", "tests", "mix", "mix"))
    p.add_argument("--themes", nargs="+", default=KNOWN, choices=THEMES)
    p.add_argument("--seed", type=int, default=1, help="the first one")
    p.add_argument("--seeds", type=int, default=20, help="how many, of each theme")
    p.add_argument("--steps", type=int, default=STEPS, help="calls of each seed")
    p.add_argument("--show", type=int, default=10, help="differences shown, of each theme")
    p.add_argument("--timeout", type=float, default=300)
    p.add_argument("--results", help="folder for the sum")
    args = p.parse_args(argv)
    runner = Runner(args)
    try:
        sums = [runner.theme(t) for t in args.themes]
    finally:
        runner.close()
    good, bad = sum(s[0] for s in sums), sum(s[1] for s in sums)
    if args.results:
        guest.write_results(args.results, "mix", good, bad)
    print("mix: %d passed, %d failed" % (good, bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
