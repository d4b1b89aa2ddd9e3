#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Long tests of lx: loops of real programs, many processes and threads, kills at random moments.

  loops    gcc, python and a shell pipeline, many times on all cores, in one instance and one instance each
  alive    1000 processes alive at once, 500 threads in one process
  kill     SIGKILL at random moments to pico processes, the supervisor, lxmanager and lx
  picos    SIGKILL to processes of one instance that are in lxcore nearly all the time
  all      everything

What the instance holds (processes, host handles, memory) is counted before and after. Only processes below
the manager of this run's own PICOLX_HOME, and the lx started here, are ever signalled, by their ids.
"""

import argparse
import os
import random
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.dirname(HERE))
import run as guest  # noqa: E402  (tests/run.py)

HELLO_C = "#include <stdio.h>\nint main(void) { printf(\"%d\\n\", 6 * 7); return 0; }\n"
LOOPS = [
    ("pipeline", "seq 1 300 | grep 7 | sort -r | awk '{s += $1} END {print s}'", "9264"),
    ("python", "/usr/bin/python3 -S -c 'import os, threading\n"
               "t = threading.Thread(target=os.getpid); t.start(); t.join()\n"
               "p = os.fork()\nif p == 0: os._exit(5)\nprint(os.waitpid(p, 0)[1] >> 8)'", "5"),
    ("gcc", "d=$(mktemp -d) && gcc -O1 -o $d/prog hello.c && $d/prog; rm -r $d", "42"),
]


class Counts:
    """What a tree of processes holds: processes, handles, memory in KiB."""

    def __init__(self, home):
        self.pids = guest.processes_of(home)
        self.handles = 0
        self.memory = 0
        tables = set()
        for pid in self.pids:
            try:
                # All pico processes of an instance share one table: count it once.
                inode = tuple(sorted(os.listdir("/proc/%d/fd" % pid), key=int))
                if inode not in tables:
                    tables.add(inode)
                    self.handles += len(inode)
                with open("/proc/%d/smaps_rollup" % pid) as f:
                    self.memory += sum(int(l.split()[1]) for l in f if l.startswith("Pss:"))
            except (OSError, ValueError):
                continue

    def __str__(self):
        return "%d processes, %d handles, %d KiB" % (len(self.pids), self.handles, self.memory)


class Lines:
    """Lines of a pipe, with a time limit; nothing hidden in a buffer that select cannot see."""

    def __init__(self, pipe):
        self.fd = pipe.fileno()
        self.rest = b""

    def next(self, timeout):
        end = time.monotonic() + timeout
        while b"\n" not in self.rest:
            if not select.select([self.fd], [], [], max(0, end - time.monotonic()))[0]:
                raise EOFError("no answer within %.0f s, have %r" % (timeout, self.rest[-200:]))
            data = os.read(self.fd, 65536)
            if not data:
                raise EOFError("the shell ended, have %r" % self.rest[-200:])
            self.rest += data
        line, self.rest = self.rest.split(b"\n", 1)
        return line.decode("utf-8", "replace").strip()

    def until(self, mark, timeout):
        """The lines before the mark."""
        lines = []
        end = time.monotonic() + timeout
        while True:
            try:
                line = self.next(max(1, end - time.monotonic()))
            except EOFError as e:
                raise EOFError("waiting for %s: %s; %r" % (mark, e, lines[-3:])) from None
            if line == mark:
                return lines
            lines.append(line)


class Soak:
    def __init__(self, args):
        self.args = args
        self.work = tempfile.mkdtemp(prefix="picolx-soak-")
        os.chmod(self.work, 0o755)
        self.home = guest.private_dir(self.work, "home")
        self.cwd = guest.private_dir(self.work, "cwd")
        with open(os.path.join(self.cwd, "hello.c"), "w") as f:
            f.write(HELLO_C)
        self.env = guest.clean_env(self.cwd)
        if not args.native:
            self.env["PICOLX_HOME"] = self.home
        if args.pku is not None:
            self.env["PICOLX_PKU"] = args.pku
        self.failures = []

    def fail(self, text):
        self.failures.append(text)
        print("NOT OK " + text, flush=True)

    def say(self, text):
        print(text, flush=True)

    def argv(self, argv, root=True):
        if self.args.native:
            return argv
        opts = ["--root", "/", "--cd", self.cwd] if root else ["--user", "root"]
        return [self.args.lx] + opts + ["--"] + argv

    def popen(self, argv, root=True, **kw):
        kw.setdefault("stdin", subprocess.DEVNULL)
        kw.setdefault("stdout", subprocess.PIPE)
        kw.setdefault("stderr", subprocess.STDOUT)
        return subprocess.Popen(self.argv(argv, root), cwd=self.cwd, env=self.env, text=True,
                                start_new_session=True, **kw, **guest.child_identity())

    def run(self, argv, timeout, root=True):
        """(status, output), status None when it hung and had to be killed."""
        p = self.popen(argv, root)
        try:
            out, _ = p.communicate(timeout=timeout)
            return p.returncode, out
        except subprocess.TimeoutExpired:
            os.killpg(p.pid, signal.SIGKILL)
            out, _ = p.communicate()
            return None, out

    # ---- loops ----

    def instance_each(self, count):
        for name, script, want in LOOPS:
            done = [0]
            lock = threading.Lock()
            bad = []

            def worker():
                while True:
                    with lock:
                        if done[0] >= count or len(bad) > 5:
                            return
                        done[0] += 1
                    status, out = self.run(["sh", "-c", script], 60)
                    if status != 0 or out.strip() != want:
                        with lock:
                            bad.append("%s: status %s, output %r" % (name, status, (out or "")[-200:]))
            t0 = time.monotonic()
            threads = [threading.Thread(target=worker) for _ in range(os.cpu_count() or 2)]
            for t in threads:
                t.start()
            for t in threads:
                t.join()
            self.say("%s: %d runs, an instance each, %.0f s" % (name, done[0], time.monotonic() - t0))
            for b in bad[:5]:
                self.fail("loops " + b)

    def one_instance(self, count):
        """A shell stays; it runs the loops as we tell it, and we count in between."""
        p = self.popen(["sh"], stdin=subprocess.PIPE)
        out = Lines(p.stdout)
        try:
            for name, script, want in LOOPS:
                self.in_shell(p, out, name, script, want, 20)  # warm
                before = Counts(self.home)
                t0 = time.monotonic()
                bad = self.in_shell(p, out, name, script, want, count)
                after = Counts(self.home)
                self.say("%s: %d runs in one instance, %.0f s; before %s; after %s" % (
                    name, count, time.monotonic() - t0, before, after))
                if bad:
                    self.fail("loops %s in one instance: %s" % (name, bad))
                self.compare("loops " + name, before, after)
            p.stdin.close()
            p.wait(20)
        except (OSError, subprocess.TimeoutExpired, EOFError) as e:
            self.fail("loops in one instance: %r" % e)
        finally:
            if p.poll() is None:
                os.killpg(p.pid, signal.SIGKILL)
                p.wait()

    def in_shell(self, p, out, name, script, want, count):
        """Run it `count` times, half of them on each of two jobs; text of what went wrong, or ''."""
        half = (count + 1) // 2
        body = ("job() { n=0; b=0; while [ $n -lt %d ]; do n=$((n + 1)); o=$(%s); "
                "[ \"$o\" = '%s' ] || { b=$((b + 1)); echo \"got $o\"; }; done; echo bad $b; }\n"
                "job & j1=$!; job & j2=$!; wait $j1; wait $j2; echo end-of-%s\n"
                % (half, script, want, name))
        p.stdin.write(body)
        p.stdin.flush()
        lines = [l for l in out.until("end-of-" + name, 60 + count * 3) if l != "bad 0"]
        return " ".join(lines[:6])

    def compare(self, what, before, after, memory=1024):
        # The pool of prepared processes comes and goes by a few.
        if self.args.native:
            return
        if len(after.pids) > len(before.pids) + 6:
            self.fail("%s: processes %d -> %d" % (what, len(before.pids), len(after.pids)))
        if after.handles > before.handles + 4:
            self.fail("%s: handles %d -> %d" % (what, before.handles, after.handles))
        if after.memory > before.memory * 1.05 + memory:
            self.fail("%s: memory %d -> %d KiB" % (what, before.memory, after.memory))

    def loops(self):
        self.one_instance(self.args.count)
        self.instance_each(self.args.count)
        self.settled("loops")

    def settled(self, what):
        """After the last client no instance may be left (the manager may)."""
        if self.args.native:
            return
        end = time.monotonic() + 20
        while time.monotonic() < end:
            pids = [p for p in guest.processes_of(self.home) if comm(p) not in ("lxmanager", "lx")]
            if not pids:
                return
            time.sleep(0.2)
        self.fail("%s: left behind: %s" % (what, ["%d %s" % (p, comm(p)) for p in pids][:10]))

    # ---- many at once ----

    def alive(self):
        micro = self.args.micro
        p = self.popen(["sh"], stdin=subprocess.PIPE)
        out = Lines(p.stdout)
        try:
            p.stdin.write("echo up\n")
            p.stdin.flush()
            out.until("up", 30)
            counts = [self.thousand(p, out, micro) for _ in range(5)]
            self.compare("alive", counts[2], counts[4], 2048)
            p.stdin.close()
            p.wait(20)
        except (OSError, EOFError, subprocess.TimeoutExpired) as e:
            self.fail("alive: %r" % e)
        finally:
            if p.poll() is None:
                os.killpg(p.pid, signal.SIGKILL)
                p.wait()
        prog = self.args.threads
        for i in range(20):
            status, out = self.run([prog, "five_hundred_at_once"], 60)
            if status != 0:
                self.fail("500 threads, run %d: status %s %s" % (i, status, (out or "")[-300:]))
                break
        self.settled("alive")

    def thousand(self, p, out, micro):
        """1000 processes come and go; what is held afterwards."""
        before = Counts(self.home)
        p.stdin.write("rm -f hold-in; mkfifo hold-in; %s =hold 1000 < hold-in & exec 9> hold-in\n" % micro)
        p.stdin.flush()
        t0 = time.monotonic()
        out.until("ready", 60)
        during = Counts(self.home)
        self.say("1000 processes after %.1f s: before %s; now %s" % (time.monotonic() - t0, before, during))
        if not self.args.native and len(during.pids) < 1000:
            self.fail("alive: only %d processes" % len(during.pids))
        p.stdin.write("exec 9>&-; wait; echo all-gone\n")
        p.stdin.flush()
        out.until("all-gone", 60)
        time.sleep(1)
        after = Counts(self.home)
        self.say("after: %s" % after)
        return after

    # ---- kills ----

    WORK = ("i=0; while :; do i=$((i + 1)); seq $i $((i + 200)) > data.tmp && mv data.tmp data; "
            "ls / | sort | wc -l > /dev/null; (cat data | tail -n 1 > last.tmp; mv last.tmp last) & wait; "
            "/usr/bin/python3 -S -c 'import os; os.fork() or os._exit(0)' & wait; done")

    def victims(self, lx):
        """Processes of this run by role."""
        roles = {"lx": [lx.pid], "manager": [], "supervisor": [], "pico": []}
        parents = {}
        for pid in guest.processes_of(self.home):
            name = comm(pid)
            if name == "lx":
                continue
            if name == "lxmanager":
                roles["manager"].append(pid)
            else:
                parents[pid] = ppid(pid)
        for pid, parent in parents.items():
            if parent in roles["manager"]:
                roles["supervisor"].append(pid)
            elif parent in parents:
                roles["pico"].append(pid)  # else it ended while we looked
        return roles

    def kill(self):
        rng = random.Random(self.args.seed)
        order = ["pico", "pico", "supervisor", "lx", "manager", "pico"]
        told = {}
        for i in range(self.args.count):
            role = order[i % len(order)]
            self.settled("kill %d" % i)  # else the victim may be the last round's instance, which ends by itself
            lx = self.popen(["sh", "-c", self.WORK])
            time.sleep(rng.uniform(0.02, 0.4))
            pids = self.victims(lx)[role]
            target = rng.choice(pids) if pids else None
            if target is None:
                role = "nobody"
                self.stop(lx)
            else:
                send(target)
                self.after_kill(lx, role, i)
            told[role] = told.get(role, 0) + 1
            if not self.healthy(role, i):
                break
        self.say("killed: " + ", ".join("%d %s" % (n, r) for r, n in sorted(told.items())))
        self.settled("kill")

    def stop(self, lx):
        os.killpg(lx.pid, signal.SIGKILL)
        lx.communicate()

    def after_kill(self, lx, role, i):
        """A pico process may be missed by the script, which goes on; everything else ends lx soon."""
        try:
            lx.communicate(timeout=0.3 if role == "pico" else 15)
        except subprocess.TimeoutExpired:
            if role != "pico":
                self.fail("kill %d: lx hangs after the %s was killed" % (i, role))
            self.stop(lx)

    def healthy(self, role, i):
        end = time.monotonic() + 15
        while time.monotonic() < end:
            left = [p for p in guest.processes_of(self.home) if comm(p) not in ("lxmanager", "lx")]
            if not left:
                break
            time.sleep(0.05)
        else:
            self.fail("kill %d (%s): left behind %s" % (i, role, [(p, comm(p)) for p in left][:8]))
            guest.end_processes_of(self.home)
            return False
        status, out = self.run(["sh", "-c", "tail -n 1 data 2>/dev/null | wc -l"], 20)
        if status != 0:
            self.fail("kill %d (%s): the next lx: status %s, %r" % (i, role, status, (out or "")[-300:]))
            return False
        path = os.path.join(self.cwd, "data")
        if os.path.exists(path):
            with open(path) as f:
                lines = f.read().split()
            first = int(lines[0]) if lines else 0
            if lines != [str(n) for n in range(first, first + 201)]:
                self.fail("kill %d (%s): the file is damaged: %d lines" % (i, role, len(lines)))
                return False
        return True

    def kill_distribution(self):
        """The same with the default distribution: its files have to be whole afterwards, owners and modes too."""
        work = ("cd; i=0; while :; do i=$((i + 1)); seq $i $((i + 200)) > d.tmp; chmod 640 d.tmp; "
                "chown 0:0 d.tmp; "
                "mv d.tmp d; mkdir -p t/$i; ln -sf d t/$i/l; rm -rf t/$((i - 3)); done")
        check = ("cd; rm -f d.tmp; [ -e d ] || exit 0; [ $(wc -l < d) = 201 ] || exit 11; "
                 "[ \"$(stat -c '%a %u' d)\" = '640 0' ] || exit 12; "
                 "for x in t/*; do [ \"$x\" = 't/*' ] || [ -d $x ] || exit 13; "
                 "[ ! -L $x/l ] || [ \"$(readlink $x/l)\" = d ] || exit 14; done; rm -rf t; exit 0")
        rng = random.Random(self.args.seed)
        status, out = self.run(["sh", "-c", "true"], 30, root=False)
        if status != 0:
            self.fail("kill: the default distribution does not start: %s %r" % (status, out))
            return
        for i in range(self.args.count // 5):
            role = ["pico", "supervisor", "manager", "lx"][i % 4]
            lx = self.popen(["sh", "-c", work], root=False)
            time.sleep(rng.uniform(0.02, 0.5))
            pids = self.victims(lx)[role]
            if pids:
                send(rng.choice(pids))
            self.after_kill(lx, "pico" if role == "pico" or not pids else role, i)
            status, out = self.run(["sh", "-c", check], 30, root=False)
            if status != 0:
                self.fail("kill distribution %d (%s): status %s %r" % (i, role, status, (out or "")[-300:]))
                if len(self.failures) > 10:
                    return

    def picos(self):
        """Kills inside one instance: it goes on, nothing in it hangs, nothing is lost or left."""
        kills = stops = 0
        rng = random.Random(self.args.seed)
        while kills < self.args.count and stops < 50 and len(self.failures) < 10:
            n, why = self.mill(rng, self.args.count - kills)
            kills += n
            if why:
                stops += 1
                self.say("after %d kills the instance stopped: %s" % (kills, why))
        self.say("%d kills of picos, %d stops of an instance" % (kills, stops))
        if stops > self.args.count // 500:
            self.fail("picos: %d stops" % stops)
        self.settled("picos")

    def mill(self, rng, count):
        """Kill processes of one instance; (kills, why the instance ended or None)."""
        lx = self.popen([self.args.mill, "12"], stdin=subprocess.PIPE)
        out = Lines(lx.stdout)
        kills = 0
        try:
            out.until("up", 30)
            spare = guest.processes_of(self.home)
            lx.stdin.write("go\n")
            lx.stdin.flush()
            out.next(20)
            while kills < count:
                pids = sorted(guest.processes_of(self.home) - spare)
                if not pids:
                    time.sleep(0.05)
                for pid in rng.sample(pids, min(3, len(pids), count - kills)):
                    time.sleep(rng.uniform(0, 0.004))
                    send(pid)
                    kills += 1
                while select.select([out.fd], [], [], 0)[0]:
                    self.mill_line(lx, out.next(20))
                if kills % 50 == 0:
                    self.mill_line(lx, out.next(20))
            lx.stdin.close()
            line = ""
            while line != "clean":
                line = out.next(60)
                self.mill_line(lx, line)
            if lx.wait(20) != 0:
                self.fail("picos: lx ended with %d" % lx.returncode)
            return kills, None
        except (EOFError, OSError) as e:
            if lx.poll() is None:
                try:
                    lx.wait(5)
                except subprocess.TimeoutExpired:
                    self.fail("picos: hangs after %d kills: %r" % (kills, e))
                    self.stop(lx)
            why = "%r; %s" % (e, self.last_log())
            return kills, why

    def mill_line(self, lx, line):
        if line.startswith("deaths") or line == "clean":
            return
        self.fail("picos: " + line)
        for pid in self.victims(lx)["supervisor"]:
            os.kill(pid, signal.SIGUSR1)  # it writes a report
        time.sleep(1)
        with open(os.path.join(self.home, "log", "root.log")) as f:
            self.say(f.read()[-6000:])

    def last_log(self):
        try:
            with open(os.path.join(self.home, "log", "root.log")) as f:
                return f.read().splitlines()[-1]
        except (OSError, IndexError):
            return "no log"

    def close(self):
        guest.end_processes_of(self.home)
        guest.remove_tree(self.work)


def comm(pid):
    try:
        with open("/proc/%d/comm" % pid) as f:
            return f.read().strip()
    except OSError:
        return ""


def ppid(pid):
    try:
        with open("/proc/%d/stat" % pid, "rb") as f:
            return int(f.read().rsplit(b")", 1)[1].split()[1])
    except (OSError, ValueError, IndexError):
        return 0


def send(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except OSError:
        pass


def main(argv):
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0],
                                epilog=__doc__.split("\n", 2)[2],
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("what", nargs="*", default=["all"], choices=["loops", "alive", "kill", "picos", "all"])
    p.add_argument("--count", type=int, default=500, help="rounds of each loop, number of kills")
    p.add_argument("--lx", default=os.path.join(TOP, "build", "lx"))
    p.add_argument("--mill", default=os.path.join(TOP, "build", "tests", "soak", "mill"))
    p.add_argument("--pku", choices=["0", "1"])
    p.add_argument("--seed", type=int, default=int(time.time()))
    p.add_argument("--native", action="store_true", help="the loops on the real kernel, to test this script")
    p.add_argument("--results", help="folder for the sum")
    args = p.parse_args(argv)
    build = os.path.dirname(os.path.abspath(args.lx))
    args.lx, args.mill, args.micro, args.threads = guest.within_reach(
        os.path.abspath(args.lx), os.path.abspath(args.mill), os.path.join(build, "bench", "micro"),
        os.path.join(build, "tests", "guest", "l_threads"))
    guest.signals_as_usual()
    if not args.native and not os.access(args.lx, os.X_OK):
        print("soak: %s is missing" % args.lx, file=sys.stderr)
        return 2
    what = set(args.what)
    soak = Soak(args)
    print("soak: seed %d" % args.seed)
    try:
        if what & {"loops", "all"}:
            soak.loops()
        if what & {"alive", "all"}:
            soak.alive()
        if what & {"kill", "all"} and not args.native:
            soak.kill()
            soak.kill_distribution()
        if what & {"picos", "all"} and not args.native:
            soak.picos()
    finally:
        soak.close()
    print("\nsoak: %d failures" % len(soak.failures))
    good = len(what) if not soak.failures else 0
    guest.write_results(args.results, "soak", good, len(soak.failures))
    return 1 if soak.failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
