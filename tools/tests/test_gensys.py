#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gensys.py: the real tables pass, and each kind of bad row is refused with its line."""

import os
import subprocess
import sys
import tempfile
import unittest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TOOL = os.path.join(TOP, "tools", "gensys.py")
FLAGS = "[open] flags\n    0x0/0x3 O_RDONLY\n    0x40 O_CREAT\n"
GOOD = "0 read full read.2 fd fd, outbuf(count) buf, size count -> size\n"


class Tables:
    """A folder of tables for one run."""

    def __init__(self, rows, flags=FLAGS):
        self.dir = tempfile.TemporaryDirectory()
        for name, text in (("syscalls.tbl", rows), ("flags.tbl", flags), ("ioctls.tbl", "1 X\n"),
                           ("classes.tbl", ""), ("lx_errno.h", "#define LX_EPERM 1\n")):
            with open(os.path.join(self.dir.name, name), "w", encoding="utf-8") as f:
                f.write(text)

    def run(self):
        """(status, messages, {file: text})."""
        out = os.path.join(self.dir.name, "out")
        r = subprocess.run([sys.executable, TOOL, "--abi", self.dir.name, "--out", out,
                            "--tests", os.path.join(TOP, "tests", "guest")],
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        texts = {}
        if os.path.isdir(out):
            for name in os.listdir(out):
                with open(os.path.join(out, name), encoding="utf-8") as f:
                    texts[name] = f.read()
        self.dir.cleanup()
        return r.returncode, r.stdout, texts


class Gensys(unittest.TestCase):
    def refused(self, rows, why, flags=FLAGS):
        status, text, _ = Tables(rows, flags).run()
        self.assertEqual(status, 1, text)
        self.assertIn(why, text)

    def test_real_tables(self):
        with tempfile.TemporaryDirectory() as out:
            r = subprocess.run([sys.executable, TOOL, "--abi", os.path.join(TOP, "abi"), "--out", out,
                                "--tests", os.path.join(TOP, "tests", "guest")])
            self.assertEqual(r.returncode, 0)

    def test_prototype_and_thunk(self):
        status, text, out = Tables(GOOD).run()
        self.assertEqual(status, 0, text)
        self.assertIn("s64 sys_read(struct task *t, s32 fd, uptr buf, u64 count);", out["sysproto.h"])
        self.assertIn("sys_read(t, (s32)a[0], mk_uptr(a[1]), a[2])", out["sysent.c"])

    def test_none_has_no_body(self):
        _, _, out = Tables("5 x none x.2 fd fd -> err | not yet\n").run()
        self.assertNotIn("sys_x(", out["sysproto.h"])
        self.assertIn('[5] = {"x", 1, SYS_NONE, NULL, "not yet"}', out["sysent.c"])

    def test_refusals(self):
        self.refused("0 read maybe read.2 fd fd -> size\n", "syscalls.tbl:1: bad status")
        self.refused("\n0 read none read.2 fd fd -> size\n", "syscalls.tbl:2: 'none' wants a note")
        self.refused("0 read partial read.2 fd fd -> size\n", "'partial' wants a note")
        self.refused(GOOD + "0 rd full read.2 fd fd -> err\n", "syscalls.tbl:2: number 0 is used")
        self.refused("3 a full a.2 fd fd -> err\n2 b full b.2 -> err\n", "out of order")
        self.refused(GOOD + "1 read full read.2 fd fd -> err\n", "is also in line 1")
        self.refused("0 a full a.2 fdd fd -> err\n", "unknown type 'fdd'")
        self.refused("0 a full a.2 flags(nope) f -> err\n", "unknown set 'nope'")
        self.refused("0 a full a.2 in(nope) f -> err\n", "unknown struct")
        self.refused("0 a full a.2 flags f -> err\n", "wants a parameter")
        self.refused("0 a full a.2 inbuf(n) f -> err\n", "no argument 'n'")
        self.refused("0 a full a.2 fd fd -> nothing\n", "unknown return type")
        self.refused("0 a full a.2 " + ", ".join("s32 a%d" % i for i in range(7)) + " -> err\n",
                     "more than 6")
        self.refused("0 a full a.2 fd x, fd x -> err\n", "two arguments of one name")
        self.refused(GOOD, "flags.tbl:1: bad row", "0x1 A\n")


if __name__ == "__main__":
    unittest.main()
