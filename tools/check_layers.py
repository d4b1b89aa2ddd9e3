#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Check who includes whom: rules L1 to L5, L8, L9 and L11 of the style guide, by tools/layers.tbl.

Usage: check_layers.py [--root DIR]     prints FILE:LINE: RULE: reason, exit status 1 if any
"""

import argparse
import os
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
OPS_CALL = re.compile(r"->ops->\w+\s*\(|\.ops->\w+\s*\(")
FREESTANDING = {"stddef.h", "stdint.h", "stdbool.h", "stdarg.h", "stdatomic.h"}
SKIP = {"build", ".git"}


class Layers:
    """layers.tbl: ranks by path prefix and the lists of exceptions."""

    def __init__(self, path):
        self.rank, self.lists, section = {}, {"host": [], "ops": []}, None
        with open(path, encoding="utf-8") as f:
            for number, line in enumerate(f, 1):
                words = line.split("#", 1)[0].split()
                if not words:
                    continue
                if words[0].startswith("["):
                    section = words[0].strip("[]")
                elif section:
                    self.lists[section].append(words[0])
                elif len(words) == 2:
                    self.rank[words[0]] = int(words[1]) if words[1].isdigit() else words[1]
                else:
                    raise SystemExit("%s:%d: bad row" % (path, number))

    def folder(self, path):
        """The longest prefix of the table that holds `path`, or None."""
        found = [p for p in self.rank if path == p or path.startswith(p + "/")]
        return max(found, key=len, default=None)

    def in_list(self, name, path):
        """Whether `path` is in one of the folders of a list."""
        return any(path == p or path.startswith(p + "/") for p in self.lists[name])


def sources(root):
    """All C and header files below root, relative, without build trees."""
    for folder, dirs, files in os.walk(root):
        dirs[:] = sorted(d for d in dirs if d not in SKIP and not d.startswith("build"))
        for name in sorted(files):
            if name.endswith((".c", ".h", ".S")):
                yield os.path.relpath(os.path.join(folder, name), root)


def resolve(root, including, name):
    """The file that `#include "name"` means, relative to root; generated ones are build/gen/name."""
    near = os.path.normpath(os.path.join(os.path.dirname(including), name))
    for path in (near, "core/" + name, "abi/" + name, name):
        if os.path.exists(os.path.join(root, path)):
            return os.path.normpath(path)
    return "build/gen/" + name


def read_includes(root, path):
    """[(line, '<' or '"', name)] and [(line)] of ops calls."""
    includes, ops = [], []
    with open(os.path.join(root, path), encoding="utf-8", errors="replace") as f:
        for number, line in enumerate(f, 1):
            m = INCLUDE.match(line)
            if m:
                includes.append((number, m.group(1), m.group(2)))
            elif OPS_CALL.search(line):
                ops.append(number)
    return includes, ops


def check_system(path, line, name):
    """L2, L3: what stands in <> depends on the folder."""
    if path.startswith(("core/", "abi/", "host/host.h", "host/boot.h")):
        if name not in FREESTANDING:
            return "%s:%d: L2: <%s> in freestanding code" % (path, line, name)
    elif path.startswith("host/linux/"):
        if name not in FREESTANDING and not name.startswith(("linux/", "asm/")):
            return "%s:%d: L3: <%s> in the Linux backend: kernel headers only" % (path, line, name)
    return None


def allowed(layers, path, target):
    """(rule, reason) if `path` must not include `target`, else None."""
    own, other = layers.folder(path), layers.folder(target)
    if own is None or other == own:
        return None
    if other is None:
        return "L1", "%s is in no layer" % target
    mine, theirs = layers.rank[own], layers.rank[other]
    if theirs == "backend" and mine != "free":
        return "L5", "%s is a backend's own" % target
    if mine == "free" or theirs == "any":
        return None
    if mine in ("any", "tool"):
        return None if other == "core/base" or own.split("/")[0] == other.split("/")[0] else (
            "L5", "%s may see only core/base and abi" % own)
    if mine == "backend":
        ok = other in ("core/base", "host/host.h", "host/boot.h") or target in BACKEND_MAY
        return None if ok else ("L5", "a backend sees only core/base, host.h and ks/layout.h")
    if not isinstance(theirs, int) or theirs >= mine:
        return "L1", "%s (rank %s) includes %s (rank %s)" % (own, mine, target, theirs)
    return None


# contracts of the waist that live in ks: address-space layout and register frames
BACKEND_MAY = {"core/ks/layout.h", "core/ks/regs.h", "core/ks/kthread.h"}


def check_order(path, includes, root):
    """L11: a .c file includes its own header before all else."""
    own = os.path.basename(path)[:-2] + ".h"
    if not path.endswith(".c") or not os.path.exists(
            os.path.join(root, os.path.dirname(path), own)):
        return None
    if includes and os.path.basename(includes[0][2]) != own:
        return "%s:%d: L11: includes %s before its own header" % (
            path, includes[0][0], includes[0][2])
    return None


def check_file(layers, root, path, graph):
    """All faults of one file; notes its includes in graph."""
    faults = []
    includes, ops = read_includes(root, path)
    for line, kind, name in includes:
        if kind == "<":
            faults.append(check_system(path, line, name))
            continue
        target = resolve(root, path, name)
        graph.setdefault(path, []).append(target)
        bad = allowed(layers, path, target)
        if bad:
            faults.append("%s:%d: %s: %s" % (path, line, bad[0], bad[1]))
        if target == "host/host.h" and path.startswith("core/") \
                and not layers.in_list("host", path):
            faults.append("%s:%d: L4: includes host/host.h" % (path, line))
    if path.startswith("core/") and not layers.in_list("ops", path):
        faults += ["%s:%d: L9: calls ->ops-> outside the wrapper" % (path, n) for n in ops]
    if path.startswith(("core/", "host/", "session/", "launcher/")):
        faults.append(check_order(path, includes, root))
    return [f for f in faults if f]


def find_cycle(graph):
    """A list of files that include each other in a ring, or None (L8)."""
    state, stack = {}, []

    def visit(node):
        state[node] = 1
        stack.append(node)
        for target in graph.get(node, ()):
            if state.get(target) == 1:
                return stack[stack.index(target):] + [target]
            if target not in state:
                ring = visit(target)
                if ring:
                    return ring
        stack.pop()
        state[node] = 2
        return None

    for node in sorted(graph):
        if node not in state:
            ring = visit(node)
            if ring:
                return ring
    return None


def main(argv):
    """Entry; returns the exit status."""
    here = os.path.dirname(os.path.abspath(__file__))
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--root", default=os.path.dirname(here))
    p.add_argument("--table", default=os.path.join(here, "layers.tbl"))
    args = p.parse_args(argv)
    layers, graph, faults = Layers(args.table), {}, []
    for path in sources(args.root):
        if not path.startswith("tools/"):
            faults += check_file(layers, args.root, path, graph)
    ring = find_cycle(graph)
    if ring:
        faults.append("%s: L8: include cycle: %s" % (ring[0], " -> ".join(ring)))
    print("\n".join(faults) if faults else "layers: ok, %d files" % len(graph))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
