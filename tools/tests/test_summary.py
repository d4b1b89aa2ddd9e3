#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""summary.py and runtests.py: the sum, the last line, the exit status."""

import os
import subprocess
import sys
import tempfile
import unittest

TOOLS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def run(tool, args):
    """(status, output) of one of the tools."""
    r = subprocess.run([sys.executable, os.path.join(TOOLS, tool)] + args,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return r.returncode, r.stdout


def script(folder, name, text):
    """An executable shell script."""
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as f:
        f.write("#!/bin/sh\n" + text)
    os.chmod(path, 0o755)
    return path


class Summary(unittest.TestCase):
    def setUp(self):
        self.tmp = tempfile.TemporaryDirectory()
        self.dir = self.tmp.name
        self.results = os.path.join(self.dir, "results")
        os.mkdir(self.results)

    def tearDown(self):
        self.tmp.cleanup()

    def result(self, name, text):
        with open(os.path.join(self.results, name), "w", encoding="utf-8") as f:
            f.write(text)

    def test_sum(self):
        self.result("a.txt", "a 3 0\n")
        self.result("b.txt", "b 4 0\nnoise\n")
        status, out = run("summary.py", ["--results", self.results])
        self.assertEqual((status, out.splitlines()[-1]), (0, "7 passed, 0 failed"))

    def test_failure(self):
        self.result("a.txt", "a 3 2\n")
        status, out = run("summary.py", ["--results", self.results])
        self.assertEqual((status, out.splitlines()[-1]), (1, "3 passed, 2 failed"))

    def test_nothing_ran(self):
        status, out = run("summary.py", ["--results", self.results])
        self.assertEqual((status, out.splitlines()[-1]), (1, "0 passed, 0 failed"))

    def test_failed_target_counts(self):
        self.result("a.txt", "a 1 0\n")
        make = script(self.dir, "make", "exit 2\n")
        status, out = run("summary.py", ["--results", self.results, "--make", make, "all"])
        self.assertEqual((status, out.splitlines()[-1]), (1, "1 passed, 1 failed"))

    def test_programs(self):
        good = script(self.dir, "good", "echo ok 1 - a; echo ok 2 - b; echo 1..2\n")
        plain = script(self.dir, "plain", "exit 0\n")
        self.assertEqual(run("runtests.py", ["--results", self.results, "u", good, plain])[0], 0)
        bad = script(self.dir, "bad", "echo ok 1 - a; echo not ok 2 - b; echo 1..2; exit 1\n")
        short = script(self.dir, "short", "echo 1..3; echo ok 1 - a\n")
        slow = script(self.dir, "slow", "sleep 60\n")
        status, out = run("runtests.py", ["--results", self.results, "--timeout", "1", "v",
                                          bad, short, slow])
        self.assertEqual(status, 1, out)
        self.assertIn("timed out", out)
        with open(os.path.join(self.results, "v.txt"), encoding="utf-8") as f:
            self.assertEqual(f.read(), "v 2 4\n")


if __name__ == "__main__":
    unittest.main()
