#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Check for the commands a target needs and install what is missing (Debian packages, as root or
# with sudo, which may ask for a password on a terminal); otherwise name them in one line.
# usage: deps.sh run|check|lint

set -u

# command or file, Debian package
run_needs='gcc:gcc make:make python3:python3 ld:binutils busybox:busybox-static
/usr/include/stdio.h:libc6-dev /usr/include/linux/types.h:linux-libc-dev'
check_needs="$run_needs"
lint_needs="$run_needs clang-format:clang-format clang-tidy:clang-tidy cppcheck:cppcheck"

have() {
    case $1 in
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
check) needs=$check_needs ;;
lint) needs=$lint_needs ;;
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
    missing=$(missing_of "$needs")
    [ -z "$missing" ] && exit 0
fi
echo "picolx needs packages that are missing; as root: apt-get install $missing(Debian's names)" >&2
exit 1
