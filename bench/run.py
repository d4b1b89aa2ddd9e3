#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Benchmarks: each one natively and under lx in the same run, interleaved, as a ratio of medians.

Rows measured on both file systems appear twice: "host" is `lx --root /` (hostfs), "dist" the default
distribution (volfs). Targets are those of the project's first issue; a verdict is given where there is one.
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(HERE)
sys.path.insert(0, os.path.join(TOP, "tests"))
import run as guest  # noqa: E402  (tests/run.py)

# name, what it is, iterations, target on hostfs, target on the distribution (ratios to native)
MICRO = [
    ("null", "null syscall", 1000000, 0.6, None),
    ("read_zero", "read 1 B /dev/zero", 500000, 0.7, None),
    ("write_null", "write 1 B /dev/null", 500000, None, None),
    ("stat", "stat of a warm 5-deep path", 200000, 1.5, 0.7),
    ("open_close", "open + close", 100000, 1.5, 0.9),
    ("pread", "pread 4 KiB, cached", 300000, 1.4, 1.4),
    ("lseek", "lseek", 500000, None, None),
    ("epoll", "eventfd + epoll round", 200000, 0.6, None),
    ("fork", "fork + exit + wait", 1500, 1.4, None),
    ("spawn_static", "posix_spawn, static", 1000, 1.2, None),
    ("spawn_dynamic", "posix_spawn, dynamic", 400, 1.3, None),
    ("pipe", "pipe ping-pong", 30000, 1.2, None),
    ("futex", "futex ping-pong", 30000, None, None),
    ("signal", "signal to self", 100000, 1.6, None),
    ("mmap", "mmap + munmap", 100000, 1.3, None),
    ("touch", "page touch", 100000, 1.1, None),
    ("pthread", "pthread create + join", 10000, 1.4, None),
    ("getdents", "list a folder of 100", 10000, None, None),
    ("unix", "AF_UNIX ping-pong", 30000, None, None),
    ("pairs", "pipe ping-pong of 4 pairs", 40000, None, None),
    ("mutex", "mutex of 4 threads", 200000, None, None),
    ("jobs", "10 us jobs for 4 threads", 20000, None, None),
    ("shell", "pipeline in sh", 200, None, None),
]
BOTH_ROOTS = ("stat", "open_close", "pread", "getdents")


class Side:
    """One way to run a program: native, lx on a root, a peer."""

    def __init__(self, name, prefix, env=None, binary=None, slow=False):
        self.name = name
        self.prefix = prefix
        self.env = env or {}
        self.binary = binary
        self.slow = slow  # a thousand times native: fewer iterations, two rounds


class Bench:
    def __init__(self, args):
        self.args = args
        self.work = tempfile.mkdtemp(prefix="picolx-bench-")
        os.chmod(self.work, 0o755)
        self.home = guest.private_dir(self.work, "home")
        self.cwd = guest.private_dir(self.work, "cwd")
        self.env = guest.clean_env(self.cwd)
        self.env["PICOLX_HOME"] = self.home
        self.micro = os.path.join(args.bin, "micro")
        self.notes = []

    def close(self):
        guest.end_processes_of(self.home)
        guest.remove_tree(self.work)

    def command(self, side, argv):
        return side.prefix + argv

    def run(self, side, argv, timeout=120):
        env = dict(self.env)
        env.update(side.env)
        try:
            p = subprocess.run(self.command(side, argv), cwd=self.cwd, env=env, timeout=timeout,
                               stdin=subprocess.DEVNULL, capture_output=True, text=True,
                               start_new_session=True, **guest.child_identity())
        except subprocess.TimeoutExpired:
            guest.end_processes_of(self.home)
            return None, "timed out"
        return p.returncode, p.stdout if p.returncode == 0 else (p.stderr or p.stdout)

    def lx(self, *opts, env=None):
        return Side("lx", [self.args.lx] + list(opts) + ["--"], env)

    def sides(self):
        """The columns of the micro-benchmarks."""
        a = self.args
        out = [Side("native", [])]
        if os.access(a.lx, os.X_OK):
            modes = [("", a.pku)] if a.pku is not None or not a.both_keys else [("", "1"), ("-nokeys", "0")]
            for suffix, pku in modes:
                env = {"PICOLX_PKU": pku} if pku is not None else {}
                if "host" in a.roots:
                    side = self.lx("--root", "/", "--cd", self.cwd, env=env)
                    side.name = "host" + suffix
                    out.append(side)
                if "dist" in a.roots:
                    side = self.lx("--cd", a.dist_dir, env=env)
                    side.name = "dist" + suffix
                    side.binary = "/mnt/c" + self.micro
                    out.append(side)
        else:
            self.notes.append("%s is missing: native figures only" % a.lx)
        if a.peers:
            out += [s for s in self.peers() if shutil.which(s.prefix[0])]
        usable = []
        for side in out:
            code, text = self.run(side, [side.binary or self.micro, "null", "1000"], 30)
            if code == 0:
                usable.append(side)
            else:
                self.notes.append("%s does not run here: %s" % (side.name, text.strip()[-200:]))
        return usable

    def peers(self):
        """Others that run this machine's programs for an ordinary user."""
        return [
            Side("bwrap", ["bwrap", "--dev-bind", "/", "/", "--proc", "/proc"]),
            Side("proot", ["proot", "-r", "/"], slow=True),
            Side("runsc", ["runsc", "--rootless", "--platform=ptrace", "--network=host", "--ignore-cgroups",
                           "--root=" + os.path.join(self.cwd, "runsc"), "do"], slow=True),
        ]

    def micro_once(self, side, name, iters):
        code, text = self.run(side, [side.binary or self.micro, name, str(iters)])
        try:
            return float(text)
        except (TypeError, ValueError):
            self.notes.append("%s %s: %s %s" % (side.name, name, code, (text or "").strip()[-200:]))
            return None

    def micro_all(self, sides, wanted):
        samples = {}
        for rnd in range(self.args.rounds):
            for name, _, iters, _, _ in wanted:
                n = max(20, int(iters * self.args.scale))
                order = sides if rnd % 2 == 0 else sides[::-1]
                for side in order:
                    if side.name.startswith("dist") and name not in BOTH_ROOTS and not self.args.all_dist:
                        continue
                    if side.slow and rnd > 1:
                        continue
                    value = self.micro_once(side, name, max(20, n // 100) if side.slow else n)
                    if value is not None:
                        samples.setdefault(name, {}).setdefault(side.name, []).append(value)
            print("round %d of %d done" % (rnd + 1, self.args.rounds), file=sys.stderr, flush=True)
        return samples

    # ---- start of lx, memory ----

    def time_once(self, side, argv):
        env = dict(self.env)
        env.update(side.env)
        t0 = time.perf_counter()
        p = subprocess.run(self.command(side, argv), cwd=self.cwd, env=env, timeout=60,
                           stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL, **guest.child_identity())
        return (time.perf_counter() - t0) * 1e9 if p.returncode == 0 else None

    def median_time(self, side, argv, count, before=None):
        values = []
        for _ in range(count):
            if before is not None:
                before()
            v = self.time_once(side, argv)
            if v is not None:
                values.append(v)
        return statistics.median(values) if values else None

    def start_times(self):
        native = Side("native", [])
        rows = []
        base = self.median_time(native, ["/bin/true"], 30)
        for label, opts, stop, target in (
                ("lx --root / -- /bin/true, cold", ["--root", "/"], True, 8),
                ("lx --root / -- /bin/true, manager warm", ["--root", "/"], False, None),
                ("lx -- /bin/true, cold", [], True, 8),
                ("lx -- /bin/true, instance warm", [], False, 4)):
            side = self.lx(*opts)
            if self.time_once(side, ["/bin/true"]) is None:
                self.notes.append("%s does not work" % label)
                continue
            before = (lambda: guest.end_processes_of(self.home)) if stop else None
            value = self.median_time(side, ["/bin/true"], 10 if stop else 20, before)
            rows.append(row(label, base, value, target))
        return rows

    def tree_memory(self, roots):
        """Sum over the processes and their descendants of PSS and page tables, KiB."""
        total = 0
        for pid in roots:
            try:
                with open("/proc/%d/smaps_rollup" % pid) as f:
                    total += sum(int(l.split()[1]) for l in f if l.startswith("Pss:"))
                with open("/proc/%d/status" % pid) as f:
                    total += sum(int(l.split()[1]) for l in f if l.startswith("VmPTE:"))
            except (OSError, ValueError):
                continue
        return total

    def hold(self, side, count):
        """Memory with `count` idle processes alive, KiB (the launcher itself not counted)."""
        env = dict(self.env)
        env.update(side.env)
        p = subprocess.Popen(self.command(side, [self.micro, "=hold", str(count)]), cwd=self.cwd, env=env,
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True,
                             **guest.child_identity())
        try:
            if p.stdout.readline().strip() != b"ready":
                return None
            time.sleep(0.3)
            pids = guest.processes_of(self.home)
            return self.tree_memory(pids)
        finally:
            p.stdin.close()
            try:
                p.wait(10)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()

    def memory(self):
        rows = []
        native = Side("native", [])
        lx = self.lx("--root", "/", "--cd", self.cwd)
        few, many = 5, 45
        guest.end_processes_of(self.home)
        n = [self.hold(native, c) for c in (few, many)]
        own = [self.hold(lx, c) for c in (few, many)]
        if None not in n and None not in own:
            per_native = (n[1] - n[0]) / (many - few)
            per_lx = (own[1] - own[0]) / (many - few)
            rows.append({"name": "a pico process beyond the program's (KiB)", "native": per_native,
                         "lx": per_lx, "value": per_lx - per_native, "target": 200,
                         "ok": per_lx - per_native <= 200})
        guest.end_processes_of(self.home)
        if self.time_once(self.lx(), ["/bin/true"]) is not None:
            time.sleep(0.5)
            kib = self.tree_memory(guest.processes_of(self.home))
            rows.append({"name": "an idle instance with its manager (KiB)", "native": None, "lx": kib,
                         "value": kib, "target": 10240, "ok": 0 < kib <= 10240})
        return rows


def row(name, native, value, target):
    ratio = value / native if value is not None and native else None
    return {"name": name, "native_ns": native, "lx_ns": value, "ratio": ratio, "target": target,
            "ok": None if ratio is None or target is None else ratio <= target}


def human(ns):
    if ns is None:
        return "-"
    for unit, size in (("s", 1e9), ("ms", 1e6), ("us", 1e3)):
        if ns >= size:
            return "%.2f %s" % (ns / size, unit)
    return "%.0f ns" % ns


def verdict(r):
    return "" if r["ok"] is None else "ok" if r["ok"] else "MISSED"


def print_rows(title, rows):
    if not rows:
        return
    print("\n%-44s %12s %12s %7s %7s  %s" % (title, "native", "measured", "ratio", "target", ""))
    for r in rows:
        print("%-44s %12s %12s %7s %7s  %s" % (
            r["name"], human(r["native_ns"]), human(r["lx_ns"]),
            "-" if r["ratio"] is None else "%.2f" % r["ratio"],
            "" if r["target"] is None else "%.1f" % r["target"], verdict(r)))


def micro_rows(samples, wanted, sides):
    rows = []
    for name, title, _, host_target, dist_target in wanted:
        got = samples.get(name, {})
        med = {k: statistics.median(v) for k, v in got.items()}
        for side in sides:
            if side.name == "native" or side.name not in med:
                continue
            target = dist_target if side.name == "dist" else host_target if side.name == "host" else None
            r = row("%s [%s]" % (title, side.name), med.get("native"), med[side.name], target)
            r["bench"] = name
            r["side"] = side.name
            r["samples"] = got[side.name]
            r["native_samples"] = got.get("native", [])
            pairs = [b / a for a, b in zip(r["native_samples"], r["samples"]) if a > 0]
            r["paired_ratio"] = statistics.median(pairs) if pairs else None
            rows.append(r)
        if len(med) == 1 and "native" in med:
            rows.append(row(title, med["native"], None, None))
    return rows


def parse(argv):
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("names", nargs="*", help="micro-benchmarks to run; all when absent")
    p.add_argument("--lx", default=os.path.join(TOP, "build", "lx"))
    p.add_argument("--bin", default=os.path.join(TOP, "build", "bench"))
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--scale", type=float, default=1.0, help="factor on the iterations")
    p.add_argument("--quick", action="store_true", help="two rounds, a tenth of the iterations")
    p.add_argument("--roots", default="host,dist", help="host (hostfs), dist (default distribution)")
    p.add_argument("--dist-dir", default="~", help="working folder in the distribution")
    p.add_argument("--all-dist", action="store_true", help="every benchmark on the distribution too")
    p.add_argument("--pku", choices=["0", "1"], help="PICOLX_PKU for lx")
    p.add_argument("--both-keys", action="store_true", help="columns with and without protection keys")
    p.add_argument("--peers", action="store_true", help="bwrap, proot and runsc too, where installed")
    p.add_argument("--no-start", action="store_true", help="leave out start times and memory")
    p.add_argument("--json", default=os.path.join(TOP, "build", "bench.json"))
    args = p.parse_args(argv)
    args.roots = args.roots.split(",")
    if args.quick:
        args.rounds = min(args.rounds, 2)
        args.scale *= 0.1
    return args


def main(argv):
    args = parse(argv)
    if not os.access(os.path.join(args.bin, "micro"), os.X_OK):
        print("bench: %s/micro is missing: make bench-bin" % args.bin, file=sys.stderr)
        return 2
    wanted = [m for m in MICRO if not args.names or m[0] in args.names]
    bench = Bench(args)
    start, mem = [], []
    load = os.getloadavg()[0]
    if load > 0.5:
        bench.notes.append("the machine is busy (load %.1f): figures of this run are rough" % load)
    try:
        sides = bench.sides()
        samples = bench.micro_all(sides, wanted)
        rows = micro_rows(samples, wanted, sides)
        if not args.no_start and not args.names and any(s.name.startswith(("host", "dist")) for s in sides):
            start = bench.start_times()
            mem = bench.memory()
    finally:
        bench.close()
    print_rows("micro-benchmark", rows)
    print_rows("start", start)
    for r in mem:
        print("%-44s %12.0f KiB, target %d  %s" % (r["name"], r["value"], r["target"], verdict(r)))
    for note in dict.fromkeys(bench.notes):
        print("note: " + note)
    missed = [r["name"] for r in rows + start + mem if r["ok"] is False]
    met = sum(r["ok"] is True for r in rows + start + mem)
    print("\nbench: %d targets met, %d missed%s" % (met, len(missed),
                                                    ": " + ", ".join(missed) if missed else ""))
    with open(args.json, "w") as f:
        json.dump({"kernel": platform.release(), "cpus": os.cpu_count(), "time": int(time.time()),
                   "rounds": args.rounds, "scale": args.scale, "rows": rows, "start": start,
                   "memory": mem, "notes": bench.notes}, f, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
