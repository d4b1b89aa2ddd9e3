#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""genproto.py: what it makes of a table, and which tables it refuses."""

import os
import subprocess
import sys
import tempfile
import unittest

TOOLS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
GOOD = """flags run
    FAST 1
message go 1 lx>manager   # comment
    u32 version
    strs argv
message done 2 manager>lx
"""


class GenProto(unittest.TestCase):
    def run_on(self, text):
        """(status, stderr, header, source)"""
        with tempfile.TemporaryDirectory() as tmp:
            table = os.path.join(tmp, "proto.tbl")
            with open(table, "w", encoding="utf-8") as f:
                f.write(text)
            r = subprocess.run([sys.executable, os.path.join(TOOLS, "genproto.py"), "--table", table,
                                "--out", tmp], stderr=subprocess.PIPE, text=True)
            out = []
            for name in ("proto.h", "proto.c"):
                path = os.path.join(tmp, name)
                out.append(open(path, encoding="utf-8").read() if os.path.exists(path) else "")
            return [r.returncode, r.stderr] + out

    def test_good(self):
        status, err, header, source = self.run_on(GOOD)
        self.assertEqual((status, err), (0, ""))
        self.assertIn("RUN_FAST = 1", header)
        self.assertIn("PROTO_GO = 1", header)
        self.assertIn("struct proto_strs argv;", header)
        self.assertIn('{"argv", PROTO_STRS, offsetof(struct proto_go, argv)}', source)

    def test_version_follows_rows_not_comments(self):
        def version(text):
            return [x for x in self.run_on(text)[2].splitlines() if "PROTO_VERSION" in x]
        self.assertEqual(version(GOOD), version(GOOD.replace("# comment", "# other")))
        self.assertNotEqual(version(GOOD), version(GOOD.replace("u32 version", "u64 version")))

    def test_bad(self):
        for old, new, why in (
                ("done 2", "done 1", "ascend"), ("done 2", "go 2", "duplicate"),
                ("manager>lx", "lx>moon", "direction"), ("u32 version", "u33 version", "TYPE"),
                ("strs argv", "strs version", "duplicate"), ("FAST 1", "fast 1", "NAME"),
                ("message go 1", "message go x", "number")):
            status, err, _, _ = self.run_on(GOOD.replace(old, new))
            self.assertEqual(status, 1, new)
            self.assertIn(why, err)


if __name__ == "__main__":
    unittest.main()
