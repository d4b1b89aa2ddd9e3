#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What cannot work: each is one clear line and a status of its own, and leaves nothing half made."""

import os
import resource
import shutil
import struct

from lxtest import BUILD, NOBODY, Lx, equal, main, match, until

PARTS = ("lx", "lxmanager", "lxcore", "init", "distro.tar")


def fresh(case):
    """A case with an Lx of its own whose build is a copy that may be damaged."""
    def wrapped():
        lx = Lx()
        lx.build = os.path.join(lx.dir, "build")
        os.makedirs(lx.build)
        for name in PARTS:
            shutil.copy(os.path.join(BUILD, name), lx.build)
        try:
            case(lx)
        finally:
            equal(lx.close(), set(), "left behind")
    wrapped.__name__ = case.__name__
    return wrapped


def refused(lx, status, pattern, *args, **kw):
    """lx leaves with status and exactly one line, which matches."""
    got = lx.run(*(args or ("--", "true")), **kw)
    equal((got[0], got[1]), (status, ""), got[2])
    match(got[2], r"^lx: [^\n]*%s[^\n]*; [^\n]*\n$" % pattern)


def distros(lx):
    """What is installed."""
    path = os.path.join(lx.home, "distros")
    return os.listdir(path) if os.path.isdir(path) else []


def rewrite(path, text):
    """Replace a file of the ordinary user."""
    with open(path, "wb") as f:
        f.write(text)
    if os.geteuid() == 0:
        os.chown(path, NOBODY, NOBODY)


@fresh
def missing_parts(lx):
    for name, what in (("lxmanager", "lxmanager is missing"), ("lxcore", "lxcore or init is missing"),
                       ("init", "lxcore or init is missing"), ("distro.tar", "distro.tar cannot be used")):
        path = os.path.join(lx.build, name)
        os.rename(path, path + ".away")
        refused(lx, 125, what)
        os.rename(path + ".away", path)
        lx.run("--shutdown")
        equal(distros(lx), [], name)


@fresh
def archive_that_comes_late(lx):
    """The manager outlives instances that could not even be sent their archive."""
    path = os.path.join(lx.build, "distro.tar")
    os.rename(path, path + ".away")
    for _ in range(5):
        refused(lx, 125, "distro.tar cannot be used")
    manager = lx.manager()
    os.rename(path + ".away", path)
    equal(lx.run("--", "echo", "hi")[:2], (0, "hi\n"))
    equal(lx.manager(), manager)


@fresh
def damaged_parts(lx):
    path = os.path.join(lx.build, "distro.tar")
    with open(path, "rb") as f:
        whole = f.read()
    for text in (whole[:3000], whole[:100000] + os.urandom(400000), os.urandom(5000), whole[1:]):
        with open(path, "wb") as f:
            f.write(text)
        refused(lx, 125, "cannot install the distribution")
        equal(until(lambda: not distros(lx)), True, "nothing is left of it")
    with open(path, "wb") as f:
        f.write(whole)
    equal(lx.run("--", "echo", "hi")[:2], (0, "hi\n"))
    lx.run("--shutdown")
    for name in ("init", "lxcore", "lxmanager"):
        path = os.path.join(lx.build, name)
        os.truncate(path, 3000)
        refused(lx, 124, "ended")
        lx.run("--shutdown")
        shutil.copy(os.path.join(BUILD, name), path)


@fresh
def damaged_registry(lx):
    equal(lx.run("--", "sh", "-c", "echo mine > /home/user/work; sync")[0], 0)
    lx.run("--shutdown")
    path = os.path.join(lx.home, "registry")
    with open(path, "rb") as f:
        whole = f.read()
    for text in (b"garbage\n", b"[picolx\n", b"version = 2\n", b"[x]\npath = relative\n", bytes(range(256))):
        rewrite(path, text)
        refused(lx, 125, "registry, line [12], is not understood")
    os.unlink(path)
    equal(lx.run("--", "cat", "/home/user/work")[:2], (0, "mine\n"), "files outlive the registry")
    lx.run("--shutdown")
    rewrite(path, whole)
    shutil.rmtree(os.path.join(lx.home, "distros", "picolx"))
    refused(lx, 122, "cannot use the root folder .*: No such file or directory")


@fresh
def other_version(lx):
    equal(lx.run("--", "true")[0], 0)
    version = int(lx.run("--version")[1].split("protocol ")[1][:8], 16)
    path = os.path.join(lx.build, "lx")
    with open(path, "rb") as f:
        text = f.read()
    os.unlink(path)
    with open(path, "wb") as f:
        f.write(text.replace(struct.pack("<I", version), struct.pack("<I", version ^ 1)))
    os.chmod(path, 0o755)
    refused(lx, 125, "another version of lxmanager is running")
    equal(lx.run("--shutdown")[0], 0)


def elf(**changes):
    """A small ELF program's bytes with fields changed: name=(offset, format, value)."""
    with open(os.path.join(BUILD, "init"), "rb") as f:
        text = bytearray(f.read())
    first = struct.unpack_from("<Q", text, 32)[0]
    for offset, form, value, *base in changes.values():
        struct.pack_into(form, text, offset + (first if base else 0), value)
    return bytes(text)


@fresh
def programs_that_are_none(lx):
    cases = {
        "aarch64": elf(a=(18, "<H", 183)), "class32": elf(a=(4, "<B", 1), b=(18, "<H", 3)),
        "relocatable": elf(a=(16, "<H", 1)), "no_headers": elf(a=(56, "<H", 0)),
        "far_headers": elf(a=(32, "<Q", 1 << 63)), "many_headers": elf(a=(56, "<H", 0xffff)),
        "odd_headers": elf(a=(54, "<H", 1)), "cut_short": elf()[:100], "empty": b"", "zero": b"\0",
        "huge_segment": elf(a=(40, "<Q", 1 << 62, 1)), "kernel_segment": elf(a=(16, "<Q", 1 << 63, 1)),
    }
    for name, text in cases.items():
        rewrite(os.path.join(lx.dir, name), text)
        os.chmod(os.path.join(lx.dir, name), 0o755)
        refused(lx, 126, name + ": cannot run: ", "--root", "/", "--", "./" + name)
    for name, text, status in (("nope", b"#!/nope/x\n", 127), ("folder", b"#!/etc\n", 126)):
        rewrite(os.path.join(lx.dir, name), text)
        os.chmod(os.path.join(lx.dir, name), 0o755)
        refused(lx, status, name + ": ", "--root", "/", "--", "./" + name)
    refused(lx, 126, "/etc: cannot run", "--root", "/", "--", "/etc")


@fresh
def names_do_not_act_on_the_terminal(lx):
    refused(lx, 127, r"a\?\[31m: not found", "--root", "/", "--", "./a\x1b[31m")
    refused(lx, 122, r"a\?\[31m", "--root", "/nope/a\x1b[31m", "--", "true")


@fresh
def limits(lx):
    def limit(kind, value):
        return lambda: resource.setrlimit(kind, (value, value))
    refused(lx, 123, "open files is 20", preexec_fn=limit(resource.RLIMIT_NOFILE, 20))
    refused(lx, 123, "cannot map .*", preexec_fn=limit(resource.RLIMIT_AS, 1 << 30))
    lx.run("--shutdown")
    refused(lx, 123, "shared memory.*", preexec_fn=limit(resource.RLIMIT_FSIZE, 1 << 20))
    lx.run("--shutdown")
    equal(distros(lx), [])
    equal(lx.run("--", "echo", "hi")[:2], (0, "hi\n"))


if __name__ == "__main__":
    main([missing_parts, archive_that_comes_late, damaged_parts, damaged_registry, other_version,
          programs_that_are_none,
          names_do_not_act_on_the_terminal, limits])
