#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `make run`: a command under lx; without one a shell, or without a terminal a short tour.
# usage: RUN_CMD='COMMAND' BUILD=FOLDER run.sh

set -u
cd "$(dirname "$0")/.." || exit 125
lx=$(cd "${BUILD:-build}" && pwd)/lx

if [ -n "${RUN_CMD-}" ]; then
    exec "$lx" -- sh -c "$RUN_CMD"
fi
if [ -t 0 ] && [ -t 1 ]; then
    echo "A shell in the built-in distribution; 'exit' leaves it."
    exec "$lx"
fi

tmp=$(mktemp -d) || exit 125
trap 'rm -rf "$tmp"' EXIT
chmod 755 "$tmp"

# the command line, words with blanks quoted
quoted() {
    printf '$ lx'
    for word; do
        case $word in
        *[!A-Za-z0-9_./=-]*) printf " '%s'" "$word" ;;
        *) printf ' %s' "$word" ;;
        esac
    done
    printf '\n'
}

# show TITLE ARGUMENT...: what is run, its output, its status when it is not 0
show() {
    printf '\n== %s\n' "$1"
    shift
    quoted "$@"
    "$lx" "$@" </dev/null >"$tmp/out" 2>&1
    status=$?
    head -n 14 "$tmp/out"
    [ $status = 0 ] || printf '(status %d)\n' $status
}

# host PROGRAM TITLE ARGS...: only when this machine has the program
host() {
    command -v "$1" >/dev/null 2>&1 || return 0
    shift
    show "$@"
}

printf 'int printf(const char *, ...);\nint main(void) { printf("compiled here\\n"); return 0; }\n' \
    >"$tmp/hello.c"

echo 'picolx: unmodified Linux programs on a Linux kernel interface in user space. A short tour:'
show 'The built-in distribution: busybox on a root of its own' -- uname -a
show 'Its user, its root folder' -- sh -c 'id; head -n 1 /etc/os-release; echo /*'
show 'Processes, pipes, a loop' -- sh -c 'seq 1 100000 | awk "{ s += \$1 } END { print s }"; ps | head -5'
show 'The host is at /mnt/c' -- sh -c 'pwd; ls /mnt/c | head -5'
show 'An exit status goes through' -- sh -c 'echo leaving with 42; exit 42'
host bash "This machine's own programs: bash" --root / -- bash -c \
    'for i in 1 2 3; do (echo "subshell $i, pid $BASHPID") & done; wait; echo "bash $BASH_VERSION"'
host python3 'python3 with threads and processes' --root / -- python3 -c \
    'import platform, threading, subprocess
t = [threading.Thread(target=print, args=("thread", i)) for i in range(3)]
[x.start() or x.join() for x in t]
print(subprocess.check_output(["uname", "-sr"]).decode().strip(), "python", platform.python_version())'
host gcc 'gcc compiles and links, the result runs' --root / -- sh -c \
    "cd $tmp && gcc -O2 -o hello hello.c && ./hello"
host git 'git' --root / -- sh -c \
    "cd $tmp && git init -q r && cd r && cp ../hello.c . && git add . &&
     git -c user.name=t -c user.email=t@t commit -qm first && git log --oneline --stat"
host perl 'perl' --root / -- perl -e 'printf "perl %vd, %d words\n", $^V, scalar(split / /, "a b c d")'
show 'What a command asks of the kernel' -c -- true
printf '\nmake run in a terminal opens a shell; make run CMD="..." runs one command.\n'
