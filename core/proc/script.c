/* SPDX-License-Identifier: Apache-2.0 */
#include "proc/script.h"

#include "base/str.h"
#include "lx_errno.h"

static bool is_blank(u8 c)
{
    return c == ' ' || c == '\t';
}

s64 script_parse(const u8 *head, struct script_line *out)
{
    const u8 *end = head + SCRIPT_HEAD;
    const u8 *p = head + 2;
    const u8 *stop = p;
    const u8 *name;
    u64 len;

    if (head[0] != '#' || head[1] != '!') {
        return 0;
    }
    while (stop < end && *stop != '\n' && *stop != '\0') {
        stop++;
    }
    while (p < stop && is_blank(*p)) {
        p++;
    }
    name = p;
    while (p < stop && !is_blank(*p)) {
        p++;
    }
    len = (u64)(p - name);
    if (len == 0 || p == end) {
        return -LX_ENOEXEC; /* nothing, or perhaps only part of a name */
    }
    memcpy(out->interp, name, len);
    out->interp[len] = '\0';
    while (p < stop && is_blank(*p)) {
        p++;
    }
    while (stop > p && is_blank(stop[-1])) {
        stop--;
    }
    len = (u64)(stop - p);
    if (len == SCRIPT_HEAD) {
        len--;
    }
    memcpy(out->opt, p, len);
    out->opt[len] = '\0';
    out->has_opt = len > 0;
    return 1;
}
