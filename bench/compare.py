#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares builds of lxcore with each other and with native: time and processor time of an operation, on the
machine at rest, on one processor, with others busy. Processor time is all that the machine spent, so nothing
else may run.

    compare.py pipe:50000,unix:50000 before=/tmp/lxcore.before after=build/lxcore
    compare.py --pin 0 ...        all on processor 0
    compare.py --busy 2 ...       beside two programs that only compute
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TOP, "tests"))
import run as guest  # noqa: E402  (tests/run.py)

TICK_NS = 1e9 / os.sysconf("SC_CLK_TCK")


def busy_ns():
    """Processor time of the machine so far."""
    with open("/proc/stat") as f:
        v = [int(x) for x in f.readline().split()[1:]]
    return (sum(v[:8]) - v[3] - v[4]) * TICK_NS


class Compare:
    def __init__(self, args):
        self.args = args
        self.work = tempfile.mkdtemp(prefix="picolx-compare-")
        os.chmod(self.work, 0o755)
        self.cwd = guest.private_dir(self.work, "cwd")
        self.identity = guest.child_identity()
        uid = self.identity.get("user", os.getuid())
        gid = self.identity.get("group", os.getgid())
        self.sides = [("native", [])]
        for c in args.cores:
            label, path = c.split("=", 1)
            self.sides.append((label, [os.path.abspath(path), "root=hostfs:/", "cwd=" + self.cwd, "uid=%d" % uid,
                                       "gid=%d" % gid, "groups=", "--"]))

    def once(self, prefix, name, iters):
        argv = (["taskset", "-c", self.args.pin] if self.args.pin else []) + prefix
        t0, c0 = time.perf_counter(), busy_ns()
        p = subprocess.run(argv + [self.args.micro, name, iters], cwd=self.cwd, stdin=subprocess.DEVNULL,
                           capture_output=True, text=True, timeout=120, **self.identity)
        wall, cpu = (time.perf_counter() - t0) * 1e9, busy_ns() - c0
        try:
            return float(p.stdout), (cpu - self.args.busy * wall) / int(iters) / 1.1
        except ValueError:
            print("%s: %s" % (" ".join(argv), (p.stderr or p.stdout)[-300:]), file=sys.stderr)
            return None

    def run(self):
        got = {}
        for rnd in range(self.args.rounds):
            for item in self.args.rows.split(","):
                name, iters = item.split(":")
                for label, prefix in self.sides if rnd % 2 == 0 else self.sides[::-1]:
                    value = self.once(prefix, name, iters)
                    if value is not None:
                        got.setdefault(name, {}).setdefault(label, []).append(value)
        return got


def show(got):
    print("%-14s %-10s %10s %10s %10s %7s %12s" % ("", "", "median ns", "least", "most", "ratio", "processor ns"))
    for name, sides in got.items():
        native = statistics.median(v[0] for v in sides["native"]) if "native" in sides else None
        for label, values in sides.items():
            t = [v[0] for v in values]
            med = statistics.median(t)
            print("%-14s %-10s %10.1f %10.1f %10.1f %7s %12.0f" % (
                name, label, med, min(t), max(t), "%.3f" % (med / native) if native else "-",
                statistics.median(v[1] for v in values)))


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("rows", help="benchmarks of micro with their iterations: pipe:50000,futex:50000")
    p.add_argument("cores", nargs="*", help="LABEL=lxcore")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--pin", default="", help="processors to run on, as taskset -c wants them")
    p.add_argument("--busy", type=int, default=0, help="this many programs that compute beside it")
    p.add_argument("--micro", default=os.path.join(TOP, "build", "bench", "micro"))
    args = p.parse_args()
    others = [subprocess.Popen(["sh", "-c", "while :; do :; done"]) for _ in range(args.busy)]
    c = Compare(args)
    try:
        show(c.run())
    finally:
        for o in others:
            o.kill()
            o.wait()
        guest.remove_tree(c.work)


if __name__ == "__main__":
    main()
