#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compare every constant in abi/lx_*.h and every row of the tables with this host's own headers.

For each header of headers.tbl a program is made that knows all LX_ names; those that the host's headers
define too, without the prefix, must have the same value. Layouts are in check_abi.c.
"""

import argparse
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
DEFINE = re.compile(r"^#define LX_(\w+)[ \t]+\S", re.M)
# our value is the kernel's; libc's macro of that name is something else
DIFFERENT = {
    "SIGRTMIN": "libc keeps two for itself", "NSIG": "libc counts from 0",
    "O_LARGEFILE": "libc says 0 on 64 bits", "MINSIGSTKSZ": "libc asks sysconf",
    "SIGSTKSZ": "libc asks sysconf", "NAME_MAX": "", "PIPE_SIZE": "",
}
# other spellings of the same thing on the host
RENAMED = {"WNOTHREAD": "__WNOTHREAD", "WALL": "__WALL", "WCLONE": "__WCLONE",
           "LINUX_CAPABILITY_VERSION_1": "_LINUX_CAPABILITY_VERSION_1",
           "LINUX_CAPABILITY_VERSION_2": "_LINUX_CAPABILITY_VERSION_2",
           "LINUX_CAPABILITY_VERSION_3": "_LINUX_CAPABILITY_VERSION_3"}


def program(header, includes):
    """C text that prints `name ours theirs` for each name the host knows."""
    with open(os.path.join(TOP, "abi", header), encoding="utf-8") as f:
        names = DEFINE.findall(f.read())
    out = ["#define _GNU_SOURCE 1"] + ["#include <%s>" % i for i in includes]
    out += ["#include <stdio.h>", '#include "%s"' % header, "int main(void)", "{"]
    for n in names:
        if n in DIFFERENT or n.endswith("_PREFIX") or n.startswith("XATTR_NAME") or n == "ELFMAG":
            continue
        theirs = RENAMED.get(n, n)
        out += ["#ifdef %s" % theirs,
                '    printf("%s %%llu %%llu\\n", (unsigned long long)(LX_%s), '
                "(unsigned long long)(%s));" % (n, n, theirs), "#endif"]
    return "\n".join(out + ["    return 0;", "}", ""]), len(names)


def read_includes():
    """headers.tbl -> [(header, [includes])]."""
    rows = []
    with open(os.path.join(HERE, "headers.tbl"), encoding="utf-8") as f:
        for line in f:
            if line.strip() and not line.startswith("#"):
                header, rest = line.split(":", 1)
                rows.append((header, rest.split()))
    return rows


def build_and_run(cc, source, binary):
    """Compile one hosted program; (status, output)."""
    flags = ["-std=gnu11", "-w", "-I" + os.path.join(TOP, "core"), "-I" + os.path.join(TOP, "abi")]
    made = subprocess.run([cc] + flags + ["-o", binary, source], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    if made.returncode:
        return made.returncode, made.stdout
    ran = subprocess.run([binary], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return ran.returncode, ran.stdout


def check_header(args, header, includes):
    """(equal, different, names) of one header; prints the differences."""
    text, names = program(header, includes)
    source = os.path.join(args.out, "check_" + header[:-2] + ".c")
    with open(source, "w", encoding="utf-8") as f:
        f.write(text)
    status, output = build_and_run(args.cc, source, source[:-2])
    if status:
        print("%s: does not build or run:\n%s" % (header, output[:2000]))
        return 0, 1, names
    good = bad = 0
    for line in output.splitlines():
        name, ours, theirs = line.split()
        mask = (1 << 32) - 1
        if int(ours) == int(theirs) or (int(ours) & mask) == (int(theirs) & mask):
            good += 1
        else:
            bad += 1
            print("%s: LX_%s is %#x, the host says %#x" % (header, name, int(ours), int(theirs)))
    return good, bad, names


def check_numbers(args):
    """(equal, different) of the call numbers against <asm/unistd.h>; x86-64 hosts only."""
    with open(os.path.join(TOP, "abi", "syscalls.tbl"), encoding="utf-8") as f:
        rows = re.findall(r"^(\d+)\s+(\w+)", f.read(), re.M)
    out = ["#include <asm/unistd.h>", "#include <stdio.h>", "int main(void)", "{"]
    for nr, name in rows:
        out += ["#ifdef __NR_%s" % name, '    printf("%s %s %%d\\n", __NR_%s);' % (name, nr, name),
                "#endif"]
    source = os.path.join(args.out, "check_numbers.c")
    with open(source, "w", encoding="utf-8") as f:
        f.write("\n".join(out + ["    return 0;", "}", ""]))
    status, output = build_and_run(args.cc, source, source[:-2])
    if status:
        print("syscalls.tbl: " + output[:2000])
        return 0, 1
    lines = [line.split() for line in output.splitlines()]
    for name, ours, theirs in lines:
        if ours != theirs:
            print("syscalls.tbl: %s is %s, the host says %s" % (name, ours, theirs))
    bad = sum(1 for _, ours, theirs in lines if ours != theirs)
    return len(lines) - bad, bad


def main(argv):
    """Entry; returns the exit status."""
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--cc", default="gcc")
    p.add_argument("--out", default="build/obj/abi")
    p.add_argument("--results", default="build/results")
    args = p.parse_args(argv)
    os.makedirs(args.out, exist_ok=True)
    equal, failed, names = 0, 0, 0
    for header, includes in read_includes():
        good, bad, count = check_header(args, header, includes)
        equal, failed, names = equal + good, failed + bad, names + count
    numbers, bad = check_numbers(args)
    failed += bad
    status, output = build_and_run(args.cc, os.path.join(HERE, "check_abi.c"),
                                   os.path.join(args.out, "check_abi"))
    if status:
        failed += 1
        print("check_abi.c: " + output[:4000])
    cases = len(read_includes()) + 2 - min(failed, 1)
    print("abi: %d of %d constants and %d call numbers compared, %d differ" % (
        equal, names, numbers, failed))
    os.makedirs(args.results, exist_ok=True)
    with open(os.path.join(args.results, "abi.txt"), "w", encoding="utf-8") as f:
        f.write("abi %d %d\n" % (cases, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
