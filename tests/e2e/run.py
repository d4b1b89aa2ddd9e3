#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Real programs, natively and under lx: the same output and the same status are expected.

A case is a script in cases/ with a head of comments: `# needs: PROGRAM...` (a case whose programs are
missing is skipped; FOLDER/ stands for one that may be written), `# shell: COMMAND` (runs the script; sh by default), `# timeout: SECONDS`,
`# long` (only with --long). cases/pty_*.py drive a terminal: run(start, say) reports lines with say().
"""

import argparse
import difflib
import errno
import fcntl
import fnmatch
import importlib.util
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.dirname(HERE))
import run as guest  # noqa: E402  (tests/run.py)

HEAD = re.compile(r"^# (needs|shell|timeout|long)\b:? ?(.*)$")


class Case:
    def __init__(self, path):
        self.path = path
        self.name = os.path.splitext(os.path.basename(path))[0]
        self.needs, self.shell, self.timeout, self.long = [], ["sh"], 60.0, False
        self.is_pty = path.endswith(".py")
        self.body = ""
        if self.is_pty:
            self.timeout = 90.0
            self.module = load(path)
            self.needs = self.module.NEEDS
            return
        with open(path) as f:
            lines = f.readlines()
        at = 0
        while at < len(lines) and lines[at].startswith("#"):
            m = HEAD.match(lines[at].rstrip())
            if m:
                self.head(*m.groups())
            at += 1
        self.body = "".join(lines[at:])

    def head(self, key, value):
        if key == "needs":
            self.needs = value.split()
        elif key == "shell":
            self.shell = [w for w in value.split() if w != "FILE"]
        elif key == "timeout":
            self.timeout = float(value)
        else:
            self.long = True

    def missing(self):
        path = guest.clean_env("/")["PATH"]
        wanted = self.needs + ([] if self.is_pty else self.shell[:1])
        return [n for n in wanted if not (guest.may_write(n) if n.endswith("/") else
                                          shutil.which(n, path=path) or os.path.exists(n))]


def load(path):
    spec = importlib.util.spec_from_file_location(os.path.basename(path)[:-3], path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Terminal:
    """A program on a terminal of its own."""

    def __init__(self, argv, cwd, env, timeout):
        self.cwd = cwd
        self.limit = timeout
        self.text = ""
        self.master, slave = pty.openpty()
        ids = guest.ordinary_user()
        if ids is not None:
            os.fchown(slave, *ids)
        self.resize(24, 80)

        def control():
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.proc = subprocess.Popen(argv, cwd=cwd, env=env, stdin=slave, stdout=slave, stderr=slave,
                                     start_new_session=True, preexec_fn=control,
                                     **guest.child_identity())
        os.close(slave)

    def resize(self, rows, cols):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))

    def send(self, text):
        os.write(self.master, text.encode())

    def pause(self, seconds):
        """Let time pass, reading what comes."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.fill(max(0.0, end - time.monotonic()))

    def fill(self, wait):
        if self.master is None:
            time.sleep(wait)
            return False
        ready, _, _ = select.select([self.master], [], [], wait)
        if not ready:
            return True
        try:
            data = os.read(self.master, 65536)
        except OSError as e:
            if e.errno != errno.EIO:
                raise
            data = b""
        if not data:
            time.sleep(min(wait, 0.05))
            return False
        self.text += data.decode("utf-8", "replace")
        return True

    def expect(self, pattern, timeout=None):
        """Text up to and with the match; it is consumed."""
        end = time.monotonic() + (timeout or self.limit / 3)
        while True:
            m = re.search(pattern, self.text)
            if m:
                text, self.text = self.text[:m.end()], self.text[m.end():]
                return text
            open_still = self.fill(0.2)
            if time.monotonic() > end or (not open_still and not re.search(pattern, self.text)):
                raise TimeoutError("waited for %r, have %r" % (pattern, self.text[-300:]))

    def expect_text(self, text):
        return self.expect(re.escape(text))

    def close(self):
        if self.master is not None:
            os.close(self.master)
            self.master = None

    def wait(self):
        end = time.monotonic() + self.limit / 3
        while self.proc.poll() is None and time.monotonic() < end:
            self.fill(0.05)
        if self.proc.poll() is None:
            self.kill()
            raise TimeoutError("the program does not end, have %r" % self.text[-300:])
        code = self.proc.returncode
        return 128 - code if code < 0 else code

    def kill(self):
        try:
            os.killpg(self.proc.pid, signal.SIGKILL)
        except OSError:
            pass
        self.proc.wait()


class E2e:
    def __init__(self, args):
        self.args = args
        self.work = tempfile.mkdtemp(prefix="picolx-e2e-")
        os.chmod(self.work, 0o755)
        self.home = guest.private_dir(self.work, "home")
        self.failed, self.passed, self.skipped = [], 0, 0

    def prefix(self, where, cwd):
        if where == "native":
            return []
        return [self.args.lx, "--root", "/", "--cd", cwd] + self.args.lx_arg + ["--"]

    def env(self, where, cwd):
        env = guest.clean_env(cwd)
        if where == "lx":
            env["PICOLX_HOME"] = self.home
            if self.args.pku is not None:
                env["PICOLX_PKU"] = self.args.pku
        return env

    def once(self, case, where):
        """(text, status) of one run, in a folder of the same name each time."""
        cwd = guest.private_dir(self.work, "w")
        try:
            if case.is_pty:
                return self.on_terminal(case, where, cwd)
            script = os.path.join(self.work, "script-" + case.name)
            with open(script, "w") as f:
                f.write(case.body)
            os.chmod(script, 0o644)
            argv = self.prefix(where, cwd) + case.shell + [script]
            r = run_apart(argv, cwd, self.env(where, cwd), case.timeout * self.args.slow)
            return r
        finally:
            if where == "lx":
                self.settle()
            guest.remove_tree(cwd)

    def settle(self):
        """Between cases nothing may be left but the manager and its idle instance."""
        if self.args.fresh:
            guest.end_processes_of(self.home)

    def on_terminal(self, case, where, cwd):
        said, terminals = [], []

        def start(argv, env=None):
            full = self.env(where, cwd)
            full.update(env or {})
            t = Terminal(self.prefix(where, cwd) + argv, cwd, full, case.timeout * self.args.slow)
            terminals.append(t)
            return t

        status = 0
        try:
            case.module.run(start, lambda what, value: said.append("%s: %s" % (what, value)))
        except (TimeoutError, OSError) as e:
            said.append("# %s" % e)
            status = 1
        finally:
            for t in terminals:
                if t.proc.poll() is None:
                    t.kill()
                t.close()
        return "\n".join(said) + "\n", status

    def one(self, case):
        missing = case.missing()
        if missing:
            self.skipped += 1
            print("skip   %-24s not installed: %s" % (case.name, " ".join(missing)), flush=True)
            return
        t0 = time.monotonic()
        native = self.once(case, "native")
        t1 = time.monotonic()
        if native[0].startswith("SKIP "):
            self.skipped += 1
            print("skip   %-24s %s" % (case.name, native[0].strip()[5:]), flush=True)
            return
        if isinstance(native[1], str):
            self.note(case, "broken: natively " + native[1], native[0].splitlines()[-10:])
            return
        if self.args.native_only:
            self.native_only(case, native, t1 - t0)
            return
        lx = self.once(case, "lx")
        t2 = time.monotonic()
        if lx == native:
            self.passed += 1
            print("ok     %-24s native %.1f s, lx %.1f s" % (case.name, t1 - t0, t2 - t1), flush=True)
            return
        diff = list(difflib.unified_diff(native[0].splitlines(), lx[0].splitlines(), "native", "lx",
                                         lineterm="", n=1))
        self.note(case, "status native %s, lx %s" % (native[1], lx[1]), diff[:self.args.show])

    def native_only(self, case, native, seconds):
        again = self.once(case, "native")
        if again == native:
            self.passed += 1
            print("ok     %-24s status %s, %d lines, %.1f s" % (
                case.name, native[1], native[0].count("\n"), seconds), flush=True)
            if self.args.verbose:
                print(native[0])
            return
        diff = list(difflib.unified_diff(native[0].splitlines(), again[0].splitlines(), lineterm="", n=0))
        self.note(case, "natively not the same twice: %s %s" % (native[1], again[1]), diff[:20])

    def note(self, case, what, lines):
        self.failed.append(case.name)
        print("NOT OK %-24s %s" % (case.name, what), flush=True)
        for line in lines:
            print("       " + line[:200], flush=True)


def run_apart(argv, cwd, env, timeout):
    """Output (stdout, and stderr behind a mark when there is any) and status; a text status on trouble."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        p = subprocess.Popen(argv, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                             start_new_session=True, **guest.child_identity())
        try:
            status = p.wait(timeout)
        except subprocess.TimeoutExpired:
            status = "timed out after %.0f s" % timeout
        try:
            os.killpg(p.pid, signal.SIGKILL)
        except OSError:
            pass
        p.wait()
        out.seek(0)
        err.seek(0)
        text = out.read().decode("utf-8", "replace")
        errors = err.read().decode("utf-8", "replace")
    if isinstance(status, int) and status < 0:
        status = 128 - status
    if errors:
        text += "--- stderr\n" + errors
    return text, status


def parse(argv):
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("patterns", nargs="*", help="case names (gcc*, pty_bash); all when absent")
    p.add_argument("--lx", default=os.path.join(TOP, "build", "lx"))
    p.add_argument("--lx-arg", action="append", default=[])
    p.add_argument("--pku", choices=["0", "1"])
    p.add_argument("--native-only", action="store_true", help="run each case twice on the real kernel")
    p.add_argument("--long", action="store_true", help="the long cases too")
    p.add_argument("--fresh", action="store_true", help="a new manager for every case")
    p.add_argument("--slow", type=float, default=1.0, help="factor on the time limits")
    p.add_argument("--results", help="folder for the sum")
    p.add_argument("--show", type=int, default=30, help="lines of difference to print")
    p.add_argument("-v", "--verbose", action="store_true")
    p.add_argument("--list", action="store_true")
    return p.parse_args(argv)


def main(argv):
    args = parse(argv)
    args.lx, = guest.within_reach(os.path.abspath(args.lx))
    guest.signals_as_usual()
    folder = os.path.join(HERE, "cases")
    cases = [Case(os.path.join(folder, n)) for n in sorted(os.listdir(folder))
             if n.endswith((".sh", ".py"))]
    if args.patterns:
        cases = [c for c in cases if any(fnmatch.fnmatch(c.name, p) for p in args.patterns)]
    elif not args.long:
        cases = [c for c in cases if not c.long]
    if args.list:
        print("\n".join("%s%s" % (c.name, " (long)" if c.long else "") for c in cases))
        return 0
    if not args.native_only and not os.access(args.lx, os.X_OK):
        print("e2e: %s is missing; build it, or use --native-only" % args.lx, file=sys.stderr)
        return 2
    e2e = E2e(args)
    try:
        for case in cases:
            e2e.one(case)
    finally:
        guest.end_processes_of(e2e.home)
        guest.remove_tree(e2e.work)
    print("\ne2e: %d passed, %d failed, %d skipped%s" % (
        e2e.passed, len(e2e.failed), e2e.skipped, ": " + " ".join(e2e.failed) if e2e.failed else ""))
    guest.write_results(args.results, "e2e", e2e.passed, len(e2e.failed))
    return 1 if e2e.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
