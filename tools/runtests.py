#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Run test programs, each in a process of its own with a time limit, and count.

Usage: runtests.py --results DIR SUITE PROGRAM...
A program that prints TAP (`ok N - name`, `not ok N - name`) counts by case, any other as one case.
Appends `SUITE passed failed` to DIR/SUITE.txt. Exit status 1 on any failure.
"""

import argparse
import concurrent.futures
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

TAP = re.compile(r"^(not ok|ok)\b(?:\s+\d+)?\s*-?\s*(.*)$")
SHOWN = 60


def limits():
    """Sanitizers: stop at the first fault, with a stack."""
    env = dict(os.environ)
    env.setdefault("ASAN_OPTIONS", "detect_leaks=1:abort_on_error=0:handle_abort=1")
    env.setdefault("UBSAN_OPTIONS", "print_stacktrace=1:halt_on_error=1")
    env.setdefault("PYTHONDONTWRITEBYTECODE", "1")
    return env


def count_tap(text):
    """(passed, failed names, planned) of a TAP stream; planned is None without a plan."""
    passed, failed, planned = 0, [], None
    for line in text.splitlines():
        plan = re.match(r"^1\.\.(\d+)", line)
        if plan:
            planned = int(plan.group(1))
        m = TAP.match(line)
        if m and "# SKIP" not in line:
            if m.group(1) == "ok":
                passed += 1
            else:
                failed.append(m.group(2))
    return passed, failed, planned


def run(program, timeout):
    """One program -> (name, passed, failed, seconds, text to show)."""
    argv = [sys.executable, program] if program.endswith(".py") else [os.path.abspath(program)]
    name = os.path.basename(program)
    if not os.path.exists(program):
        return name, 0, 1, 0.0, "not built"
    start = time.monotonic()
    with tempfile.TemporaryFile() as out:
        proc = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out,
                                stderr=subprocess.STDOUT, start_new_session=True, env=limits())
        late = ""
        try:
            proc.wait(timeout)
        except subprocess.TimeoutExpired:
            late = "\ntimed out after %d s" % timeout
        try:
            os.killpg(proc.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass
        proc.wait()
        out.seek(0)
        text = out.read().decode("utf-8", "replace")
    took = time.monotonic() - start
    passed, failed, planned = count_tap(text)
    bad = len(failed)
    if planned is None and not passed and not bad:
        passed = 0 if proc.returncode or late else 1
    if (proc.returncode or late) and not bad:
        bad = 1
    if planned is not None and passed + bad < planned and "# SKIP" not in text:
        bad += planned - passed - bad
    shown = "\n".join((text + late).splitlines()[-SHOWN:]) if bad else ""
    if bad and proc.returncode:
        shown += "\n[exit status %d]" % proc.returncode
    return name, passed, bad, took, shown


def main(argv):
    """Entry; returns the exit status."""
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--results", default="build/results")
    p.add_argument("--timeout", type=float, default=120)
    p.add_argument("--jobs", type=int, default=os.cpu_count() or 2)
    p.add_argument("suite")
    p.add_argument("programs", nargs="*")
    args = p.parse_args(argv)
    if not args.programs:
        return 0
    passed = failed = 0
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for name, good, bad, took, shown in pool.map(lambda x: run(x, args.timeout), args.programs):
            passed, failed = passed + good, failed + bad
            print("%-6s %-28s %4d passed %3d failed  %.1f s" % (
                "NOT OK" if bad else "ok", name, good, bad, took), flush=True)
            if shown:
                print("\n".join("    " + line for line in shown.splitlines()), flush=True)
    print("%s: %d passed, %d failed" % (args.suite, passed, failed))
    os.makedirs(args.results, exist_ok=True)
    with open(os.path.join(args.results, args.suite + ".txt"), "w", encoding="utf-8") as f:
        f.write("%s %d %d\n" % (args.suite, passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
