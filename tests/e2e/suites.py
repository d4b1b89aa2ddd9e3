#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Test suites of other projects, natively and under lx, compared test by test; differences are listed.

What is not there is left out: python is Debian's libpython3-testsuite, go golang-go and golang-src,
glib glib2.0-tests. The others are source trees under --sources (build/suites): perl (the installed
version's t, lib, dist, cpan, ext, with the installed modules copied over lib), bash (configured,
with recho, zecho, printenv and xcase built in tests), uv (built in b), tcl, busybox with a
busybox and an empty .config in it, git and redis (built), ruby and php (sources of the version that
is installed). The user who runs the tests (nobody, when started as root) must be able to write in
the trees.

A unit (a module, package or script) that differs is run again on both sides: a difference that does
not come back is marked "once" and does not count.
"""

import argparse
import fnmatch
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.dirname(HERE))
import run as guest  # noqa: E402  (tests/run.py)

PYTHON = "/usr/bin/python3"
PYTHON_MODULES = """
test_os test_posix test_fcntl test_signal test_subprocess test_socket test_select test_selectors
test_poll test_epoll test_asyncio test_threading test_thread test_threadsignals
test_threadedtempfile test_thread_local_bytes test_multiprocessing_fork test_multiprocessing_spawn
test_multiprocessing_forkserver test_multiprocessing_main_handling test_concurrent_futures test_mmap
test_io test_file test_fileio test_fileinput test_bufio test_largefile test_tempfile test_shutil
test_pathlib test_glob test_fnmatch test_pty test_tty test_openpty test_termios test_ioctl
test_resource test_time test_timeout test_mailbox test_pwd test_grp test_spwd test_crypt
test_logging test_socketserver test_ssl test_httpservers test_httplib test_faulthandler
test_regrtest test_posixpath test_genericpath test_stat test_wait3 test_wait4 test_fork1 test_popen
test_pipes test_eintr test_sqlite3 test_gc test_shelve test_dbm test_dbm_dumb test_dbm_gnu
test_dbm_ndbm test_urllib test_urllib2 test_urllib2_localnet test_ftplib test_smtplib test_poplib
test_imaplib test_nntplib test_telnetlib test_smtpd test_asyncore test_asynchat test_venv
test_curses test_cmd_line test_cmd_line_script test_inspect test_zipfile test_tarfile test_gzip
test_bz2 test_lzma test_zlib test_shlex test_getpass test_platform test_locale test_queue test_sched
test_sys test_sysconfig test_site test_runpy test_repl test_readline test_pdb test_bdb test_doctest
test_importlib test_import test_zipimport test_zipapp test_compileall test_py_compile test_filecmp
test_linecache test_netrc test_syslog test_atexit test_capi test_embed test_gdb test_tracemalloc
test_traceback test_warnings test_unicode_file test_unicode_file_functions test_utf8_mode
test_c_locale_coercion test_support test_ctypes test_struct test_array test_memoryview test_pickle
test_random test_uuid test_secrets test_hashlib test_hmac test_xmlrpc test_wsgiref test_docxmlrpc
test_robotparser test_webbrowser test_ensurepip test_distutils test_lib2to3 test_tools test_dtrace
test_perf_profiler test_devpoll test_kqueue test_ossaudiodev test_nis test_ntpath test_sundry
test_exceptions test_contextlib test_weakref test_zoneinfo test_datetime test_calendar test_json
test_csv test_configparser test_email test_codecs test_float test_math test_decimal test_fractions
""".split()
GO_PACKAGES = """
os os/exec os/signal os/user os/exec/internal/fdtest net syscall runtime runtime/debug runtime/pprof
runtime/trace runtime/cgo runtime/internal/atomic runtime/internal/sys io io/fs io/ioutil
path/filepath time sync sync/atomic internal/poll internal/fuzz internal/testenv log/syslog net/http
net/http/httptest net/rpc net/textproto net/smtp net/http/cgi net/http/fcgi net/netip context bufio
mime/multipart archive/tar archive/zip compress/gzip crypto/rand crypto/tls crypto/x509 database/sql
debug/elf debug/gosym debug/buildinfo embed go/build hash/maphash math/big plugin text/template
testing testing/fstest cmd/internal/buildid reflect strings
""".split()
PERL_SCRIPTS = """
t/io/*.t t/op/*.t t/base/*.t t/cmd/*.t t/run/*.t lib/*.t dist/*/t/*.t cpan/*/t/*.t ext/*/t/*.t
""".split()
RUBY_TESTS = """
ruby/test_process.rb ruby/test_io.rb ruby/test_thread.rb ruby/test_signal.rb ruby/test_dir.rb
ruby/test_fiber.rb ruby/test_gc.rb ruby/test_pipe.rb ruby/test_time.rb ruby/test_rubyoptions.rb
socket fiber io etc fileutils monitor openssl
""".split()
PHP_TESTS = """
ext/standard/tests/file ext/standard/tests/general_functions ext/standard/tests/streams ext/pcntl
ext/posix ext/sockets sapi/cli/tests
""".split()
# Their outcome is the machine's: locale and build options, or files that git does not ship.
REDIS_LEFT_OUT = "unit/printver unit/tls unit/violations integration/aof-race " \
    "integration/corrupt-dump-fuzzer".split()
PRIVATE = "{private}"  # in a unit's arguments and variables: an empty folder of this run


class Unit:
    def __init__(self, suite, name, argv, cwd, timeout, parse, env=None, prepare=None):
        self.suite, self.name, self.argv, self.cwd = suite, name, argv, cwd
        self.timeout, self.parse, self.env = timeout, parse, env or {}
        self.prepare = prepare or (lambda: True)


# ---- python


def python_units(work, sources):
    v = subprocess.run([PYTHON, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
                       capture_output=True, text=True, check=False).stdout.strip()
    folder = "/usr/lib/python%s/test" % v
    if not os.path.isdir(os.path.join(folder, "support")):
        return
    for m in dict.fromkeys(PYTHON_MODULES):
        if os.path.exists(os.path.join(folder, m + ".py")) or os.path.isdir(os.path.join(folder, m)):
            argv = [PYTHON, "-m", "test", "-v", "-u", "all,-network,-urlfetch,-largefile,-cpu,-gui,-audio",
                    "--timeout", "240", "--junit-xml", "result.xml", m]
            yield Unit("python", m, argv, None, 400, python_results)


def python_results(text, cwd):
    """From the XML; when the process died before it was written, from the lines of the log."""
    path = os.path.join(cwd, "result.xml")
    found = {}
    if os.path.exists(path) and os.path.getsize(path):
        for case in ElementTree.parse(path).getroot().iter("testcase"):
            state = "ok"
            if case.find("skipped") is not None or case.get("result") == "skipped":
                state = "skip"
            if case.find("failure") is not None or case.find("error") is not None:
                state = "FAIL"
            name = stable(case.get("name"))
            # the worst of several results of one name (subtests)
            if found.get(name) != "FAIL":
                found[name] = state
        return found
    for m in re.finditer(r"^(\w+) \((\S+)\).*?\.\.\. (ok|skipped|FAIL|ERROR)", text, re.M):
        found["%s (%s)" % m.groups()[:2]] = {"ok": "ok", "skipped": "skip"}.get(m.group(3), "FAIL")
    return found


def stable(name):
    return re.sub(r"0x[0-9a-f]+|\d{5,}|(?<=\()\d+(?=\))", "N", name or "?")


# ---- go


def go_units(work, sources):
    if not shutil.which("go"):
        return
    root = subprocess.run(["go", "env", "GOROOT"], capture_output=True, text=True, check=False).stdout.strip()
    env = {"GOCACHE": os.path.join(work, "gocache"), "GOFLAGS": "-mod=mod", "GO111MODULE": "off",
           "GOPATH": os.path.join(work, "gopath"), "GOROOT": root, "GOTRACEBACK": "all", "GOPROXY": "off"}
    for p in GO_PACKAGES:
        folder = os.path.join(root, "src", p)
        if not os.path.isdir(folder):
            continue
        binary = os.path.join(work, "go", p.replace("/", "_") + ".test")

        def build(binary=binary, package=p):
            if not os.path.exists(binary):
                os.makedirs(os.path.dirname(binary), exist_ok=True)
                subprocess.run(["go", "test", "-c", "-o", binary, package], env=dict(os.environ, **env),
                               check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            return os.path.exists(binary)

        argv = [binary, "-test.v", "-test.short", "-test.timeout", "280s"]
        # every unit its own cache: the runs must not share what they write
        yield Unit("go", p, argv, os.path.realpath(folder), 300, go_results,
                   dict(env, GOCACHE=PRIVATE + "/gocache", GOPATH=PRIVATE + "/gopath"), build)


def go_results(text, cwd):
    found = {}
    for m in re.finditer(r"--- (PASS|FAIL|SKIP): (\S+)", text):
        found[stable(m.group(2))] = {"PASS": "ok", "SKIP": "skip"}.get(m.group(1), "FAIL")
    started = re.findall(r"=== RUN +(\S+)", text)
    for name in started:
        found.setdefault(stable(name), "no end")
    return found


# ---- perl


def perl_units(work, sources):
    tree = os.path.join(sources, "perl")
    if not os.path.isfile(os.path.join(tree, "t", "test.pl")):
        return
    import glob
    for pattern in PERL_SCRIPTS:
        for path in sorted(glob.glob(os.path.join(tree, pattern))):
            name = os.path.relpath(path, tree)
            core = name.startswith(("t/", "lib/"))
            cwd = os.path.join(tree, "t") if core else os.path.dirname(os.path.dirname(path))
            argv = ["/usr/bin/perl", os.path.relpath(path, cwd)]
            yield Unit("perl", name, argv, cwd, 200, tap_results, {"PERL_CORE": "1"})


def tap_results(text, cwd):
    found = {}
    for m in re.finditer(r"^(not ok|ok) (\d+)(?:[ \t]*-?[ \t]*(.*))?$", text, re.M):
        note = m.group(3) or ""
        state = "ok" if m.group(1) == "ok" else "todo" if re.search(r"# *TODO", note, re.I) else "FAIL"
        if re.search(r"# *skip", note, re.I):
            state = "skip"
        found[m.group(2)] = state
    return found


# ---- bash


def bash_units(work, sources):
    tree = os.path.join(sources, "bash", "tests")
    if not os.path.isdir(tree):
        return
    for name in sorted(os.listdir(tree)):
        if name.startswith("run-") and not name.endswith(("~", "-all", "-minimal", "-gprof")):
            env = {"THIS_SH": "/bin/bash", "BUILD_DIR": "..", "BASH_TSTOUT": "./tstout",
                   "PATH": ".:" + guest.clean_env("/")["PATH"]}
            yield Unit("bash", name[4:], ["/bin/sh", name], tree, 120, line_results, env)


def line_results(text, cwd):
    """The output itself is the result: differences to what the suite expects, line by line."""
    return {"%d" % i: stable(line) for i, line in enumerate(text.splitlines())}


# ---- more: libuv, glib, tcl, busybox


def uv_units(work, sources):
    binary = os.path.join(sources, "uv", "b", "uv_run_tests_a")
    if not os.access(binary, os.X_OK):
        return
    names = subprocess.run([binary, "--list"], capture_output=True, text=True, check=False,
                           **guest.child_identity()).stdout.split()
    for name in names:
        yield Unit("uv", name, [binary, name], os.path.join(sources, "uv"), 70, named_tap_results)


def glib_units(work, sources):
    folder = "/usr/share/installed-tests/glib"
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
        with open(os.path.join(folder, name)) as f:
            m = re.search(r"^Exec=(.*)$", f.read(), re.M)
        if m:
            argv = ["/bin/sh", "-c", m.group(1)]
            yield Unit("glib", name.replace(".test", ""), argv, None, 200, named_tap_results)


def named_tap_results(text, cwd):
    found = {}
    for m in re.finditer(r"^(not ok|ok) \d+ -? ?(.*)$", text, re.M):
        name, _, note = m.group(2).partition("#")
        skipped = re.match(r" *SKIP", note, re.I)
        found[stable(name.strip())] = "skip" if skipped else "ok" if m.group(1) == "ok" else "FAIL"
    return found


def tcl_units(work, sources):
    tests = os.path.join(sources, "tcl", "tests")
    for name in sorted(os.listdir(tests)) if os.path.isdir(tests) else []:
        if name.endswith(".test"):
            argv = ["/usr/bin/tclsh8.6", os.path.join(tests, name), "-verbose", "pass skip error",
                    "-tmpdir", "."]
            yield Unit("tcl", name[:-5], argv, None, 150, tcl_results)


def tcl_results(text, cwd):
    found = {}
    for m in re.finditer(r"^(\+\+\+\+|====) (\S+).*?(PASSED|FAILED)$", text, re.M):
        if found.get(m.group(2)) != "FAIL":
            found[m.group(2)] = "ok" if m.group(3) == "PASSED" else "FAIL"
    return found


def busybox_units(work, sources):
    tests = os.path.join(sources, "busybox", "testsuite")
    if os.path.isfile(os.path.join(tests, "runtest")):
        yield Unit("busybox", "testsuite", ["/bin/sh", "./runtest", "-v"], tests, 900, busybox_results,
                   {"bindir": os.path.dirname(tests)})


def busybox_results(text, cwd):
    lines = re.finditer(r"^(PASS|FAIL|SKIPPED|UNTESTED): (.*)$", text, re.M)
    return {stable(m.group(2)): m.group(1) for m in lines}


# ---- more: git, redis, ruby, php


def git_units(work, sources):
    tests = os.path.join(sources, "git", "t")
    for name in sorted(os.listdir(tests)) if os.path.isdir(tests) else []:
        if re.match(r"t\d{4}-.*\.sh$", name):
            argv = ["/bin/sh", "./" + name, "--root=" + PRIVATE]
            yield Unit("git", name[:-3], argv, tests, 240, tap_results, {"TEST_OUTPUT_DIRECTORY": PRIVATE})


def redis_units(work, sources):
    tree = os.path.join(sources, "redis")
    if not os.access(os.path.join(tree, "src", "redis-server"), os.X_OK):
        return
    import glob
    for path in sorted(glob.glob(os.path.join(tree, "tests", "[iu]n*", "**", "*.tcl"), recursive=True)):
        name = os.path.relpath(path, os.path.join(tree, "tests"))[:-4]
        with open(path) as f:
            runs = "start_server" in f.read()
        if runs and name.split("/")[1] not in ("cluster", "moduleapi") and name not in REDIS_LEFT_OUT:
            argv = ["./runtest", "--clients", "1", "--tags", "-slow", "--timeout", "150", "--single", name]
            yield Unit("redis", name, argv, tree, 200, redis_results)


def redis_results(text, cwd):
    text = re.sub(r"\x1b\[[\d;]*m", "", text)
    lines = re.finditer(r"^\[(ok|err|skip|exception)\]: (.*?)(?: \(\d+ ms\)| in tests/.*)?$", text, re.M)
    return {stable(m.group(2)): m.group(1) if m.group(1) in ("ok", "skip") else "FAIL" for m in lines}


def ruby_units(work, sources):
    tree = os.path.join(sources, "ruby")
    if not os.path.isfile(os.path.join(tree, "test", "runner.rb")) or not shutil.which("ruby"):
        return
    for name in RUBY_TESTS:
        argv = ["/usr/bin/ruby", "-I", "tool/lib", "-I", "test/lib", "test/runner.rb", "-v", "--no-retry",
                "test/" + name]
        yield Unit("ruby", name, argv, tree, 200, ruby_results, {"TMPDIR": PRIVATE})


def ruby_results(text, cwd):
    """Names from the lines of progress, failures from the list behind them."""
    found = {stable(m.group(1)): "ok" for m in re.finditer(r"^\[ *\d+/\d+\] (\S+#\S+)", text, re.M)}
    bad = re.finditer(r"^ *\d+\) (Failure|Error|Skipped):\n(\S+#[^\s:]+)", text, re.M)
    found.update({stable(m.group(2)): "skip" if m.group(1) == "Skipped" else "FAIL" for m in bad})
    return found


def php_units(work, sources):
    tree = os.path.join(sources, "php")
    if not os.path.isfile(os.path.join(tree, "run-tests.php")) or not shutil.which("php"):
        return
    env = {"TEST_PHP_EXECUTABLE": "/usr/bin/php", "NO_INTERACTION": "1", "SKIP_ONLINE_TESTS": "1",
           "SKIP_SLOW_TESTS": "1"}
    for name in PHP_TESTS:
        if os.path.isdir(os.path.join(tree, name)):
            argv = ["/usr/bin/php", "run-tests.php", "-q", "-n", "--no-progress", "--no-color", name]
            yield Unit("php", name, argv, tree, 250, php_results, env)


def php_results(text, cwd):
    words = {"PASS": "ok", "SKIP": "skip", "XFAIL": "todo"}
    lines = re.finditer(r"^(PASS|SKIP|XFAIL|FAIL|BORK|WARN|XLEAK|LEAK)\b.*?\[(\S+\.phpt)\]", text, re.M)
    return {m.group(2): words.get(m.group(1), "FAIL") for m in lines}


# ---- running and comparing


class Runner:
    def __init__(self, args):
        self.args = args
        self.work = tempfile.mkdtemp(prefix="lxs-", dir=args.tmp)
        os.chmod(self.work, 0o755)
        self.home = guest.private_dir(self.work, "home")
        self.totals = {}
        self.differing = 0

    def once(self, unit, where):
        private = guest.private_dir(self.work, "w")
        cwd = unit.cwd or private
        env = guest.clean_env(private)
        for key, value in unit.env.items():
            env[key] = value.replace(PRIVATE, private)
        argv = [a.replace(PRIVATE, private) for a in unit.argv]
        if where == "lx":
            env["PICOLX_HOME"] = self.home
            argv = [self.args.lx, "--root", "/", "--cd", cwd] + self.args.lx_arg + ["--"] + argv
        start = time.monotonic()
        r = guest.run_process(argv, cwd, env, unit.timeout * self.args.slow)
        found = unit.parse(r.out, private)
        found["(status)"] = "timeout" if r.timed_out else str(r.status)
        if where == "lx" and (r.timed_out or self.args.fresh):
            guest.end_processes_of(self.home)
        guest.remove_tree(private)
        if self.args.logs:
            name = "%s-%s.%s.log" % (unit.suite, unit.name.replace("/", "_"), where)
            with open(os.path.join(self.args.logs, name), "w") as f:
                f.write(r.out)
        return found, time.monotonic() - start

    def one(self, unit):
        if not unit.prepare():
            print("skip   %s %s: does not build here" % (unit.suite, unit.name), flush=True)
            return
        native, native_s = self.once(unit, "native")
        if self.args.native_only:
            print("%s %s: %d tests, status %s, %.1f s" % (unit.suite, unit.name, len(native) - 1, native["(status)"],
                                                          native_s), flush=True)
            return
        lx, lx_s = self.once(unit, "lx")
        diff = differences(native, lx)
        unsteady = {}
        if diff:
            again = differences(self.once(unit, "native")[0], self.once(unit, "lx")[0])
            unsteady = {k: v for k, v in diff.items() if k not in again}
            diff = {k: v for k, v in diff.items() if k in again}
        t = self.totals.setdefault(unit.suite, [0, 0, 0, 0])
        t[0] += len(native) - 1
        t[1] += passed(native)
        t[2] += passed(lx)
        t[3] += len(diff)
        self.differing += 1 if diff else 0
        print("%s %s %s: %d tests, native %.1f s, lx %.1f s%s" % (
            "NOT OK" if diff else "ok    ", unit.suite, unit.name, len(native) - 1, native_s, lx_s,
            ", unsteady: %d" % len(unsteady) if unsteady else ""), flush=True)
        for table, mark in ((diff, ""), (unsteady, "(once) ")):
            for name, (n, x) in list(table.items())[:self.args.show]:
                print("       %s%s: native %s, lx %s" % (mark, name[:140], n[:90], x[:90]), flush=True)

    def end(self):
        guest.end_processes_of(self.home)
        guest.remove_tree(self.work)


def passed(found):
    good = ("ok", "skip", "PASS", "SKIPPED", "UNTESTED", "todo")
    return sum(1 for k, v in found.items() if v in good and k != "(status)")


def differences(native, lx):
    names = list(native) + [k for k in lx if k not in native]
    return {k: (native.get(k, "absent"), lx.get(k, "absent")) for k in names if native.get(k) != lx.get(k)}


SUITES = {"python": python_units, "go": go_units, "perl": perl_units, "bash": bash_units, "uv": uv_units,
          "glib": glib_units, "tcl": tcl_units, "busybox": busybox_units, "git": git_units,
          "redis": redis_units, "ruby": ruby_units, "php": php_units}


def main(argv):
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("patterns", nargs="*", help="SUITE or SUITE:UNIT (python:test_os, go:net*); all when absent")
    p.add_argument("--lx", default=os.path.join(TOP, "build", "lx"))
    p.add_argument("--lx-arg", action="append", default=[])
    p.add_argument("--sources", default=os.path.join(TOP, "build", "suites"),
                   help="folder with the source trees, each under its suite's name")
    p.add_argument("--cache", default=os.path.join(TOP, "build", "suites"),
                   help="where built test programs are kept")
    p.add_argument("--tmp", help="folder for private working folders")
    p.add_argument("--logs", help="folder to keep the output of the last run of each side")
    p.add_argument("--native-only", action="store_true")
    p.add_argument("--fresh", action="store_true", help="a new instance for every unit")
    p.add_argument("--slow", type=float, default=1.0, help="factor on the time limits")
    p.add_argument("--show", type=int, default=40, help="differences to print per unit")
    args = p.parse_args(argv)
    args.lx = os.path.abspath(args.lx)
    guest.signals_as_usual()
    wanted = [w if ":" in w else w + ":*" for w in args.patterns] or ["*:*"]
    os.makedirs(args.cache, exist_ok=True)
    if args.logs:
        os.makedirs(args.logs, exist_ok=True)
    runner = Runner(args)
    try:
        for suite, units in SUITES.items():
            if not any(fnmatch.fnmatch(suite, w.split(":")[0]) for w in wanted):
                continue
            for unit in units(args.cache, args.sources):
                if any(fnmatch.fnmatch("%s:%s" % (suite, unit.name), w) for w in wanted):
                    runner.one(unit)
    finally:
        runner.end()
    for suite, (count, native, lx, diff) in runner.totals.items():
        print("%s: %d tests, passed or skipped natively %d, under lx %d; %d differ" % (
            suite, count, native, lx, diff))
    return 1 if runner.differing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
