#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Generate the session protocol's structures and tables from session/proto.tbl.

Usage: genproto.py --table session/proto.tbl --out build/gen      writes proto.h and proto.c
The codec itself (session/common/codec.c) is generic and walks the field tables made here.
"""

import argparse
import hashlib
import os
import re
import sys

TYPES = {
    "u32": ("u32", "PROTO_U32"),
    "s32": ("s32", "PROTO_S32"),
    "u64": ("u64", "PROTO_U64"),
    "str": ("struct proto_str", "PROTO_STR"),
    "strs": ("struct proto_strs", "PROTO_STRS"),
    "u32s": ("struct proto_u32s", "PROTO_U32S"),
}
NAME = re.compile(r"^[a-z][a-z0-9_]*$")
BIT = re.compile(r"^[A-Z][A-Z0-9_]*$")
WAYS = {"lx>manager", "manager>lx", "manager>init", "init>manager"}


class BadTable(Exception):
    """A row that cannot be; says where and why."""


class Message:
    """One message: number, direction and fields."""

    def __init__(self, name, number, way):
        self.name, self.number, self.way, self.fields = name, number, way, []


def need(ok, where, why):
    """Raise BadTable unless ok."""
    if not ok:
        raise BadTable("%s: %s" % (where, why))


def add_message(words, where, messages):
    """Parse `message NAME NUMBER WAY`."""
    need(len(words) == 4 and NAME.match(words[1]), where, "message NAME NUMBER FROM>TO expected")
    need(words[2].isdigit() and 0 < int(words[2]) < 256, where, "bad number")
    need(words[3] in WAYS, where, "unknown direction %s" % words[3])
    number = int(words[2])
    need(all(m.name != words[1] for m in messages), where, "duplicate name")
    need(not messages or messages[-1].number < number, where, "numbers must ascend")
    messages.append(Message(words[1], number, words[3]))
    return messages[-1]


def parse(path):
    """(messages, flags as {set: [(name, value)]}, version)"""
    messages, flags, current, digest = [], {}, None, hashlib.sha256()
    with open(path, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            where = "%s:%d" % (path, number)
            body = line.split("#", 1)[0].rstrip()
            words = body.split()
            if not words:
                continue
            digest.update((" ".join(words) + "\n").encode())
            if words[0] == "message":
                current = add_message(words, where, messages)
            elif words[0] == "flags":
                need(len(words) == 2 and NAME.match(words[1]), where, "flags NAME expected")
                current = flags.setdefault(words[1], [])
            elif isinstance(current, list):
                need(len(words) == 2 and BIT.match(words[0]) and words[1].isdigit(), where,
                     "NAME VALUE expected")
                current.append((words[0], int(words[1])))
            else:
                need(current is not None and body[0].isspace(), where, "row outside a message")
                need(len(words) == 2 and words[0] in TYPES and NAME.match(words[1]), where,
                     "TYPE NAME expected")
                need(words[1] not in [n for _, n in current.fields], where, "duplicate field")
                current.fields.append((words[0], words[1]))
    return messages, flags, int(digest.hexdigest()[:8], 16)


def header(messages, flags, version):
    """Text of proto.h."""
    out = ["/* SPDX-License-Identifier: Apache-2.0 */",
           "/* Generated from session/proto.tbl by tools/genproto.py: do not edit. */",
           "#pragma once", "", '#include "session/common/codec.h"', "",
           "#define PROTO_VERSION 0x%08xu" % version, ""]
    for name, bits in flags.items():
        out.append("enum proto_%s_flags {" % name)
        out += ["    %s_%s = %d," % (name.upper(), bit, value) for bit, value in bits]
        out += ["};", ""]
    out.append("enum proto_type {")
    out += ["    PROTO_%s = %d, /* %s */" % (m.name.upper(), m.number, m.way) for m in messages]
    out += ["};", ""]
    for m in messages:
        out.append("struct proto_%s {" % m.name)
        out += ["    %s %s;" % (TYPES[t][0], n) for t, n in m.fields]
        if not m.fields:
            out.append("    u8 empty;")
        out += ["};", ""]
    for m in messages:
        out += ["/* Encode with transaction `id`: bytes used, or -LX_EMSGSIZE. */",
                "s64 proto_put_%s(void *buf, size_t size, u32 id, const struct proto_%s *m);"
                % (m.name, m.name),
                "/* Decode; strings point into the message. 0 or -LX_EINVAL. */",
                "s64 proto_get_%s(const void *msg, size_t len, struct proto_%s *out);"
                % (m.name, m.name)]
    return "\n".join(out) + "\n"


def source(messages):
    """Text of proto.c."""
    out = ["/* SPDX-License-Identifier: Apache-2.0 */",
           "/* Generated from session/proto.tbl by tools/genproto.py: do not edit. */",
           '#include "proto.h"', ""]
    for m in messages:
        out.append("static const struct proto_field fields_%s[] = {" % m.name)
        out += ['    {"%s", %s, offsetof(struct proto_%s, %s)},' % (n, TYPES[t][1], m.name, n)
                for t, n in m.fields]
        if not m.fields:
            out.append('    {"", PROTO_NONE, 0},')
        out += ["};", ""]
    out.append("const struct proto_desc g_proto_descs[] = {")
    out += ['    {"%s", %d, %d, fields_%s},' % (m.name, m.number, len(m.fields), m.name)
            for m in messages]
    out += ["};", "const u32 g_proto_n_descs = %d;" % len(messages), ""]
    for i, m in enumerate(messages):
        out += ["s64 proto_put_%s(void *buf, size_t size, u32 id, const struct proto_%s *m)"
                % (m.name, m.name), "{",
                "    return proto_encode(&g_proto_descs[%d], buf, size, id, m);" % i, "}", "",
                "s64 proto_get_%s(const void *msg, size_t len, struct proto_%s *out)"
                % (m.name, m.name), "{",
                "    return proto_decode(&g_proto_descs[%d], msg, len, out);" % i, "}", ""]
    return "\n".join(out)


def write(path, text):
    """Write only when the text changes."""
    try:
        with open(path, encoding="utf-8") as f:
            if f.read() == text:
                return
    except OSError:
        pass
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def main(argv):
    """Entry; returns the exit status."""
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--table", required=True)
    p.add_argument("--out", required=True)
    args = p.parse_args(argv)
    try:
        messages, flags, version = parse(args.table)
    except BadTable as e:
        print(e, file=sys.stderr)
        return 1
    os.makedirs(args.out, exist_ok=True)
    write(os.path.join(args.out, "proto.h"), header(messages, flags, version))
    write(os.path.join(args.out, "proto.c"), source(messages))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
