#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""check_style.py: what it refuses, counts and lets pass."""

import os
import subprocess
import sys
import tempfile
import unittest

TOOLS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SPDX = "/* SPDX-License-Identifier: Apache-2.0 */\n"


def check(path, text, ratchet=""):
    """(status, messages) for a tree of one file."""
    with tempfile.TemporaryDirectory() as root:
        os.makedirs(os.path.dirname(os.path.join(root, path)))
        with open(os.path.join(root, path), "w", encoding="utf-8") as f:
            f.write(text)
        table = os.path.join(root, "ratchet")
        with open(table, "w", encoding="utf-8") as f:
            f.write(ratchet)
        r = subprocess.run([sys.executable, os.path.join(TOOLS, "check_style.py"), "--root", root,
                            "--ratchet", table],
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return r.returncode, r.stdout


def function(lines, head="static int f(void)"):
    """A function of that many lines."""
    return head + "\n{\n" + "    g();\n" * (lines - 3) + "}\n"


class Style(unittest.TestCase):
    def fails(self, path, text, why):
        status, out = check(path, text)
        self.assertEqual(status, 1, out)
        self.assertIn(why, out)

    def passes(self, path, text, ratchet=""):
        status, out = check(path, text, ratchet)
        self.assertEqual(status, 0, out)

    def test_marks(self):
        self.fails("core/a.c", "int x;\n", "no SPDX")
        self.fails("core/a.h", SPDX, "#pragma once")
        self.fails("core/a.c", SPDX + "\tint x;\n", "tab")
        self.fails("core/a.c", SPDX + "int x; \n", "space at the end")
        self.fails("core/a.c", SPDX + "/* FIX" "ME */\n", "bare FIX" "ME")

    def test_function_length(self):
        self.passes("core/a.c", SPDX + function(80))
        self.fails("core/a.c", SPDX + function(81), "f has 81 lines")
        self.passes("core/a.c", SPDX + "\n/* long: a table of cases */\n" + function(81),
                    "core waivers 1\n")
        self.passes("core/a.c", SPDX + function(81), "core long-functions 1\n")

    def test_file_length(self):
        self.fails("core/a.c", SPDX + "int a;\n" * 900, "901 lines")

    def test_parameters(self):
        args = ", ".join("int a%d" % i for i in range(7))
        self.fails("core/a.c", SPDX + function(4, "static int f(%s)" % args), "7 parameters")
        self.passes("core/a.c", SPDX + function(4, "s64 sys_f(%s)" % args))

    def test_lock_key(self):
        text = SPDX + "#pragma once\nstruct a {\n    struct lock mu;\n    int x;\n};\n"
        self.fails("core/a.h", text, "locks:")
        self.passes("core/a.h", text.replace("struct a", "/* locks: m mu */\nstruct a"))

    def test_globals(self):
        self.fails("core/a.c", SPDX + "int g_count;\n", "1 globals")
        self.passes("core/a.c", SPDX + "extern int g_count;\nconst int g_table[] = {1};\n")

    def test_ratchet_may_fall(self):
        self.passes("core/a.c", SPDX, "core globals 3\n")


if __name__ == "__main__":
    unittest.main()
