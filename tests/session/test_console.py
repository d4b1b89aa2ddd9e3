#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""lx on a terminal: the console relay, window size, job control, the terminal's own state."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time

from lxtest import BUILD, NOBODY, Lx, equal, main, match, until

lx = Lx()


class Term:
    """lx on a pseudo terminal of its own."""

    def __init__(self, *args, rows=40, cols=100, shell=None):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))
            if os.geteuid() == 0:
                os.fchown(0, NOBODY, NOBODY)
                os.setgroups([])
                os.setgid(NOBODY)
                os.setuid(NOBODY)
            os.chdir(lx.dir)
            prog = os.path.join(BUILD, "lx")
            argv = ["sh", "-c", shell.replace("@lx", prog)] if shell else [prog] + list(args)
            os.execve("/bin/sh" if shell else prog, argv, dict(lx.env, TERM="dumb"))
            sys.exit(99)
        self.text, self.code = "", None

    def pump(self, seconds=0.05):
        """Take what there is."""
        if select.select([self.fd], [], [], seconds)[0]:
            try:
                self.text += os.read(self.fd, 65536).decode("utf-8", "replace")
            except OSError:
                time.sleep(0.01)
                return

    def expect(self, pattern, seconds=10):
        """Wait for output and drop it."""
        end = time.monotonic() + seconds
        while True:
            m = re.search(pattern, self.text)
            if m:
                self.text = self.text[m.end():]
                return m
            if time.monotonic() > end:
                raise AssertionError("no %r at the end of %r" % (pattern, self.text[-400:]))
            self.pump()

    def type(self, text):
        """Keys."""
        os.write(self.fd, text.encode())

    def wait(self, seconds=10):
        """lx's status."""
        end = time.monotonic() + seconds
        while self.code is None:
            pid, st = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.code = os.waitstatus_to_exitcode(st)
            elif time.monotonic() > end:
                os.kill(self.pid, signal.SIGKILL)
                raise AssertionError("lx does not end; output %r" % self.text)
            self.pump(0.02)
        for _ in range(3):
            self.pump(0.02)
        return self.code

    def flags(self):
        """(lflag, iflag, oflag) of the outer terminal."""
        t = termios.tcgetattr(self.fd)
        return t[3], t[0], t[1]


def interactive_shell():
    t = Term()
    t.expect(r"\$ ")
    t.type("echo $((6*7)) $0; tty\r")
    t.expect(r"42 -sh\r\n/dev/\S+\r\n")
    t.type("exit 5\r")
    equal(t.wait(), 5)


def terminal_is_restored():
    for how in ("exit 0", "kill -9 $$", "nope-nope"):
        t = Term("--", "sh", "-c", "echo go; read x; " + how)
        before = t.flags()
        t.expect("go\r\n")
        t.type("\r")
        t.wait()
        equal(t.flags(), before, how)
    t = Term("--", "nope-nope")
    before = t.flags()
    equal(t.wait(), 127)
    equal(t.flags(), before)


def commands_see_a_terminal():
    t = Term("--root", "/", "--", "sh", "-c", "test -t 0 && test -t 1 && test -t 2 && echo yes; tty")
    t.expect(r"yes\r\n/dev/\S+")
    equal(t.wait(), 0)


def window_size():
    t = Term("--", "sh", "-c", "trap 'stty size' WINCH; stty size; read x; read x", rows=33, cols=77)
    t.expect("33 77\r\n")
    fcntl.ioctl(t.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 120, 0, 0))
    t.expect("50 120\r\n")
    t.type("\r\r")
    t.wait()


def keys_make_signals():
    t = Term("--", "sh", "-c", "echo go; sleep 1000; echo no")
    t.expect("go\r\n")
    time.sleep(0.1)
    t.type("\x03")
    equal(t.wait(), 130)
    t = Term("--", "cat")
    until(lambda: not t.flags()[0] & termios.ICANON)
    t.type("abc\r\x04")
    t.expect("abc\r\nabc\r\n")
    equal(t.wait(), 0)


def job_control():
    t = Term("--root", "/", "--", "bash", "--norc", "-i")
    t.expect(r"\$ ")
    t.type("sleep 100\r")
    time.sleep(0.3)
    t.type("\x1a")
    t.expect(r"Stopped")
    t.type("jobs; bg; fg\r")
    t.expect(r"Stopped.*sleep 100[\s\S]*sleep 100")
    time.sleep(0.3)
    t.type("\x03")
    t.expect(r"\$ ")
    t.type("echo alive\r")
    t.expect("\nalive\r\n")
    t.type("exit 3\r")
    equal(t.wait(), 3)


def suspended_by_a_key():
    for cmd in ("--root / -- sh -c 'echo re\"\"ady; exec cat'", "-- sh -c 'echo re\"\"ady; exec cat'",
                "--root / -- sh -c 'trap \"\" INT; echo re\"\"ady; cat; exit 3'"):
        t = Term(shell="exec bash --norc -i")
        t.expect(r"\$ ")
        before = t.flags()
        t.type("%s/lx %s\r" % (BUILD, cmd))
        t.expect(r"\nready\r\n")
        t.type("one\r")
        t.expect("one\r\none\r\n")
        t.type("\x1a")
        t.expect(r"Stopped[^\n]*\n[^\n]*\$ ")
        equal(t.flags(), before, "the terminal of the shell")
        t.type("echo shell $((1+1))\r")
        t.expect(r"\nshell 2\r\n")
        t.type("fg\r")
        t.expect(r"\n")
        t.type("two\r")
        t.expect("two\r\ntwo\r\n")
        t.type("\x04")
        t.expect(r"\$ ")
        t.type("echo status $?\r")
        t.expect(r"\nstatus %d\r\n" % (3 if "exit 3" in cmd else 0))
        t.type("exit\r")
        t.wait()


def mixed_handles():
    t = Term(shell="@lx -- sh -c 'test -t 1 || echo piped' | cat; echo end")
    t.expect("piped\r\nend\r\n")
    equal(t.wait(), 0)
    t = Term(shell="echo in | @lx -- sh -c 'cat; test -t 1 && echo out'; echo end")
    t.expect("in\r\nout\r\nend\r\n")
    equal(t.wait(), 0)
    t = Term(shell="@lx -- sh -c 'test -t 2 || echo err 1>&2' 2>%s/err; cat %s/err" % (lx.dir, lx.dir))
    t.expect("err\r\n")
    equal(t.wait(), 0)


def big_output():
    for _ in range(5):
        t = Term("--", "sh", "-c", "seq 1 50000; echo done")
        t.expect(r"\n50000\r\ndone\r\n", 20)
        equal(t.wait(), 0)


def end_of_a_command_is_quick():
    start = time.monotonic()
    for _ in range(5):
        equal(Term("--", "true").wait(), 0)
    took = time.monotonic() - start
    if took > 0.8:
        raise AssertionError("5 commands on a terminal took %.2f s" % took)


def hang_up():
    t = Term("--", "sh", "-c", "echo go; sleep 1001")
    t.expect("go\r\n")
    os.close(t.fd)
    until(lambda: os.waitpid(t.pid, os.WNOHANG)[0])
    equal(until(lambda: "sleep 1001" not in lx.run("--", "ps", "-ef")[1]), True)


def killed_relay_hangs_up():
    t = Term("--", "sh", "-c", "echo go; sleep 1002")
    t.expect("go\r\n")
    os.kill(t.pid, signal.SIGKILL)
    t.wait()
    equal(until(lambda: "sleep 1002" not in lx.run("--", "ps", "-ef")[1]), True)


def manager_killed():
    t = Term("--", "sh", "-c", "echo go; sleep 1000")
    before = t.flags()
    t.expect("go\r\n")
    os.kill(lx.manager(), signal.SIGKILL)
    equal(t.wait(), 124)
    match(t.text, r"lx: [^\n]*; [^\n]*\r\n")
    equal(t.flags(), before)


def nothing_is_left():
    equal(lx.close(), set())


if __name__ == "__main__":
    main([interactive_shell, terminal_is_restored, commands_see_a_terminal, window_size,
          keys_make_signals, job_control, suspended_by_a_key, mixed_handles, big_output,
          end_of_a_command_is_quick, hang_up,
          killed_relay_hangs_up, manager_killed, nothing_is_left])
