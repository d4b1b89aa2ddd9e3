#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""check_layers.py: one small tree per rule."""

import os
import subprocess
import sys
import tempfile
import unittest

TOOLS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def check(files):
    """(status, messages) for a tree given as {path: text}."""
    with tempfile.TemporaryDirectory() as root:
        for path, text in files.items():
            os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
            with open(os.path.join(root, path), "w", encoding="utf-8") as f:
                f.write(text)
        r = subprocess.run([sys.executable, os.path.join(TOOLS, "check_layers.py"), "--root", root],
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return r.returncode, r.stdout


class Layers(unittest.TestCase):
    def fails(self, files, rule):
        status, text = check(files)
        self.assertEqual(status, 1, text)
        self.assertIn(rule, text)

    def test_downward_is_fine(self):
        status, text = check({"core/vfs/a.h": "", "core/proc/b.c": '#include "vfs/a.h"\n',
                              "abi/lx_x.h": "", "core/vfs/c.c": '#include "lx_x.h"\n'})
        self.assertEqual(status, 0, text)

    def test_upward(self):
        self.fails({"core/proc/a.h": "", "core/vfs/b.c": '#include "proc/a.h"\n'}, "b.c:1: L1")

    def test_same_rank(self):
        self.fails({"core/ipc/a.h": "", "core/mm/b.c": '#include "ipc/a.h"\n'}, "L1")

    def test_system_header_in_core(self):
        self.fails({"core/base/a.c": "#include <string.h>\n"}, "L2")
        self.fails({"host/linux/a.c": "#include <unistd.h>\n"}, "L3")

    def test_host_h(self):
        self.fails({"host/host.h": "", "core/sys/a.c": '#include "host/host.h"\n'}, "L4")

    def test_backend_is_private(self):
        self.fails({"host/linux/a.h": "", "core/ks/b.c": '#include "host/linux/a.h"\n'}, "L5")
        self.fails({"core/vfs/a.h": "", "host/linux/b.c": '#include "vfs/a.h"\n'}, "L5")
        self.fails({"core/vfs/a.h": "", "launcher/b.c": '#include "vfs/a.h"\n'}, "L5")

    def test_cycle(self):
        self.fails({"core/vfs/a.h": '#include "vfs/b.h"\n',
                    "core/vfs/b.h": '#include "vfs/a.h"\n'}, "L8")

    def test_ops(self):
        self.fails({"core/sys/a.c": "int f(void)\n{\n    return v->ops->read(v);\n}\n"}, "a.c:3: L9")

    def test_own_header_first(self):
        self.fails({"core/vfs/a.h": "", "core/vfs/b.h": "",
                    "core/vfs/a.c": '#include "vfs/b.h"\n#include "vfs/a.h"\n'}, "L11")


if __name__ == "__main__":
    unittest.main()
