#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Start and end of managers and instances; what happens when any of them is killed."""

import os
import random
import resource
import shutil
import signal
import socket
import struct
import subprocess
import time

from lxtest import BUILD, NOBODY, Lx, alive, equal, identity, main, match, until, wait_gone

ROUNDS = int(os.environ.get("LX_ROUNDS", "25"))


def fresh(case):
    """Run a case with a state folder of its own, and look that nothing stays behind."""
    def wrapped():
        lx = Lx()
        try:
            case(lx)
        except BaseException:
            lx.close()
            raise
        equal(lx.close(), set(), "processes left behind")
    wrapped.__name__ = case.__name__
    return wrapped


@fresh
def first_start_installs_in_a_second(lx):
    start = time.monotonic()
    equal(lx.run("--", "echo", "hi"), (0, "hi\n", ""))
    took = time.monotonic() - start
    if took > 1.0:
        raise AssertionError("took %.2f s" % took)


@fresh
def many_first_starts_at_once(lx):
    jobs = [lx.start("--", "sh", "-c", "echo %d" % i) for i in range(24)]
    out = [(p.communicate(timeout=30), p.returncode) for p in jobs]
    equal([(o[0][0], o[0][1], o[1]) for o in out], [("%d\n" % i, "", 0) for i in range(24)])
    equal(len(lx.instances()), 1, "instances")


@fresh
def many_roots_at_once(lx):
    jobs = [lx.start("--root", "/", "--", "sh", "-c", "echo %d $$" % i) for i in range(24)]
    out = [p.communicate(timeout=30)[0].split()[:1] for p in jobs]
    equal(out, [[str(i)] for i in range(24)])
    equal(until(lambda: not lx.instances()), True, "all instances ended")


@fresh
def idle_instance_and_manager_end(lx):
    lx.config(instanceIdleTimeout=300, managerIdleTimeout=300)
    equal(lx.run("--", "true")[0], 0)
    pids = lx.processes()
    equal(len(pids) >= 3, True, "manager, supervisor, init")
    equal(wait_gone(pids, 6), set())
    equal(os.path.exists(os.path.join(lx.home, "manager.sock")), False, "socket")
    equal(lx.run("--", "echo", "again")[1], "again\n")


@fresh
def a_daemon_keeps_its_instance(lx):
    lx.config(instanceIdleTimeout=200)
    equal(lx.run("--", "sh", "-c", "setsid sleep 3 </dev/null >/dev/null 2>&1 &")[0], 0)
    time.sleep(1.5)
    equal(len(lx.instances()), 1, "while it lives")
    equal(until(lambda: not lx.instances(), 8), True, "after it")


@fresh
def root_instance_ends_with_its_command(lx):
    equal(lx.run("--root", "/", "--", "sh", "-c", "sleep 1000 & true")[0], 0)
    equal(until(lambda: not lx.instances()), True)
    left = [p for p in lx.processes() if p != lx.manager()]
    equal(wait_gone(left, 5), set())


@fresh
def terminate_and_shutdown(lx):
    job = lx.start("--", "sleep", "1000")
    until(lambda: any(i[3] for i in lx.instances()))
    equal(lx.run("--terminate", "picolx")[0], 0)
    out, err = job.communicate(timeout=10)
    equal((job.returncode, out), (124, ""))
    match(err, r"^lx: the instance [^\n]*\n$")
    equal(lx.run("--terminate", "nope")[0], 122)
    equal(lx.run("--", "echo", "again")[1], "again\n")
    pids = lx.processes()
    equal(lx.run("--shutdown")[0], 0)
    equal(wait_gone(pids, 5), set())
    equal(lx.run("--shutdown"), (0, "", ""), "without a manager")


def session_members(lx):
    """Pico processes: in the host session of an instance, but not its supervisor."""
    heads, found = {i[2] for i in lx.instances()}, []
    for pid in lx.processes() - heads:
        try:
            with open("/proc/%d/stat" % pid, encoding="latin1") as f:
                if int(f.read().rsplit(")", 1)[1].split()[3]) in heads:
                    found.append(pid)
        except OSError:
            pass
    return sorted(found)


def one_kill(lx, victim, args, want):
    """Start a command, kill what victim() names, check lx's end and the next start."""
    job = lx.start(*args)
    pid = until(lambda: victim(lx), 10)
    before = lx.processes()
    os.kill(pid, signal.SIGKILL)
    out, err = job.communicate(timeout=15)
    equal((job.returncode, out), (want, ""), err)
    if want == 124:
        match(err, r"^lx: [^\n]*; [^\n]*\n$", "one line")
    keep = {lx.manager()} | {i[2] for i in lx.instances()} | set(session_members(lx))
    equal({p for p in wait_gone(before - keep, 5) if p not in lx.processes()}, set())
    equal(lx.run("--", "echo", "again")[:2], (0, "again\n"))


def busy_manager(lx):
    """Pid of the manager once a command runs."""
    return lx.manager() if any(i[3] for i in lx.instances()) else None


def busy_supervisor(lx):
    """Pid of the instance once a command runs."""
    return next((i[2] for i in lx.instances() if i[3] and i[1] == "Running"), None)


@fresh
def manager_killed(lx):
    for root in ([], ["--root", "/"]):
        one_kill(lx, busy_manager, root + ["--", "sleep", "1000"], 124)


@fresh
def supervisor_killed(lx):
    for root in ([], ["--root", "/"]):
        one_kill(lx, busy_supervisor, root + ["--", "sleep", "1000"], 124)


@fresh
def any_pico_process_killed(lx):
    equal(lx.run("--", "true")[0], 0)
    for i in range(8):
        job = lx.start("--", "sh", "-c", "while :; do (true); done")
        until(lambda: any(x[3] for x in lx.instances()))
        members = session_members(lx)
        os.kill(members[i % len(members)], signal.SIGKILL)
        time.sleep(0.1)
        if job.poll() is None:
            job.terminate()
        try:
            job.communicate(timeout=15)
        except subprocess.TimeoutExpired:
            job.kill()
            raise
        equal(lx.run("--", "echo", "again")[:2], (0, "again\n"))


@fresh
def lx_killed(lx):
    for root in ([], ["--root", "/"]):
        job = lx.start(*root, "--", "sleep", "1000")
        until(lambda: any(i[3] for i in lx.instances()))
        job.kill()
        job.communicate()
        if root:
            equal(until(lambda: not any(i[0] != "picolx" for i in lx.instances())), True)
        else:
            equal(until(lambda: "sleep 1000" not in lx.run("--", "ps", "-ef")[1]), True)


@fresh
def signals_are_forwarded(lx):
    script = "trap 'echo got; exit 9' %s; echo ready; while :; do sleep 0.02; done"
    for name in ("TERM", "INT", "HUP", "QUIT", "USR1", "USR2"):
        for root in ([], ["--root", "/"]):
            job = lx.start(*root, "--", "sh", "-c", script % name)
            equal(job.stdout.readline(), "ready\n")
            job.send_signal(getattr(signal, "SIG" + name))
            out, err = job.communicate(timeout=10)
            equal((name, job.returncode, out), (name, 9, "got\n"), err)
    job = lx.start("--", "sleep", "1000")
    until(lambda: any(i[3] for i in lx.instances()))
    job.terminate()
    equal(job.wait(10), 143)


@fresh
def stop_and_continue(lx):
    job = lx.start("--", "sh", "-c", "echo a; sleep 0.3; echo b")
    equal(job.stdout.readline(), "a\n")
    job.send_signal(signal.SIGTSTP)
    time.sleep(0.6)
    job.send_signal(signal.SIGCONT)
    equal((job.communicate(timeout=10)[0], job.returncode), ("b\n", 0))


@fresh
def stale_socket(lx):
    os.makedirs(lx.home, mode=0o700)
    path = os.path.join(lx.home, "manager.sock")
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.bind(path)
    s.close()
    if os.geteuid() == 0:
        os.chown(lx.home, 65534, 65534)
        os.chown(path, 65534, 65534)
    equal(lx.run("--", "echo", "hi")[:2], (0, "hi\n"))


@fresh
def manager_on_its_way_out(lx):
    """A request that meets one is made again, of its successor."""
    os.makedirs(lx.home, mode=0o700)
    path = os.path.join(lx.home, "manager.sock")
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.bind(path)
    if os.geteuid() == 0:
        os.chown(lx.home, 65534, 65534)
        os.chown(path, 65534, 65534)
    s.listen(5)
    s.settimeout(10)
    for args in (("--list",), ("--", "echo", "hi")):
        p = lx.start(*args)
        c = s.accept()[0]
        c.recv(65536)
        if args[0] == "--":
            s.close()
            os.unlink(path)
        c.send(struct.pack("<4I", 20, 16, 0, 0))  # `again` of session/proto.tbl
        c.close()
        if args[0] == "--list":
            c = s.accept()[0]
            c.recv(65536)
            c.send(struct.pack("<4I", 19, 24, 0, 0) + struct.pack("<I", 2) + b"ok\0\0")
            c.close()
        out, err = p.communicate(timeout=20)
        equal((p.returncode, out, err), (0, "ok" if args[0] == "--list" else "hi\n", ""))


def long_state_path():
    lx = Lx(sub="/".join(["a" * 60] * 4))
    equal(lx.run("--", "echo", "hi")[:2], (0, "hi\n"))
    equal(lx.close(), set())


@fresh
def unusable_state_folder(lx):
    lx.env["PICOLX_HOME"] = "/proc/nope"
    status, out, err = lx.run("--", "true")
    equal((status, out), (122, ""))
    match(err, r"^lx: cannot use the state folder /proc/nope: [^\n]*; set PICOLX_HOME[^\n]*\n$")
    lx.env["PICOLX_HOME"] = "/tmp"
    status, out, err = lx.run("--", "true")
    equal((status, out), (122, ""))
    match(err, r"^lx: the state folder /tmp is not yours; set PICOLX_HOME[^\n]*\n$")
    os.makedirs(os.path.join(lx.dir, "closed"), mode=0o555)
    del lx.env["PICOLX_HOME"]
    lx.env["HOME"] = os.path.join(lx.dir, "closed")
    status, out, err = lx.run("--", "true")
    equal((status, out), (122, ""))
    match(err, r"^lx: cannot use the state folder .*closed/.local/share/picolx: Permission denied; ")
    lx.env["PICOLX_HOME"] = lx.home


@fresh
def relative_state_folder(lx):
    lx.env["PICOLX_HOME"] = "state"
    equal(lx.run("--", "echo", "hi")[:2], (0, "hi\n"))
    lx.env["PICOLX_HOME"] = lx.home
    match(lx.status(), r"Instance: picolx, Running")


@fresh
def damaged_registry(lx):
    lx.config(bogus=1)
    status, _, err = lx.run("--", "true")
    equal(status, 125)
    match(err, r"config, line 1, is not understood; correct or remove the file")
    os.unlink(os.path.join(lx.home, "config"))
    equal(lx.run("--", "true")[0], 0)


def with_core(lx, text):
    """Use a copy of the build whose lxcore is this script."""
    lx.build = os.path.join(lx.dir, "build")
    shutil.copytree(BUILD, lx.build, ignore=lambda d, names: [
        n for n in names if n not in ("lx", "lxmanager", "init", "distro.tar")])
    path = os.path.join(lx.build, "lxcore")
    with open(path, "w", encoding="utf-8") as f:
        f.write("#!/bin/sh\n" + text)
    os.chmod(path, 0o755)


@fresh
def unsupported_host(lx):
    with_core(lx, "echo 'lxcore: this host has no X; use Y' >&2; exit 71\n")
    for args in ([], ["--root", "/"]):
        status, out, err = lx.run(*args, "--", "true")
        equal((status, out), (121, ""))
        match(err, r"^lx: the instance did not start: lxcore: this host has no X; use Y[^\n]*\n$")
    equal(os.listdir(os.path.join(lx.home, "distros")), [], "half made distributions")


@fresh
def core_that_dies_at_once(lx):
    with_core(lx, "kill -9 $$\n")
    status, _, err = lx.run("--", "true")
    equal(status, 124)
    match(err, r"^lx: the instance was ended by signal 9; [^\n]*\n$")


@fresh
def an_instance_that_never_starts_can_be_left(lx):
    with_core(lx, "echo here > %s\nexec sleep 600\n" % os.path.join(lx.dir, "started"))
    for sig in (signal.SIGTERM, signal.SIGINT):
        p = lx.start("--root", "/", "--", "true")
        until(lambda: os.path.exists(os.path.join(lx.dir, "started")))
        p.send_signal(sig)
        equal(p.wait(10), 128 + sig)
        os.unlink(os.path.join(lx.dir, "started"))


@fresh
def niceness(lx):
    def run(add, *args):
        return lx.run(*args, preexec_fn=lambda: os.nice(add))
    base = os.nice(0)
    equal(run(5, "-d", "nope", "--", "true")[0], 122)
    equal(run(5, "--", "true")[0], 0)
    equal(run(0, "--", "true")[0], 0)
    lx.run("--shutdown")
    for add in (5, 0):  # a manager that is nicer gives way
        equal(run(add, "--root", "/", "--", "nice")[1], "%d\n" % min(base + add, 19))


@fresh
def other_groups(lx):
    if os.geteuid() != 0:
        return  # only root can choose its groups

    def run(groups, args="/"):
        return subprocess.run([os.path.join(BUILD, "lx"), "--root", args, "--", "sh", "-c",
                               "touch f && chgrp 4 f && stat -c %g f; rm -f f"], env=lx.env, cwd=lx.dir,
                              user=NOBODY, group=NOBODY, extra_groups=groups, timeout=20, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, check=False)
    match(run([]).stderr, "Operation not permitted")
    equal(run([4, 20]).stdout, "4\n", "a manager without these groups gives way")
    equal(run([4]).stdout, "4\n")
    job = lx.start("--", "sleep", "1000")
    until(lambda: any(i[3] for i in lx.instances()))
    p = run([4, 20, 27])
    equal((p.returncode, p.stderr), (125, "lx: the session manager was started with other groups; "
                                          "end it with lx --shutdown and try again\n"))
    job.terminate()
    equal(job.wait(10), 143)


@fresh
def core_that_cannot_be_run(lx):
    with_core(lx, "")
    os.chmod(os.path.join(lx.build, "lxcore"), 0o644)
    status, _, err = lx.run("--", "true")
    equal(status in (124, 125), True, status)
    match(err, r"^lx: [^\n]*; [^\n]*\n$")


@fresh
def too_few_handles(lx):
    status, out, err = lx.run("--root", "/", "--", "true", preexec_fn=lambda: resource.setrlimit(
        resource.RLIMIT_NOFILE, (20, 20)))
    equal((status, out), (123, ""))
    match(err, r"^lx: the limit on open files is 20[^\n]*; raise it[^\n]*\n$")


@fresh
def installation_cut_off(lx):
    rng = random.Random(1)
    for _ in range(max(4, ROUNDS // 4)):
        job = lx.start("--", "true")
        time.sleep(rng.uniform(0.0, 0.06))
        pids = lx.processes() - {job.pid}
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        job.communicate(timeout=20)
        wait_gone(pids, 5)
        equal(lx.run("--", "sh", "-c", "ls /bin/sh /etc/passwd && id -un")[:2],
              (0, "/bin/sh\n/etc/passwd\nuser\n"))
        lx.run("--shutdown")
        subprocess.run(["rm", "-rf", lx.home], check=True)


@fresh
def random_kills(lx):
    rng = random.Random(2)
    for i in range(ROUNDS):
        args = ["--root", "/"] if rng.random() < 0.3 else []
        jobs = [lx.start(*args, "--", "sh", "-c", "for i in 1 2 3; do echo x | cat; sleep 0.01; done")
                for _ in range(3)]
        time.sleep(rng.uniform(0.0, 0.08))
        victims = sorted(lx.processes() | {p.pid for p in jobs})
        victim = rng.choice(victims) if victims else jobs[0].pid
        try:
            os.kill(victim, signal.SIGKILL)
        except ProcessLookupError:
            pass
        for p in jobs:
            try:
                p.communicate(timeout=30)
            except subprocess.TimeoutExpired:
                raise AssertionError("round %d: lx hangs after the death of %d: %s" % (
                    i, victim, lx.report())) from None
    equal(lx.run("--", "echo", "again")[:2], (0, "again\n"))


@fresh
def no_handles_leak(lx):
    equal(lx.run("--", "true")[0], 0)
    pids = {"manager": lx.manager(), "instance": lx.instances()[0][2]}

    def count():
        return {k: len(os.listdir("/proc/%d/fd" % p)) for k, p in pids.items()}

    lx.run("--", "true")
    before = count()
    for _ in range(30):
        lx.run("--", "sh", "-c", "true | true", stdin="x")
        lx.run("-u", "nope", "--", "true")
    time.sleep(0.3)
    after = count()
    if any(after[k] > before[k] + 2 for k in before):
        raise AssertionError("handles before %r, after %r" % (before, after))


def manager_by_hand():
    equal(alive(os.getpid()), True)
    p = subprocess.run([os.path.join(BUILD, "lxmanager")], stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, **identity())
    match(p.stderr, r"started by hand; use lx", "started by hand")
    equal(p.returncode, 120)


if __name__ == "__main__":
    main([first_start_installs_in_a_second, many_first_starts_at_once, many_roots_at_once,
          idle_instance_and_manager_end, a_daemon_keeps_its_instance,
          root_instance_ends_with_its_command, terminate_and_shutdown, manager_killed,
          supervisor_killed, any_pico_process_killed, lx_killed, signals_are_forwarded,
          stop_and_continue, stale_socket, manager_on_its_way_out, long_state_path,
          unusable_state_folder, relative_state_folder,
          damaged_registry, unsupported_host, core_that_dies_at_once, other_groups, niceness,
          an_instance_that_never_starts_can_be_left,
          core_that_cannot_be_run, too_few_handles, installation_cut_off, random_kills, no_handles_leak,
          manager_by_hand])
