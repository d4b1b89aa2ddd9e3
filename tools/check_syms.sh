#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Rule L6: core objects need nothing from outside but host_* and mem*, and contain no syscall
# instruction.   usage: check_syms.sh OBJ_DIR [LXCORE]      OBJ_DIR has core/ and gen/ below it

set -u
obj=${1:?usage: check_syms.sh OBJ_DIR [LXCORE]}
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
bad=0

files=$(find "$obj/core" "$obj/gen" -name '*.o' ! -name '*.tmp.o' 2>/dev/null | sort)
[ -n "$files" ] || { echo 'syms: nothing is built yet'; exit 0; }

# shellcheck disable=SC2086 # lists of files
nm -A $files 2>/dev/null >"$tmp/all"
awk '$(NF-1) ~ /^[TDBRVWSCu]$/ { print $NF }' "$tmp/all" | sort -u >"$tmp/defined"
awk '$(NF-1) == "U" { print $NF }' "$tmp/all" | sort -u >"$tmp/needed"
# the linker script and the host backend give these names
comm -23 "$tmp/needed" "$tmp/defined" |
    grep -vE '^(host_|g_upcalls$|mem(cpy|set|move|cmp)$|g_(text|data|ex_table)_|_GLOBAL_OFFSET_TABLE_$)' \
        >"$tmp/missing"
# names of bodies that the table promises but nobody wrote are the linker's to report
grep -v '^sys_' "$tmp/missing" >"$tmp/foreign"
if [ -s "$tmp/foreign" ]; then
    echo 'syms: L6: core needs symbols that are neither its own nor host_*:'
    while read -r name; do
        printf '  %-28s in %s\n' "$name" \
            "$(awk -v n="$name" '$NF == n && $(NF-1) == "U" { sub(/:.*/, "", $1); print $1 }' \
                "$tmp/all" | sort -u | head -3 | tr '\n' ' ')"
    done <"$tmp/foreign"
    bad=1
fi

# ks/x86_64 and gate/x86_64 may hold assembly, but no kernel entry either
for f in $files; do
    if objdump -d --no-show-raw-insn "$f" 2>/dev/null |
        grep -qE '^ +[0-9a-f]+:[[:space:]]+(syscall|sysenter|int[[:space:]]+\$0x80)'; then
        echo "syms: L6: $f has a syscall instruction"
        bad=1
    fi
done

if [ -n "${2-}" ] && [ -e "$2" ]; then
    if readelf -lW "$2" | grep -qE 'INTERP|DYNAMIC'; then
        echo "syms: $2 is not static"
        bad=1
    fi
    if readelf -lW "$2" | grep -E '^ +(LOAD|GNU_STACK)' | grep -q 'RWE'; then
        echo "syms: $2 has a segment that is writable and executable"
        bad=1
    fi
fi
[ $bad = 0 ] && echo "syms: ok, $(echo "$files" | wc -l) objects"
exit $bad
