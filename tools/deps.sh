#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Check for the commands a target needs and install what is missing (Debian packages, as root or
# with sudo, which may ask for a password on a terminal); otherwise name them in one line.
# usage: deps.sh run|check|lint

set -u

# command or file, Debian package
run_needs='gcc|clang:gcc make:make python3:python3 ld:binutils busybox:busybox-static
/usr/include/stdio.h:libc6-dev /usr/include/linux/types.h:linux-libc-dev'
lint_needs="clang-format:clang-format clang-tidy:clang-tidy cppcheck:cppcheck"

# a compiler that is there but without the sanitizers' libraries, as clang often is
sanitizers_need() {
    cc=${CC:-gcc}
    cc=${cc%% *}
    command -v "$cc" >/dev/null 2>&1 || cc=clang
    command -v "$cc" >/dev/null 2>&1 || return
    echo 'int main(void) { return 0; }' |
        "$cc" -fsanitize=address,undefined -x c -o /dev/null - 2>/dev/null && return
    case $cc in
    *clang*) echo "none:libclang-rt-$("$cc" -dumpversion | cut -d. -f1)-dev" ;;
    *) echo "none:libgcc-$("$cc" -dumpversion | cut -d. -f1)-dev" ;;
    esac
}

have() {
    case $1 in
    *'|'*) have "${1%%|*}" || have "${1#*|}" ;;
    /*) [ -e "$1" ] ;;
    *) command -v "$1" >/dev/null 2>&1 ;;
    esac
}

missing_of() {
    for need in $1; do
        have "${need%%:*}" || printf '%s ' "${need##*:}"
    done
}

# how to become root: as it is, sudo, or not at all
if [ "$(id -u)" = 0 ]; then
    as_root=
elif sudo -n true >/dev/null 2>&1 || { command -v sudo >/dev/null 2>&1 && [ -t 0 ] && [ -t 2 ]; }; then
    as_root=sudo
else
    as_root=nobody
fi

case ${1-} in
run) needs=$run_needs ;;
check) needs="$run_needs $(sanitizers_need)" ;;
lint) needs="$run_needs $lint_needs" ;;
*)
    echo 'usage: deps.sh run|check|lint' >&2
    exit 2
    ;;
esac

missing=$(missing_of "$needs")
[ -z "$missing" ] && exit 0

command -v apt-get >/dev/null 2>&1 || as_root=nobody
if [ "$as_root" != nobody ]; then
    echo "installing: $missing"
    # an outdated list of packages may still do
    $as_root apt-get update -qq
    # shellcheck disable=SC2086 # a list of packages
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
        $missing >/dev/null
    case $1 in check) needs="$run_needs $(sanitizers_need)" ;; esac
    missing=$(missing_of "$needs")
    [ -z "$missing" ] && exit 0
fi
echo "picolx needs packages that are missing; as root: apt-get install $missing(Debian's names)" >&2
exit 1
