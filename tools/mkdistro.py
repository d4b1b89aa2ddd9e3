#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Make the archive of the built-in distribution from this machine's busybox, the static one if it
has it; a dynamic one brings its libraries along.

Usage: mkdistro.py --out FILE [--busybox PATH]
init unpacks it inside a new instance, so owners and modes are numbers in a ustar archive.
"""

import argparse
import io
import os
import re
import subprocess
import sys
import tarfile

BUSYBOX = ("/bin/busybox", "/usr/bin/busybox", "/bin/busybox.static")
SBIN = ("sbin/", "usr/sbin/")

FILES = {
    "etc/passwd": (0o644, "root:x:0:0:root:/root:/bin/sh\n"
                          "user:x:1000:1000:user:/home/user:/bin/sh\n"
                          "nobody:x:65534:65534:nobody:/:/bin/false\n"),
    "etc/group": (0o644, "root:x:0:\nadm:x:4:user\ntty:x:5:\ndialout:x:20:user\nwheel:x:10:user\n"
                         "user:x:1000:\nnogroup:x:65534:\n"),
    "etc/shadow": (0o640, "root:*:19000:0:99999:7:::\nuser:*:19000:0:99999:7:::\n"),
    "etc/shells": (0o644, "/bin/sh\n/bin/ash\n"),
    "etc/hostname": (0o644, "picolx\n"),
    "etc/hosts": (0o644, "127.0.0.1\tlocalhost\n127.0.1.1\tpicolx\n"
                         "::1\tlocalhost ip6-localhost ip6-loopback\n"),
    "etc/nsswitch.conf": (0o644, "passwd: files\ngroup: files\nhosts: files dns\n"),
    "etc/resolv.conf": (0o644, ""),
    "etc/os-release": (0o644, 'PRETTY_NAME="picolx built-in"\nNAME="picolx built-in"\nID=picolx\n'
                              'VERSION_ID="1"\n'),
    "etc/issue": (0o644, "picolx built-in\n"),
    "etc/profile": (0o644,
                    "export PATH=${PATH:-/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin}\n"
                    "umask 022\n"
                    "[ \"$(id -u)\" = 0 ] && PS1='\\h:\\w# ' || PS1='\\u@\\h:\\w$ '\n"
                    "export PS1\n"
                    "for i in /etc/profile.d/*.sh; do [ -r \"$i\" ] && . \"$i\"; done\nunset i\n"),
    "etc/fstab": (0o644, "# device  folder  type  options\n"),
}

DIRS = {
    "bin": 0o755, "sbin": 0o755, "usr": 0o755, "usr/bin": 0o755, "usr/sbin": 0o755,
    "usr/local": 0o755, "usr/local/bin": 0o755, "usr/share": 0o755, "lib": 0o755,
    "etc": 0o755, "etc/profile.d": 0o755, "dev": 0o755, "proc": 0o555, "sys": 0o555,
    "run": 0o755, "mnt": 0o755, "mnt/c": 0o755, "opt": 0o755, "srv": 0o755, "tmp": 0o1777,
    "var": 0o755, "var/log": 0o755, "var/tmp": 0o1777, "var/spool": 0o755, "root": 0o700,
    "home": 0o755,
}


def find_busybox(given):
    """The busybox to use, a static one first; SystemExit with a hint if there is none."""
    found = [p for p in ([given] if given else BUSYBOX) if os.path.exists(p)]
    if not found:
        raise SystemExit("mkdistro: no busybox found; install Debian's busybox-static")
    return next((p for p in found if not libraries(p)), found[0])


def libraries(program):
    """Paths of what a dynamic program is loaded with, its interpreter included; [] for a static."""
    out = subprocess.run(["ldd", program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                         check=False, text=True).stdout
    return re.findall(r"(/\S+) \(0x", out)


def applets(busybox):
    """[path below /] of all its commands."""
    out = subprocess.run([busybox, "--list-full"], stdout=subprocess.PIPE, check=True, text=True)
    names = [line.strip() for line in out.stdout.splitlines() if line.strip()]
    return sorted(n for n in names if n not in ("linuxrc", "bin/busybox", "init", "sbin/init"))


class Archive:
    """A ustar file with fixed times and owners."""

    def __init__(self, path):
        self.tar = tarfile.open(path, "w", format=tarfile.USTAR_FORMAT)
        self.names = set()

    def add(self, name, kind, mode, owner=0, data=b"", link=""):
        """One member."""
        info = tarfile.TarInfo(name)
        info.type, info.mode, info.uid, info.gid, info.mtime = kind, mode, owner, owner, 1700000000
        info.size, info.linkname = len(data), link
        self.names.add(name)
        self.tar.addfile(info, io.BytesIO(data))

    def add_program(self, source, name):
        """A file of this machine, and the folders it is in."""
        for i in [i for i, c in enumerate(name) if c == "/"]:
            if name[:i] not in self.names:
                self.add(name[:i], tarfile.DIRTYPE, 0o755)
        with open(source, "rb") as f:
            self.add(name, tarfile.REGTYPE, 0o755, data=f.read())


def build(path, busybox):
    """Write the archive."""
    a = Archive(path)
    for name, mode in DIRS.items():
        a.add(name, tarfile.DIRTYPE, mode)
    a.add("home/user", tarfile.DIRTYPE, 0o755, owner=1000)
    for name, (mode, text) in FILES.items():
        a.add(name, tarfile.REGTYPE, mode, data=text.encode())
    a.add_program(busybox, "bin/busybox")
    for path in libraries(busybox):
        a.add_program(path, path.lstrip("/"))
    for name in applets(busybox):
        if os.path.dirname(name) in DIRS:
            a.add(name, tarfile.SYMTYPE, 0o777, link="/bin/busybox")
    a.tar.close()


def main(argv):
    """Entry; returns the exit status."""
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--out", required=True)
    p.add_argument("--busybox")
    args = p.parse_args(argv)
    part = args.out + ".part"
    build(part, find_busybox(args.busybox))
    os.replace(part, args.out)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
