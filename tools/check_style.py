#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Check rule L12 and the marks every file carries; budgets may fall but not rise (ratchet.tbl).

Usage: check_style.py [--root DIR] [--update]
  hard     SPDX line, #pragma once, tabs, trailing space, files over 900 lines, bare FIXME,
           `locks:` key in a header that has a struct with a `struct lock` in it
  ratchet  functions over 80 lines, over 6 parameters, lines over 100 columns, `long:` waivers, globals,
           TODOs, per folder: more than ratchet.tbl says fails; less asks to lower it (--update)
A function over budget with a comment `long: reason` above it, or as its first line, is a waiver.
"""

import argparse
import collections
import os
import re
import sys

MAX_LINE, MAX_FUNC, MAX_FILE, MAX_PARAMS = 100, 80, 900, 6
TEXT = (".c", ".h", ".S", ".py", ".sh", ".mk", ".tbl", ".ld")
SKIP_DIRS = {".git", "build", "__pycache__"}
FUNC = re.compile(r"^(?:[A-Za-z_][\w\s*]*?[\s*])?(\w+)\((.*)$")
GLOBAL = re.compile(r"^(?!static|typedef|extern|struct \w+ *\{|enum|union|return|const |_Static)"
                    r"[A-Za-z_][\w\s*]*\bg_\w+(?:\[[^\]]*\])*\s*(?:=|;)")
NOT_FUNC = {"if", "for", "while", "switch", "return", "sizeof", "defined", "_Static_assert",
            "static_assert", "UNIT_TEST", "CASE", "TEST"}


def files_of(root):
    """Text files of the tree, relative."""
    for folder, dirs, names in os.walk(root):
        dirs[:] = sorted(d for d in dirs if d not in SKIP_DIRS and not d.startswith("build"))
        for name in sorted(names):
            if name.endswith(TEXT) or name in ("Makefile", ".gitignore", ".clang-format"):
                yield os.path.relpath(os.path.join(folder, name), root)


def strip_c(text):
    """The same text with comments and literals blanked, line by line the same length."""
    def blank(m):
        return re.sub(r"[^\n]", " ", m.group(0))
    pattern = r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'"
    return re.sub(pattern, blank, text, flags=re.S)


def count_params(head):
    """Number of parameters of `name(a, b)...`."""
    depth, commas, any_text = 0, 0, ""
    for c in head[head.index("("):]:
        if c == "(":
            depth += 1
        elif c == ")":
            depth -= 1
            if depth == 0:
                break
        elif c == "," and depth == 1:
            commas += 1
        any_text += c
    inside = any_text.strip("( ").strip()
    return 0 if inside in ("", "void") else commas + 1


def functions(text):
    """(name, first line, last line, parameters) of each function definition, K&R layout."""
    lines = strip_c(text).split("\n")
    i = 0
    while i < len(lines):
        m = FUNC.match(lines[i])
        if not m or m.group(1) in NOT_FUNC or lines[i].startswith((" ", "#", "}")):
            i += 1
            continue
        head, j = lines[i], i
        while j + 1 < len(lines) and not re.search(r"[;{}]", lines[j]) and j - i < 12:
            j += 1
            if lines[j] == "{":
                break
            head += " " + lines[j].strip()
        if j < len(lines) and (lines[j] == "{" or lines[j].rstrip().endswith(") {")):
            end = j + 1
            while end < len(lines) and not lines[end].startswith("}"):
                end += 1
            yield m.group(1), i + 1, end + 1, count_params(head)
            i = end
        i += 1


def waived(lines, first):
    """Whether a `long:` comment stands in the comment above line `first` or in its first lines."""
    above = []
    for line in reversed(lines[:first - 1]):
        if not line.strip() or line.startswith("}"):
            break
        above.append(line)
    return any("long:" in line for line in above + lines[first - 1:first + 3])


def struct_with_lock(text):
    """Whether some struct of this header has a `struct lock` member."""
    bare = strip_c(text)
    for m in re.finditer(r"struct \w+ \{(.*?)\n\}", bare, re.S):
        if re.search(r"^\s+struct lock \w+", m.group(1), re.M):
            return True
    return False


def check_text(path, text, faults):
    """The hard rules of one file."""
    lines = text.split("\n")
    head = "\n".join(lines[:3])
    if "SPDX-License-Identifier: Apache-2.0" not in head:
        faults.append("%s:1: no SPDX line" % path)
    if path.endswith(".h") and "#pragma once" not in text:
        faults.append("%s:1: no #pragma once" % path)
    code = path.endswith((".c", ".h"))
    for number, line in enumerate(lines, 1):
        if line != line.rstrip():
            faults.append("%s:%d: space at the end" % (path, number))
        if "\t" in line and code:
            faults.append("%s:%d: tab" % (path, number))
        if code and re.search(r"\bFIX" + r"ME\b", line):
            faults.append("%s:%d: bare FIX" "ME" % (path, number))
    if code and len(lines) - 1 > MAX_FILE and not text.count("long: file"):
        faults.append("%s:1: %d lines, at most %d" % (path, len(lines) - 1, MAX_FILE))
    if path.startswith("core/") and path.endswith(".h") and struct_with_lock(text) \
            and "locks:" not in text:
        faults.append("%s:1: a struct holds a lock, but no `locks:` key says what it guards" % path)


def count_c(path, text, counts, notes):
    """What the ratchet counts, by folder."""
    folder = os.path.dirname(path)
    lines = text.split("\n")
    for name, first, last, params in functions(text):
        size = last - first + 1
        if size > MAX_FUNC and waived(lines, first):
            counts[folder, "waivers"] += 1
        elif size > MAX_FUNC:
            counts[folder, "long-functions"] += 1
            notes.append("%s:%d: %s has %d lines" % (path, first, name, size))
        # the task comes on top of a call's six arguments
        if params > MAX_PARAMS + name.startswith(("sys_", "raw_")):
            counts[folder, "many-parameters"] += 1
            notes.append("%s:%d: %s has %d parameters" % (path, first, name, params))
    if path.endswith(".c") and not path.startswith("tests/"):
        counts[folder, "globals"] += sum(1 for line in strip_c(text).split("\n")
                                         if GLOBAL.match(line))
    for number, line in enumerate(lines, 1):
        if len(line) > MAX_LINE:
            counts[folder, "long-lines"] += 1
            notes.append("%s:%d: %d columns" % (path, number, len(line)))
    counts[folder, "todos"] += len(re.findall(r"\bTODO\b", text))


def read_ratchet(path):
    """{(folder, what): number}."""
    rows = {}
    if os.path.exists(path):
        with open(path, encoding="utf-8") as f:
            for line in f:
                words = line.split("#", 1)[0].split()
                if len(words) == 3:
                    rows[words[0], words[1]] = int(words[2])
    return rows


def write_ratchet(path, counts):
    """Set every number to what is there now."""
    with open(path, "w", encoding="utf-8") as f:
        f.write("# SPDX-License-Identifier: Apache-2.0\n"
                "# What check_style.py counted. A number may only fall; tools/check_style.py --update\n"
                "# lowers it. folder, what, count\n\n")
        for (folder, what), number in sorted(counts.items()):
            if number:
                f.write("%-24s %-16s %d\n" % (folder, what, number))


def compare(counts, rows, notes):
    """Faults where a count is above the ratchet; a count below it is only mentioned."""
    faults = []
    for key in sorted(set(counts) | set(rows)):
        now, limit = counts.get(key, 0), rows.get(key, 0)
        if now > limit:
            faults.append("%s: %d %s, ratchet.tbl allows %d" % (key[0], now, key[1], limit))
        elif now < limit:
            print("note: %s: only %d %s, lower ratchet.tbl from %d (--update)" % (
                key[0], now, key[1], limit))
    raised = {f.split(":")[0] for f in faults}
    return [n for n in notes if os.path.dirname(n.split(":")[0]) in raised] + faults


def main(argv):
    """Entry; returns the exit status."""
    here = os.path.dirname(os.path.abspath(__file__))
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--root", default=os.path.dirname(here))
    p.add_argument("--ratchet", default=os.path.join(here, "ratchet.tbl"))
    p.add_argument("--update", action="store_true")
    args = p.parse_args(argv)
    faults, notes, counts, total = [], [], collections.Counter(), 0
    for path in files_of(args.root):
        with open(os.path.join(args.root, path), encoding="utf-8", errors="replace") as f:
            text = f.read()
        total += 1
        check_text(path, text, faults)
        if path.startswith(("core/", "host/", "session/", "launcher/", "init/", "tests/")) \
                and path.endswith((".c", ".h")):
            count_c(path, text, counts, notes)
    if args.update:
        write_ratchet(args.ratchet, counts)
    faults += compare(counts, read_ratchet(args.ratchet), notes)
    print("\n".join(faults) if faults else "style: ok, %d files" % total)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
