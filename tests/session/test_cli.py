#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The command line: options, statuses, messages, environment, folders, stdio."""

import os
import subprocess
import tarfile

from lxtest import BUILD, Lx, equal, identity, main, match

lx = Lx()

# arguments, status, pattern of stdout, pattern of stderr
TABLE = [
    (["--help"], 0, r"usage: lx", r"^$"),
    (["--version"], 0, r"^picolx \d", r"^$"),
    (["--nope"], 120, r"^$", r"^lx: .*--nope.*; .*--help"),
    (["--root"], 120, r"^$", r"^lx: --root needs a value; "),
    (["--root", "/", "-d", "x"], 120, r"^$", r"exclude each other"),
    (["--root", "/nope", "--", "true"], 122, r"^$", r"^lx: cannot use the root folder /nope: .*; "),
    (["--root", "/etc/passwd", "--", "true"], 122, r"^$", r"^lx: cannot use the root folder /etc/passwd: Not a dir"),
    (["-d", "a", "-d", "b"], 120, r"^$", r"given twice"),
    (["-d", "nope", "--", "true"], 122, r"^$", r"^lx: there is no distribution 'nope'; "),
    (["--list", "x"], 120, r"^$", r"too much"),
    (["--root", "/", "--", "true"], 0, r"^$", r"^$"),
    (["--root", "/", "true"], 0, r"^$", r"^$"),
    (["--root", "/", "--", "false"], 1, r"^$", r"^$"),
    (["--root", "/", "--", "sh", "-c", "exit 42"], 42, r"^$", r"^$"),
    (["--root", "/", "--", "sh", "-c", "kill -9 $$"], 137, r"^$", r"^$"),
    (["--root", "/", "--", "sh", "-c", "kill -TERM $$"], 143, r"^$", r"^$"),
    (["--root", "/", "--", "/nope"], 127, r"^$", r"^lx: /nope: not found; "),
    (["--root", "/", "--", "nope"], 127, r"^$", r"^lx: nope: not found; .*PATH"),
    (["--root", "/", "--", "/etc/passwd"], 126, r"^$", r"^lx: /etc/passwd: cannot run: Permission"),
    (["--root", "/", "--", "/"], 126, r"^$", r"^lx: /: cannot run"),
    (["--root", "/", "--cd", "/nope", "--", "true"], 0, r"^$", r"^lx: cannot enter /nope: No such"),
    (["--root", "/", "--cd", "/usr", "--", "pwd"], 0, r"^/usr\n$", r"^$"),
    (["--root", "/", "--user", "nope", "--", "true"], 122, r"^$", r"no such user"),
    (["--", "id", "-un"], 0, r"^user\n$", r"^$"),
    (["-u", "root", "--", "id", "-u"], 0, r"^0\n$", r"^$"),
    (["-u", "nope", "--", "true"], 122, r"^$", r"no such user"),
    (["--cd", "~", "--", "pwd"], 0, r"^/home/user\n$", r"^$"),
    (["--cd", "/tmp", "--", "pwd"], 0, r"^/tmp\n$", r"^$"),
    (["--", "sh", "-c", "exit 7"], 7, r"^$", r"^$"),
    (["--", "cat", "/etc/os-release"], 0, r"picolx built-in", r"^$"),
    (["--", "cat", "/etc/hostname"], 0, r"^picolx\n", r"^$"),
    (["-d", "PICOLX", "--", "true"], 0, r"^$", r"^$"),
    (["--list"], 0, r"NAME +STATE +VERSION\n\* picolx +(Running|Stopped) +1\n", r"^$"),
    (["--status"], 0, r"Default distribution: picolx\n", r"^$"),
]


def row_case(args, status, out, err):
    """A case of one row of the table."""
    def case():
        got = lx.run(*args)
        match(got[2], err, "stderr")
        equal(got[0], status, "status")
        match(got[1], out, "stdout")
    case.__name__ = "_".join(["lx"] + [a.strip("-/") or "dash" for a in args])
    return case


def root_environment_is_the_callers():
    status, out, _ = lx.run("--root", "/", "--", "env", env={"ODD": "a b=c", "EMPTY": ""})
    equal(status, 0)
    got = dict(line.split("=", 1) for line in out.splitlines() if "=" in line)
    equal(got.get("ODD"), "a b=c")
    equal(got.get("EMPTY"), "")
    equal(got.get("PATH"), os.environ.get("PATH"))


def root_identity_is_the_callers():
    status, out, _ = lx.run("--root", "/", "--", "sh", "-c", "id -u; id -g; umask; pwd")
    p = subprocess.run(["sh", "-c", "id -u; id -g; umask; pwd"], stdout=subprocess.PIPE, text=True,
                       cwd=lx.dir, **__import__("lxtest").identity())
    equal((status, out), (0, p.stdout))


def distro_environment_is_its_own():
    status, out, _ = lx.run("--", "env", env={"SECRET": "1", "TERM": "dumb"})
    equal(status, 0)
    got = dict(line.split("=", 1) for line in out.splitlines())
    want = {"HOSTTYPE": "x86_64", "HOME": "/home/user", "USER": "user", "LOGNAME": "user",
            "SHELL": "/bin/sh", "NAME": "picolx", "WSL_DISTRO_NAME": "picolx", "TERM": "dumb"}
    equal({k: got.get(k) for k in want}, want)
    equal("SECRET" in got, False, "SECRET leaked")


def distro_starts_in_the_hosts_folder():
    equal(lx.run("--", "pwd")[:2], (0, "/mnt/c%s\n" % os.path.realpath(lx.dir)))


def stdio_goes_through():
    equal(lx.run("--root", "/", "--", "cat", stdin="one\ntwo\n")[:2], (0, "one\ntwo\n"))
    equal(lx.run("--", "wc", "-c", stdin="x" * 300000)[1].split(), ["300000"])
    status, out, err = lx.run("--", "sh", "-c", "echo out; echo err >&2")
    equal((status, out, err), (0, "out\n", "err\n"))


def large_output_is_whole():
    status, out, _ = lx.run("--", "sh", "-c", "seq 1 200000")
    equal((status, len(out), out[-7:]), (0, 1288895, "200000\n"))


def files_as_stdio():
    path = os.path.join(lx.dir, "out")
    fd = os.open(path, os.O_WRONLY | os.O_CREAT, 0o666)
    try:
        p = lx.start("--root", "/", "--", "sh", "-c", "echo a; echo b >&2", stdout=fd, stderr=fd)
        equal(p.wait(20), 0)
    finally:
        os.close(fd)
    with open(path, encoding="utf-8") as f:
        equal(f.read(), "a\nb\n")


def large_command_lines():
    args = ["x" * 1000 for _ in range(900)]
    status, out, err = lx.run("--root", "/", "--", "sh", "-c", "echo $#", *args)
    equal((status, out, err), (0, "899\n", ""))


def same_as_native(script):
    """A bash script says and leaves the same when @ is nothing and when it is lx --root / --."""
    def run(prefix):
        p = subprocess.run(["bash", "-c", script.replace("@", prefix)], env=lx.env, timeout=30,
                           cwd=lx.dir, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, text=True, check=False, **identity())
        return p.returncode, p.stdout, p.stderr
    equal(run("%s/lx --root / -- " % BUILD), run(""), script)


def descriptors_are_the_callers():
    for script in ("@cat <&-", "@sh -c 'echo x' >&-", "exec <&- >&- 2>&-; @true",
                   "@diff <(echo a) <(echo b)",
                   "exec 5>f 7<f; @sh -c 'echo five >&5; cat <&7; ls /proc/self/fd | wc -l'; cat f",
                   "(@sh -c 'exec >&-; sleep 1.5'; echo late >&2) | cat; echo early >&2",
                   "@sh -c 'cat <&9' 9< <(echo nine)"):
        same_as_native(script)


def inheritance_is_the_callers():
    for script in ("trap '' INT USR1; @grep SigIgn /proc/self/status",
                   "nice -n 5 @nice", "nice -n 3 @nice -n 4 nice",
                   "ulimit -f 10 -n 77 -s 4096 -c 0; @bash -c 'ulimit -Sa; ulimit -Ha'",
                   "ulimit -f 10; { @dd if=/dev/zero of=big bs=1k count=100; echo $?; } 2>/dev/null",
                   "umask 031; @sh -c umask",
                   "@sh -c 'kill -STOP $$; echo on' & sleep 0.5; kill -CONT $!; wait $!"):
        same_as_native(script)


def scripts_without_interpreter():
    path = os.path.join(lx.dir, "script")
    with open(path, "w", encoding="utf-8") as f:
        f.write("echo script $1\n")
    os.chmod(path, 0o755)
    equal(lx.run("--root", "/", "--", path, "x")[:2], (0, "script x\n"))


def foreign_programs():
    path = os.path.join(lx.dir, "foreign")
    with open(path, "wb") as f:
        f.write(b"\x7fELF\x01\x01\x01" + b"\0" * 100)
    os.chmod(path, 0o755)
    status, _, err = lx.run("--root", "/", "--", path)
    equal(status, 126)
    match(err, r"^lx: .*foreign: cannot run: Exec format error; only 64-bit")


def root_below_a_folder():
    root = os.path.join(lx.dir, "root")
    os.makedirs(root)
    with tarfile.open(os.path.join(lx.build, "distro.tar")) as tar:
        tar.extractall(root, [m for m in tar if m.isreg() and not m.name.startswith("etc/")])
    before = sorted(os.listdir(root))
    equal(lx.run("--root", root, "--", "/bin/busybox", "pwd")[:2], (0, "/\n"))
    equal(lx.run("--root", root, "--", "/bin/busybox", "ls", "/")[:2],
          (0, "".join(name + "\n" for name in before)))
    equal(sorted(os.listdir(root)), before, "nothing was made in the root")


def trace_prints_calls():
    status, _, err = lx.run("--root", "/", "--trace", "--", "/bin/true")
    equal(status, 0)
    lines = err.splitlines()
    match(lines[0], r'^\[\d+\] execve\("/bin/true", \["/bin/true"\], 0x\w+ /\* \d+ vars \*/\) = 0$')
    match(lines[-2], r"^\[\d+\] exit_group\(0\) +=\s\?$")
    match(lines[-1], r"^\[\d+\] \+\+\+ exited with 0 \+\+\+$")
    equal([x for x in lines if "prlimit64(0, RLIMIT_FSIZE" in x], [], "what init does first")
    err = lx.run("--root", "/", "--trace=process,kill", "--", "sh", "-c",
                 "(exit 3); /nope; kill -USR1 $$")[2]
    for pattern in (r"\n\[3\] exit_group\(3\) ", r"\n\[3\] \+\+\+ exited with 3 ",
                    r"\n\[2\] --- SIGCHLD \{si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=3, ",
                    r'\n\[4\] execve\("/nope", .* = -1 ENOENT \(No such file or directory\)\n',
                    r"\n\[2\] kill\(2, SIGUSR1\) += 0\n\[2\] --- SIGUSR1 .*si_pid=2",
                    r"\n\[2\] \+\+\+ killed by SIGUSR1 \+\+\+\n$"):
        match(err, pattern)
    status, _, err = lx.run("--root", "/", "-c", "--", "/bin/true")
    equal(status, 0)
    match(err, r"calls[\s\S]*  execve\n[\s\S]*  total\n$")
    status, _, err = lx.run("--root", "/", "--trace=nope", "--", "/bin/true")
    equal(status, 120)
    match(err, r"^lx: there is no such class or call to trace; [^\n]*\n$")


def trace_is_of_its_command():
    other = lx.start("--", "sh", "-c", "while :; do true | true; done")
    err = lx.run("--trace", "--", "sh", "-c", "true")[2]
    other.terminate()
    other.communicate()
    pids = set(line.split()[0] for line in err.splitlines())
    equal(len(pids) <= 2, True, pids)
    match(err, r"^\[\d+\] execve\(")


def nothing_is_left():
    equal(lx.close(), set())


if __name__ == "__main__":
    main([row_case(*row) for row in TABLE] + [
        root_environment_is_the_callers, root_identity_is_the_callers,
        distro_environment_is_its_own, distro_starts_in_the_hosts_folder, stdio_goes_through,
        large_output_is_whole, files_as_stdio, large_command_lines, descriptors_are_the_callers, inheritance_is_the_callers,
        scripts_without_interpreter, foreign_programs, root_below_a_folder, trace_prints_calls, trace_is_of_its_command,
        nothing_is_left])
