#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Check for the commands a target needs and install what is missing (Debian packages, as root or
# with passwordless sudo); otherwise name them in one line.    usage: deps.sh run|check|lint

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

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        sudo -n "$@"
    fi
}

can_install() {
    command -v apt-get >/dev/null 2>&1 || return 1
    [ "$(id -u)" = 0 ] || sudo -n true >/dev/null 2>&1
}

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

if can_install; then
    echo "installing: $missing"
    # shellcheck disable=SC2086 # a list of packages
    as_root apt-get update -qq &&
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
            $missing >/dev/null
    missing=$(missing_of "$needs")
    [ -z "$missing" ] && exit 0
fi
echo "picolx needs these packages (Debian names), please install them: $missing" >&2
exit 1
