# SPDX-License-Identifier: Apache-2.0
"""What the session tests share: an lx with a state folder of its own, as an ordinary user."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests"))
import run as guest  # noqa: E402  (tests/run.py)

BUILD = os.path.dirname(guest.within_reach(os.path.join(
    os.path.abspath(os.environ.get("PICOLX_BUILD", os.path.join(TOP, "build"))), "lx"))[0])
NOBODY = guest.NOBODY


identity = guest.child_identity


class Lx:
    """One state folder; close() ends its manager and removes it."""

    def __init__(self, sub="state"):
        self.build = BUILD
        self.dir = tempfile.mkdtemp(prefix="lxt")
        os.chmod(self.dir, 0o755)
        if os.geteuid() == 0:
            os.chown(self.dir, NOBODY, NOBODY)
        self.home = os.path.join(self.dir, sub)
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(("PICOLX_", "XDG_"))}
        self.env.update(PICOLX_HOME=self.home, HOME=self.dir)

    def start(self, *args, **kw):
        """Popen of lx."""
        kw.setdefault("stdin", subprocess.DEVNULL)
        kw.setdefault("stdout", subprocess.PIPE)
        kw.setdefault("stderr", subprocess.PIPE)
        env = dict(self.env, **kw.pop("env", {}))
        return subprocess.Popen([os.path.join(self.build, "lx")] + list(args), env=env, text=True,
                                cwd=kw.pop("cwd", self.dir), **identity(), **kw)

    def run(self, *args, timeout=20, stdin="", **kw):
        """(status, stdout, stderr); status "timeout" when it hangs."""
        p = self.start(*args, stdin=subprocess.PIPE, **kw)
        try:
            out, err = p.communicate(stdin, timeout)
        except subprocess.TimeoutExpired:
            p.kill()
            out, err = p.communicate()
            return "timeout", out, err
        return p.returncode, out, err

    def config(self, **pairs):
        """Write STATE/config before anything runs."""
        os.makedirs(self.home, mode=0o700, exist_ok=True)
        with open(os.path.join(self.home, "config"), "w", encoding="utf-8") as f:
            for k, v in pairs.items():
                f.write("%s = %s\n" % (k, v))
        if os.geteuid() == 0:
            os.chown(self.home, NOBODY, NOBODY)

    def status(self):
        """Text of --status."""
        return self.run("--status")[1]

    def manager(self):
        """Host pid of the manager, or None."""
        m = re.search(r"Manager: process (\d+)", self.status())
        return int(m.group(1)) if m else None

    def instances(self):
        """[(name, state, host pid, commands)]"""
        return [(n, s, int(p), int(c)) for n, s, p, c in
                re.findall(r"Instance: (\S+), (\w+), process (\d+), (\d+) command", self.status())]

    def report(self):
        """For a hang: status, what lxcore says of its tasks, the logs' ends."""
        text = [self.status()]
        for _, _, pid, _ in self.instances():
            os.kill(pid, signal.SIGUSR1)
        time.sleep(0.3)
        folder = os.path.join(self.home, "log")
        for name in sorted(os.listdir(folder)):
            with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as f:
                text.append("== %s\n%s" % (name, f.read()[-3000:]))
        text.append("host processes: %s" % sorted(self.processes()))
        return "\n".join(text)

    def processes(self):
        """Host pids of everything that belongs to this state folder: manager and its instances."""
        found, parents = set(), {}
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open("/proc/%s/environ" % pid, "rb") as f:
                    env = f.read()
                with open("/proc/%s/stat" % pid, encoding="latin1") as f:
                    fields = f.read().rsplit(")", 1)[1].split()
            except OSError:
                continue
            parents[int(pid)] = (int(fields[1]), int(fields[3]), fields[0])
            if b"PICOLX_HOME=" + self.home.encode() + b"\0" in env:
                found.add(int(pid))
        more = True
        while more:
            more = {p for p, (pp, session, _) in parents.items()
                    if p not in found and (pp in found or session in found)}
            found |= more
        return {p for p in found if p in parents and parents[p][2] != "Z"}

    def close(self):
        """End everything; returns the pids that did not go away."""
        before = self.processes()
        self.run("--shutdown")
        left = wait_gone(before, 10)
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.dir, ignore_errors=True)
        return left


def alive(pid):
    """Whether a host process runs (zombies do not)."""
    try:
        with open("/proc/%d/stat" % pid, encoding="latin1") as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def wait_gone(pids, seconds):
    """Those that are still there after a while."""
    end = time.monotonic() + seconds
    left = {p for p in pids if alive(p)}
    while left and time.monotonic() < end:
        time.sleep(0.01)
        left = {p for p in left if alive(p)}
    return left


def until(what, seconds=10):
    """Poll a condition; its last value."""
    end = time.monotonic() + seconds
    value = what()
    while not value and time.monotonic() < end:
        time.sleep(0.02)
        value = what()
    return value


def equal(got, want, what=""):
    """Fail with both values."""
    if got != want:
        raise AssertionError("%s: got %r, want %r" % (what or "value", got, want))


def match(text, pattern, what="text"):
    """Fail unless the pattern is found."""
    if not re.search(pattern, text):
        raise AssertionError("%s %r does not match %r" % (what, text, pattern))


def main(cases):
    """Run functions as TAP, those named on the command line or all."""
    chosen = [c for c in cases if not sys.argv[1:] or c.__name__ in sys.argv[1:]]
    failed = 0
    print("1..%d" % len(chosen), flush=True)
    for i, case in enumerate(chosen, 1):
        start = time.monotonic()
        try:
            case()
            took = time.monotonic() - start
            print("ok %d - %s%s" % (i, case.__name__, " # %.1f s" % took if took > 1 else ""), flush=True)
        except Exception:  # a failed case must not hide the others
            failed += 1
            print("not ok %d - %s" % (i, case.__name__))
            print("\n".join("# " + line for line in traceback.format_exc().splitlines()), flush=True)
    sys.exit(1 if failed else 0)
