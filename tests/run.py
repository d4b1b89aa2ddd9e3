#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Run the guest tests natively (the oracle) and under lx, and compare case by case.

A test program prints TAP, one line per case. Natively every case must pass: one that does not is
reported as a broken test. Under lx each case must do the same. When a program dies or hangs under lx its
remaining cases are run one by one, so that one bad case does not hide the others.
Always as an ordinary user, in a private working directory.
"""

import argparse
import atexit
import fnmatch
import os
import pwd
import queue
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(HERE)
NOBODY = 65534
TAP = re.compile(r"^(ok|not ok) \d+ - (\S+)(?: # SKIP ?(.*))?$")


class Result:
    """One run of one program."""

    def __init__(self, out, status, timed_out, seconds):
        self.out = out
        self.status = status
        self.timed_out = timed_out
        self.seconds = seconds
        self.cases = {}
        self.plan = None
        self.other = []
        for line in out.splitlines():
            m = TAP.match(line)
            if m:
                state = "skip" if m.group(3) is not None else "ok" if m.group(1) == "ok" else "not ok"
                self.cases[m.group(2)] = state
            elif line.startswith("1.."):
                self.plan = int(line[3:]) if line[3:].isdigit() else 0
            elif not line.startswith("#"):
                self.other.append(line)

    def complete(self):
        return not self.timed_out and self.plan is not None and len(self.cases) == self.plan

    def how_it_ended(self):
        if self.timed_out:
            return "timed out after %.0f s" % self.seconds
        if self.status < 0:
            return "killed by signal %d" % -self.status
        return "exit status %d" % self.status

    def tail(self, count=12):
        return self.out.splitlines()[-count:]


def ordinary_user():
    """uid and gid to run as, or None when we are ordinary already."""
    if os.geteuid() != 0:
        return None
    return NOBODY, NOBODY


def child_identity(as_root=False):
    ids = ordinary_user()
    if ids is None or as_root:
        return {}
    return {"user": ids[0], "group": ids[1], "extra_groups": []}


# A folder of its own in a distribution; $0 is the program there.
IN_SCRATCH = "d=$(mktemp -d /scratchXXXXXX) && chmod 755 $d && cd $d && exec $0 \"$@\""


def for_root(prog):
    """Programs named r_* run as root: natively where we are root, and in a distribution."""
    return os.path.basename(prog).startswith("r_")


def may_write(folder):
    """Whether an ordinary user may."""
    return subprocess.run(["test", "-w", folder], **child_identity()).returncode == 0


def within_reach(*paths):
    """These files or folders of one build, for an ordinary user: when he cannot get at them (a clone
    in root's home folder), in a copy that is removed at the end."""
    if ordinary_user() is None or all(
            subprocess.run(["test", "-r", p], **child_identity()).returncode == 0
            for p in paths if os.path.exists(p)):
        return paths
    build = os.path.dirname(paths[0])
    copy = tempfile.mkdtemp(prefix="picolx-build-")
    atexit.register(shutil.rmtree, copy, ignore_errors=True)
    os.chmod(copy, 0o755)
    for name in ("lx", "lxmanager", "lxcore", "init", "distro.tar"):
        if os.path.exists(os.path.join(build, name)):
            shutil.copy(os.path.join(build, name), copy)
    there = [os.path.join(copy, os.path.relpath(p, build)) for p in paths]
    for path, to in zip(paths, there):
        if os.path.isdir(path):
            shutil.copytree(path, to)
        elif os.path.exists(path) and not os.path.exists(to):
            os.makedirs(os.path.dirname(to), exist_ok=True)
            shutil.copy(path, to)
    return there


def private_dir(parent, name):
    path = os.path.join(parent, name)
    os.mkdir(path, 0o700)
    ids = ordinary_user()
    if ids is not None:
        os.chown(path, *ids)
    return path


def remove_tree(path):
    def force(func, bad, _):
        try:
            os.chmod(os.path.dirname(bad), 0o700)
            os.chmod(bad, 0o700)
            func(bad)
        except OSError:
            pass
    shutil.rmtree(path, onerror=force)


def clean_env(home):
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
        "HOME": home,
        "TMPDIR": home,
        "LANG": "C.UTF-8",
        "TERM": "xterm",
        "SHELL": "/bin/sh",
    }


def run_process(argv, cwd, env, timeout, stdin=None, as_root=False):
    """Run in a session of its own; its process group is killed at the limit. Result."""
    start = time.monotonic()
    with tempfile.TemporaryFile() as out:
        proc = subprocess.Popen(
            argv, cwd=cwd, env=env, stdin=stdin if stdin is not None else subprocess.DEVNULL,
            stdout=out, stderr=subprocess.STDOUT, start_new_session=True, close_fds=True,
            **child_identity(as_root))
        timed_out = False
        try:
            proc.wait(timeout)
        except subprocess.TimeoutExpired:
            timed_out = True
        try:
            os.killpg(proc.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass
        proc.wait()
        out.seek(0)
        text = out.read().decode("utf-8", "replace")
    return Result(text, proc.returncode, timed_out, time.monotonic() - start)


def processes_of(home):
    """Ids of the processes whose environment names this PICOLX_HOME, with all their descendants."""
    wanted = ("PICOLX_HOME=" + home).encode()
    parents = {}
    found = set()
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open("/proc/%s/stat" % name, "rb") as f:
                fields = f.read().rsplit(b")", 1)[1].split()
            parents[int(name)] = int(fields[1])
            with open("/proc/%s/environ" % name, "rb") as f:
                if wanted in f.read().split(b"\0"):
                    found.add(int(name))
        except (OSError, IndexError, ValueError):
            continue
    grown = True
    while grown:
        grown = False
        for pid, parent in parents.items():
            if parent in found and pid not in found:
                found.add(pid)
                grown = True
    found.discard(os.getpid())
    return found


def end_processes_of(home):
    """End what a run under lx left behind (its manager, instances); returns how many there were."""
    total = 0
    for _ in range(20):
        pids = processes_of(home)
        if not pids:
            break
        total = max(total, len(pids))
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass
        time.sleep(0.05)
    return total


def keys_off(pku):
    """True when lx runs without protection keys: switched off, or the CPU has none."""
    if pku is not None:
        return pku == "0"
    try:
        with open("/proc/cpuinfo") as f:
            return " ospke" not in f.read()
    except OSError:
        return False


class Expectations:
    """tests/expect.tbl: cases known to fail under lx, with a reason; PROGRAM@nokeys: without keys only."""

    def __init__(self, path, nokeys):
        self.rows = []
        self.nokeys = nokeys
        if not os.path.exists(path):
            return
        with open(path) as f:
            for number, line in enumerate(f, 1):
                line = line.strip()
                if not line or line.startswith("#"):
                    continue
                words = line.split(None, 2)
                if len(words) < 3:
                    sys.exit("%s:%d: want: program case reason" % (path, number))
                name, _, when = words[0].partition("@")
                if when == "" or (when == "nokeys" and nokeys):
                    self.rows.append((name, words[1], words[2]))

    def reason(self, prog, case):
        for p, c, why in self.rows:
            if p == prog and (c == case or c == "*"):
                return why
        return None

    def leave_out(self, prog):
        """A program that must not even be run without keys."""
        return self.nokeys and self.reason(prog, "*") is not None


class Runner:
    def __init__(self, args):
        self.args = args
        self.work = tempfile.mkdtemp(prefix="picolx-test-")
        os.chmod(self.work, 0o755)
        self.serial = 0
        self.lock = threading.Lock()
        self.passed = 0
        self.failed = 0
        self.skipped = 0
        self.expected = 0
        self.broken = []
        self.failures = []
        self.times = []
        self.expect = Expectations(os.path.join(HERE, "expect.tbl"), keys_off(args.pku))
        self.reachable = None

    def say(self, text):
        with self.lock:
            print(text, flush=True)

    def new_dir(self):
        with self.lock:
            self.serial += 1
            name = "d%d" % self.serial
        return private_dir(self.work, name)

    def run(self, prog, cases, home, timeout):
        """Run natively (home None) or under lx, in a fresh private directory."""
        cwd = self.new_dir()
        env = clean_env(cwd)
        argv = [prog] + cases
        as_root = for_root(prog)
        if home is not None:
            env["PICOLX_HOME"] = home
            if self.args.pku is not None:
                env["PICOLX_PKU"] = self.args.pku
            where = ["-u", "root", "--cd", "/"] if as_root else ["--root", "/", "--cd", cwd]
            argv = [self.args.lx] + where + self.args.lx_arg + ["--"]
            argv += ["sh", "-c", IN_SCRATCH, "/mnt/c" + prog] + cases if as_root else [prog] + cases
        elif as_root and os.geteuid() == 0:
            os.chown(cwd, 0, 0)
            os.chmod(cwd, 0o755)
        result = run_process(argv, cwd, env, timeout, as_root=as_root and home is None)
        if home is not None and result.timed_out:
            end_processes_of(home)
        remove_tree(cwd)
        return result

    def promised(self, prog):
        """What a program for root would say natively, for somebody who is not root: all is well."""
        names = self.run(prog, ["--list"], None, self.args.timeout).out.split()
        lines = ["1..%d" % len(names)] + ["ok %d - %s" % (i + 1, n) for i, n in enumerate(names)]
        return Result("\n".join(lines) + "\n", 0, False, 0.0)

    def under_lx(self, prog, native, home):
        """Cases under lx: name -> (state, lines to show)."""
        limit = self.args.timeout
        whole = self.run(prog, [], home, limit)
        if native.plan is None:
            same = (whole.out, whole.status) == (native.out, native.status)
            return {"run": ("ok" if same else "not ok", whole.tail() + [whole.how_it_ended()])}
        notes = case_notes(whole.out)
        states = {name: (state, notes.get(name, [])) for name, state in whole.cases.items()}
        if whole.complete() or (whole.timed_out and whole.plan == len(whole.cases)):
            if whole.timed_out or whole.status != native.status and "not ok" not in whole.cases.values():
                states["end"] = ("not ok", ["all cases ran, then: " + whole.how_it_ended()])
            if whole.other != native.other:
                states["output"] = ("not ok", ["output differs from native"] + whole.other[-8:])
            return states
        missing = [c for c in native.cases if c not in states]
        for case in missing:
            if len(missing) > self.args.isolate and missing.index(case) >= self.args.isolate:
                states[case] = ("not ok", ["not run: the program ended before: " + whole.how_it_ended()])
                continue
            one = self.run(prog, [case], home, min(limit, self.args.case_timeout))
            state = one.cases.get(case, "not ok")
            lines = one.tail()
            if not one.complete():
                state = "not ok"
                lines = lines + [one.how_it_ended()]
            states[case] = (state, lines)
        return states

    def one_program(self, prog, home):
        name = os.path.basename(prog)
        if for_root(prog) and os.geteuid() != 0:
            native = self.promised(prog)
        else:
            native = self.run(prog, [], None, self.args.timeout)
        if native.plan is None and not native.timed_out and native.status >= 0:
            native.cases = {"run": "ok"} if native.status == 0 else {"run": "not ok"}
        elif not native.complete():
            with self.lock:
                self.broken.append((name, "-", [native.how_it_ended()] + native.tail()))
        bad = [c for c, s in native.cases.items() if s == "not ok"]
        with self.lock:
            for case in bad:
                notes = case_notes(native.out).get(case, native.tail())
                self.broken.append((name, case, notes))
        good = {c: s for c, s in native.cases.items() if s != "not ok"}
        if not self.args.native_only and self.expect.leave_out(name):
            with self.lock:
                self.expected += len(good)
            self.say("known  %-28s %s" % (name, self.expect.reason(name, "*")))
            return
        if self.args.native_only:
            self.count_native(name, good, bad, native)
            return
        start = time.monotonic()
        states = self.under_lx(prog, native, home)
        took = time.monotonic() - start
        self.count_lx(name, good, states, native, took)

    def count_native(self, name, good, bad, native):
        with self.lock:
            skips = sum(s == "skip" for s in good.values())
            self.skipped += skips
            self.passed += len(good) - skips
            self.failed += len(bad) + (0 if native.complete() or native.plan is None else 1)
            self.times.append((native.seconds, name))
        mark = "ok" if not bad and (native.complete() or native.plan is None) else "NOT OK"
        self.say("%-6s %-28s %3d cases, %d skipped  %.1f s"
                 % (mark, name, len(native.cases), skips, native.seconds))

    def count_lx(self, name, good, states, native, took):
        fails = []
        passed = skipped = expected = 0
        wanted = dict(good)
        for extra in ("output", "end"):
            if extra in states:
                wanted[extra] = "ok"
        for case, state in wanted.items():
            got, lines = states.get(case, ("not ok", ["no result"]))
            why = self.expect.reason(name, case)
            if state == "skip":
                skipped += 1
            elif got == "ok" and why is None:
                passed += 1
            elif got == "ok":
                fails.append((name, case, ["passes, but tests/expect.tbl says: " + why]))
            elif why is not None:
                expected += 1
            else:
                if got == "skip":
                    lines = ["skipped under lx, but runs natively"] + lines
                fails.append((name, case, lines))
        with self.lock:
            self.passed += passed
            self.failed += len(fails)
            self.skipped += skipped
            self.expected += expected
            self.failures += fails
            self.times.append((took, name))
        self.say("%-6s %-28s %3d passed %3d failed%s  native %.1f s, lx %.1f s" % (
            "ok" if not fails else "NOT OK", name, passed, len(fails),
            ", %d known" % expected if expected else "", native.seconds, took))

    def worker(self, jobs, number):
        home = None
        if not self.args.native_only:
            home = private_dir(self.work, "home%d" % number)
        while True:
            try:
                prog = jobs.get_nowait()
            except queue.Empty:
                break
            try:
                self.one_program(prog, home)
            except Exception as e:  # the run goes on; the program counts as failed
                with self.lock:
                    self.failures.append((os.path.basename(prog), "-", ["runner: %r" % e]))
                    self.failed += 1
        if home is not None:
            end_processes_of(home)

    def run_all(self, progs):
        jobs = queue.Queue()
        for p in progs:
            jobs.put(p)
        threads = [threading.Thread(target=self.worker, args=(jobs, i))
                   for i in range(min(self.args.jobs, max(1, len(progs))))]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        remove_tree(self.work)


def case_notes(out):
    """Comment lines before each case's result line."""
    notes = {}
    pending = []
    for line in out.splitlines():
        m = TAP.match(line)
        if m:
            notes[m.group(2)] = pending
            pending = []
        elif line.startswith("#"):
            pending.append(line)
    return notes


def find_programs(folder, patterns):
    progs = []
    for root, _, names in os.walk(folder):
        for name in sorted(names):
            path = os.path.join(root, name)
            mode = os.stat(path).st_mode
            if not stat.S_ISREG(mode) or not mode & 0o111 or name.endswith((".o", ".d")):
                continue
            if not patterns or any(matches(name, p) for p in patterns):
                progs.append(path)
    return progs


def matches(name, pattern):
    bare = name[2:] if name.startswith("t_") else name
    return fnmatch.fnmatch(name, pattern) or fnmatch.fnmatch(bare, pattern) or pattern in name


def show(title, items, limit):
    if not items:
        return
    print("\n== %s (%d)" % (title, len(items)))
    for name, case, lines in items[:limit]:
        print("-- %s %s" % (name, case))
        for line in lines[-14:]:
            print("   " + line[:300])
    if len(items) > limit:
        print("   ... and %d more:" % (len(items) - limit))
        for name, case, _ in items[limit:]:
            print("   %s %s" % (name, case))


def parse(argv):
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("patterns", nargs="*", help="program names (t_pipe, pipe, 'mm*'); all when absent")
    p.add_argument("--jobs", "-j", type=int, default=os.cpu_count() or 2)
    p.add_argument("--native-only", action="store_true", help="check the tests on the real kernel only")
    p.add_argument("--lx", default=os.path.join(TOP, "build", "lx"))
    p.add_argument("--lx-arg", action="append", default=[], help="one more argument for lx")
    p.add_argument("--pku", choices=["0", "1"], help="PICOLX_PKU for lx")
    p.add_argument("--bin", default=os.path.join(TOP, "build", "tests", "guest"))
    p.add_argument("--timeout", type=float, default=60, help="seconds for a whole program")
    p.add_argument("--case-timeout", type=float, default=15, help="seconds for one isolated case")
    p.add_argument("--isolate", type=int, default=40, help="cases to run alone when a program dies")
    p.add_argument("--results", help="folder for the sum")
    p.add_argument("--repeat", type=int, default=1)
    p.add_argument("--show", type=int, default=60, help="failures to print in full")
    p.add_argument("--list", action="store_true")
    return p.parse_args(argv)


def write_results(folder, suite, passed, failed):
    """For tools/summary.py; nothing without a folder."""
    if folder:
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, suite + ".txt"), "w") as f:
            f.write("%s %d %d\n" % (suite, passed, failed))


def signals_as_usual():
    """Whoever started us may ignore some (nohup, a background job); the programs must not inherit that."""
    for number in signal.valid_signals():
        if number != signal.SIGPIPE and signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


def main(argv):
    args = parse(argv)
    args.lx, args.bin = within_reach(os.path.abspath(args.lx), os.path.abspath(args.bin))
    signals_as_usual()
    progs = find_programs(args.bin, args.patterns)
    if args.list:
        print("\n".join(os.path.basename(p) for p in progs))
        return 0
    if not progs:
        print("run.py: no test programs in %s match" % args.bin, file=sys.stderr)
        return 2
    if not args.native_only and not os.access(args.lx, os.X_OK):
        print("run.py: %s is missing; build it, or use --native-only" % args.lx, file=sys.stderr)
        return 2
    ids = ordinary_user()
    if ids is not None:
        try:
            who = pwd.getpwuid(ids[0]).pw_name
        except KeyError:
            who = str(ids[0])
        print("running the tests as %s" % who)
    runner = Runner(args)
    try:
        runner.run_all(progs * args.repeat)
    except KeyboardInterrupt:
        pass
    show("broken tests: they fail on the real kernel", runner.broken, args.show)
    show("failures under lx", runner.failures, args.show)
    label = "native" if args.native_only else "guest"
    print("\n%s: %d passed, %d failed, %d skipped, %d known differences, %d broken tests" % (
        label, runner.passed, runner.failed, runner.skipped, runner.expected, len(runner.broken)))
    write_results(args.results, "guest", runner.passed, runner.failed + len(runner.broken))
    return 1 if runner.failed or runner.broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
