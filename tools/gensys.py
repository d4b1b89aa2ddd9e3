#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Read abi/*.tbl, check them, and write prototypes, dispatch, tracer and fuzzer tables and coverage.

Usage: gensys.py --abi abi --tests tests/guest --out build/gen
A fault in a table is reported as FILE:LINE: reason, and nothing is written.
"""

import argparse
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import gensys_emit  # noqa: E402

STATUS = ("none", "partial", "full")
# decode type -> (C type, direction); parametrised ones are in PARAM
PLAIN = {
    "s32": "s32", "u32": "u32", "s64": "s64", "u64": "u64", "x32": "u32", "x64": "u64",
    "fd": "s32", "dfd": "s32", "pid": "s32", "sig": "s32", "uid": "u32", "gid": "u32",
    "mode": "u32", "dev": "u64", "size": "u64", "len": "u64", "off": "s64", "ioctl": "u32",
    "futex": "s32", "uaddr": "uptr", "path": "uptr", "str": "uptr", "argvec": "uptr",
    "envvec": "uptr", "fds2": "uptr",
}
# type(x): C type, what x is, direction
PARAM = {
    "flags": ("u32", "set", ""), "flags64": ("u64", "set", ""), "enum": ("s32", "set", ""),
    "inbuf": ("uptr", "arg", "in"), "outbuf": ("uptr", "arg", "out"),
    "instr": ("uptr", "arg", "in"), "outstr": ("uptr", "arg", "out"),
    "iovec_in": ("uptr", "arg", "in"), "iovec_out": ("uptr", "arg", "out"),
    "sockaddr": ("uptr", "arg", "in"), "sockaddr_out": ("uptr", "arg", "out"),
    "in": ("uptr", "type", "in"), "out": ("uptr", "type", "out"),
    "inout": ("uptr", "type", "inout"),
}
RETURNS = ("err", "fd", "pid", "size", "off", "uaddr", "uid", "gid", "mode", "sig", "s64", "u64",
           "none")
# what may stand in in(T), out(T), inout(T): name -> size in bytes
STRUCTS = {
    "s32": 4, "u32": 4, "s64": 8, "u64": 8, "sigset": 8, "wstatus": 4, "fd_set": 128,
    "stat": 144, "statx": 256, "statfs": 120, "timespec": 16, "timeval": 16, "timezone": 8,
    "itimerval": 32, "itimerspec": 32, "tms": 32, "timex": 208, "rusage": 144, "rlimit": 16,
    "sigaction": 32, "siginfo": 128, "stack": 24, "sigevent": 64, "sigset_argpack": 16,
    "pollfd": 8, "epoll_event": 12, "msghdr": 56, "mmsghdr": 64, "utsname": 390, "sysinfo": 112,
    "cap_header": 8, "cap_data": 24, "utimbuf": 16, "sembuf": 6, "open_how": 24,
    "futex_waitv": 24, "mq_attr": 64,
}
MAX_ARGS = 6
ROW = re.compile(r"^(\d+)\s+(\w+)\s+(\w+)\s+(\S+\.\d)\s+(.*?)\s*->\s*(\w+)\s*(?:\|\s*(.*))?$")
ARG = re.compile(r"^(\w+)(?:\(([^()]*)\))?\s+(\w+)$")
ELEMENT = re.compile(r"^(\w+)(?:\[(\w+)\])?$")


class TableError(Exception):
    """A fault in a table, with its place."""

    def __init__(self, path, line, why):
        super().__init__("%s:%d: %s" % (os.path.basename(path), line, why))


class Arg:
    """One argument of a call."""

    def __init__(self, kind, param, name):
        self.kind, self.name = kind, name
        self.ctype = PLAIN[kind] if kind in PLAIN else PARAM[kind][0]
        self.dir = "" if kind in PLAIN else PARAM[kind][2]
        self.dir = "out" if kind == "fds2" else self.dir
        self.set = self.length = self.struct = None
        self.fixed = 0
        what = PARAM[kind][1] if kind in PARAM else None
        if what == "set":
            self.set = param
        elif what == "arg":
            self.length = param
        elif what == "type":
            self.struct, count = ELEMENT.match(param).groups()
            if count and count.isdigit():
                self.fixed = int(count)
            else:
                self.length = count
        self.param = param


class Call:
    """One row of syscalls.tbl."""

    def __init__(self, nr, name, status, man, args, ret, note, line):
        self.nr, self.name, self.status, self.man = nr, name, status, man
        self.args, self.ret, self.note, self.line = args, ret, note, line
        self.classes, self.tests = [], []


def lines_of(path):
    """(number, text) of each line that is neither empty nor a comment."""
    with open(path, encoding="utf-8") as f:
        for number, text in enumerate(f, 1):
            text = text.split("#", 1)[0].rstrip() if text.lstrip().startswith("#") else text.rstrip()
            if text:
                yield number, text


def read_sets(path):
    """flags.tbl -> {name: (is_enum, [(value, mask, name)])}."""
    sets, rows = {}, None
    for number, text in lines_of(path):
        head = re.match(r"^\[(\w+)\] (flags|enum)$", text)
        if head:
            if head.group(1) in sets:
                raise TableError(path, number, "set %s is defined twice" % head.group(1))
            rows = []
            sets[head.group(1)] = (head.group(2) == "enum", rows)
            is_enum = head.group(2) == "enum"
            continue
        row = re.match(r"^\s+(-?\w+)(?:/(\w+))?\s+(\w+)$", text)
        if not row or rows is None:
            raise TableError(path, number, "bad row")
        value = int(row.group(1), 0)
        mask = int(row.group(2), 0) if row.group(2) else 0xFFFFFFFF if is_enum else value
        if value < 0:
            value &= mask
        rows.append((value, mask, row.group(3)))
    return sets


def read_pairs(path):
    """`value name` rows -> [(value, name)]."""
    rows = []
    for number, text in lines_of(path):
        words = text.split()
        try:
            rows.append((int(words[0], 0), words[1]))
        except (ValueError, IndexError):
            raise TableError(path, number, "bad row") from None
    if sorted(rows) != rows or len({v for v, _ in rows}) != len(rows):
        raise TableError(path, 1, "values must ascend and differ")
    return rows


def read_classes(path):
    """classes.tbl -> {class: {call names}}."""
    classes = {}
    for number, text in lines_of(path):
        m = re.match(r"^(\w+):((?: \w+)+)$", text)
        if not m:
            raise TableError(path, number, "bad row")
        classes.setdefault(m.group(1), set()).update(m.group(2).split())
    return classes


def read_errnos(path):
    """Error names from lx_errno.h; the first name of a number counts."""
    names = {}
    with open(path, encoding="utf-8") as f:
        for m in re.finditer(r"^#define LX_(E\w+)\s+(\d+)$", f.read(), re.M):
            if m.group(1) != "EMAX":
                names.setdefault(int(m.group(2)), m.group(1))
    return names


def parse_arg(path, line, text, sets):
    """`type name` or `type(param) name` -> Arg."""
    m = ARG.match(re.sub(r"\(([^)]*)\)", lambda p: "(" + p.group(1).strip() + ")", text.strip()))
    if not m:
        raise TableError(path, line, "bad argument '%s'" % text.strip())
    kind, param, name = m.groups()
    if kind not in PLAIN and kind not in PARAM:
        raise TableError(path, line, "unknown type '%s'" % kind)
    if (kind in PARAM) != (param is not None):
        raise TableError(path, line, "type '%s' %s a parameter" % (
            kind, "wants" if kind in PARAM else "takes no"))
    if kind in PARAM and PARAM[kind][1] == "set" and param not in sets:
        raise TableError(path, line, "unknown set '%s'" % param)
    if kind in PARAM and PARAM[kind][1] == "type":
        element = ELEMENT.match(param)
        if not element or element.group(1) not in STRUCTS:
            raise TableError(path, line, "unknown struct in '%s(%s)'" % (kind, param))
    return Arg(kind, param, name)


def parse_row(path, line, text, sets):
    """One row -> Call; checks everything that concerns the row alone."""
    m = ROW.match(text)
    if not m:
        raise TableError(path, line, "bad row")
    nr, name, status, man, args, ret, note = m.groups()
    if status not in STATUS:
        raise TableError(path, line, "bad status '%s': full, partial or none" % status)
    if status != "full" and not note:
        raise TableError(path, line, "'%s' wants a note that says why" % status)
    if ret not in RETURNS:
        raise TableError(path, line, "unknown return type '%s'" % ret)
    args = [parse_arg(path, line, a, sets) for a in args.split(",")] if args else []
    if len(args) > MAX_ARGS:
        raise TableError(path, line, "more than %d arguments" % MAX_ARGS)
    names = [a.name for a in args]
    if len(set(names)) != len(names):
        raise TableError(path, line, "two arguments of one name")
    for a in args:
        if a.length not in (None, "ret") and a.length not in names:
            raise TableError(path, line, "no argument '%s' for %s" % (a.length, a.name))
    if status == "full" and note and note.startswith("not yet"):
        note = ""  # left over from the row's former status
    return Call(int(nr), name, status, man, args, ret, note or "", line)


def read_calls(path, sets):
    """syscalls.tbl -> [Call], ascending and without duplicates."""
    calls, names = [], {}
    for number, text in lines_of(path):
        call = parse_row(path, number, text, sets)
        if calls and call.nr == calls[-1].nr:
            raise TableError(path, number, "number %d is used twice" % call.nr)
        if calls and call.nr < calls[-1].nr:
            raise TableError(path, number, "number %d is out of order" % call.nr)
        if call.name in names:
            raise TableError(path, number, "%s is also in line %d" % (call.name, names[call.name]))
        names[call.name] = number
        calls.append(call)
    return calls


def add_classes(path, calls, classes):
    """Give every call its trace classes."""
    known = {c.name for c in calls}
    for name, members in classes.items():
        for member in sorted(members - known):
            raise TableError(path, 1, "class %s: no call %s" % (name, member))
    for c in calls:
        c.classes = [name for name, members in classes.items() if c.name in members]
        if any(a.kind == "path" for a in c.args):
            c.classes.append("file")
        if c.ret == "fd" or any(a.kind in ("fd", "dfd", "fds2") for a in c.args):
            c.classes.append("desc")


def find_tests(folder, calls):
    """Which guest tests name a call: t_<call>.c, or a line `covers: a b c` in a comment."""
    by_name = {c.name: c for c in calls}
    for root, _, files in sorted(os.walk(folder)):
        for name in sorted(f for f in files if f.endswith(".c")):
            test = name[:-2]
            covered = {test[2:]} if test.startswith("t_") else set()
            with open(os.path.join(root, name), encoding="utf-8", errors="replace") as f:
                for m in re.finditer(r"\bcovers:([ \w\n*]+?)(?:\*/|\n\s*\*?\s*\n|$)", f.read()):
                    covered.update(re.findall(r"\w+", m.group(1)))
            for call in sorted(covered & set(by_name)):
                by_name[call].tests.append(test)


def load(abi, tests):
    """Everything the emitters need, checked."""
    sets = read_sets(os.path.join(abi, "flags.tbl"))
    calls = read_calls(os.path.join(abi, "syscalls.tbl"), sets)
    classes = os.path.join(abi, "classes.tbl")
    add_classes(classes, calls, read_classes(classes))
    find_tests(tests, calls)
    return gensys_emit.Model(
        calls=calls, sets=sets, ioctls=read_pairs(os.path.join(abi, "ioctls.tbl")),
        errnos=read_errnos(os.path.join(abi, "lx_errno.h")), structs=STRUCTS,
        kinds=sorted(set(PLAIN) | set(PARAM)), returns=RETURNS)


def write_if_changed(path, text):
    """Keep the time stamp of a file whose text stays the same."""
    try:
        with open(path, encoding="utf-8") as f:
            if f.read() == text:
                return
    except OSError:
        pass
    with open(path + ".tmp", "w", encoding="utf-8") as f:
        f.write(text)
    os.replace(path + ".tmp", path)


def main(argv):
    """Entry; returns the exit status."""
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--abi", default="abi")
    p.add_argument("--tests", default="tests/guest")
    p.add_argument("--out", default="build/gen")
    args = p.parse_args(argv)
    try:
        model = load(args.abi, args.tests)
    except TableError as e:
        print(e, file=sys.stderr)
        return 1
    os.makedirs(args.out, exist_ok=True)
    for name, text in gensys_emit.emit_all(model).items():
        write_if_changed(os.path.join(args.out, name), text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
