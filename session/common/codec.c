/* SPDX-License-Identifier: Apache-2.0 */
#include "session/common/codec.h"

#include "lx_errno.h"

/* Three routines instead of the library's: this file is linked with libc and without. */
static void copy(void *dst, const void *src, size_t n)
{
    u8 *d = dst;
    const u8 *s = src;

    while (n--) {
        *d++ = *s++;
    }
}

static size_t length(const char *s)
{
    size_t n = 0;

    while (s[n]) {
        n++;
    }
    return n;
}

static bool has_nul(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!s[i]) {
            return true;
        }
    }
    return false;
}

/* ------------------------------------------------------------------ encode ----------------- */

struct out {
    u8 *buf;
    size_t size, at;
    bool full;
};

static void put(struct out *o, const void *p, size_t n)
{
    if (o->full || n > o->size - o->at) {
        o->full = true;
        return;
    }
    copy(o->buf + o->at, p, n);
    o->at += n;
}

static void put32(struct out *o, u32 v)
{
    put(o, &v, sizeof(v));
}

static void pad(struct out *o)
{
    static const u8 zero[4];

    put(o, zero, (size_t)(-o->at & 3));
}

static void put_field(struct out *o, const struct proto_field *f, const void *m)
{
    const void *p = (const u8 *)m + f->offset;
    const struct proto_str *s = p;
    const struct proto_strs *l = p;
    const struct proto_u32s *v = p;

    switch ((enum proto_kind)f->kind) {
    case PROTO_NONE: break;
    case PROTO_U32:
    case PROTO_S32: put(o, p, 4); break;
    case PROTO_U64: put(o, p, 8); break;
    case PROTO_STR:
        put32(o, s->len);
        put(o, s->s, s->len);
        put(o, "", 1);
        break;
    case PROTO_STRS:
        put32(o, l->n);
        put32(o, l->len);
        put(o, l->text, l->len);
        break;
    case PROTO_U32S:
        put32(o, v->n);
        put(o, v->v, (size_t)v->n * 4);
        break;
    }
    pad(o);
}

s64 proto_encode(const struct proto_desc *d, void *buf, size_t size, u32 id, const void *m)
{
    struct out o = {buf, size, 0, false};
    struct proto_header h = {d->type, 0, id, 0};

    put(&o, &h, sizeof(h));
    for (u32 i = 0; i < d->n; i++) {
        put_field(&o, &d->fields[i], m);
    }
    if (o.full || o.at > PROTO_MAX) {
        return -LX_EMSGSIZE;
    }
    h.size = (u32)o.at;
    copy(buf, &h, sizeof(h));
    return (s64)o.at;
}

/* ------------------------------------------------------------------ decode ----------------- */

struct in {
    const u8 *buf;
    size_t size, at;
    bool bad;
};

/* The next n bytes, or NULL. */
static const void *take(struct in *in, size_t n)
{
    const void *p = in->buf + in->at;

    if (in->bad || n > in->size - in->at) {
        in->bad = true;
        return NULL;
    }
    in->at += n;
    return p;
}

static u32 take32(struct in *in)
{
    const void *p = take(in, 4);
    u32 v = 0;

    if (p) {
        copy(&v, p, 4);
    }
    return v;
}

static void take_str(struct in *in, struct proto_str *s)
{
    s->len = take32(in);
    s->s = take(in, (size_t)s->len + 1);
    if (!s->s || s->s[s->len] != 0 || has_nul(s->s, s->len)) {
        in->bad = true;
    }
}

static void take_strs(struct in *in, struct proto_strs *l)
{
    u32 n = 0;

    l->n = take32(in);
    l->len = take32(in);
    l->text = take(in, l->len);
    for (u32 i = 0; l->text && i < l->len; i++) {
        n += l->text[i] == 0;
    }
    if (!l->text || n != l->n || (l->len && l->text[l->len - 1] != 0)) {
        in->bad = true;
    }
}

/* What pad() put. */
static void take_pad(struct in *in)
{
    size_t n = (size_t)(-in->at & 3);
    const u8 *p = take(in, n);

    for (size_t i = 0; p && i < n; i++) {
        in->bad |= p[i] != 0;
    }
}

static void take_field(struct in *in, const struct proto_field *f, void *out)
{
    void *p = (u8 *)out + f->offset;
    struct proto_u32s *v = p;
    const void *from;

    switch ((enum proto_kind)f->kind) {
    case PROTO_NONE: break;
    case PROTO_U32:
    case PROTO_S32:
    case PROTO_U64:
        from = take(in, f->kind == PROTO_U64 ? 8 : 4);
        if (from) {
            copy(p, from, f->kind == PROTO_U64 ? 8 : 4);
        }
        break;
    case PROTO_STR: take_str(in, p); break;
    case PROTO_STRS: take_strs(in, p); break;
    case PROTO_U32S:
        v->n = take32(in);
        v->v = take(in, (size_t)v->n * 4);
        break;
    }
    if (!in->bad) {
        take_pad(in);
    }
}

s64 proto_decode(const struct proto_desc *d, const void *msg, size_t len, void *out)
{
    struct in in = {msg, len, 0, false};
    const struct proto_header *h = take(&in, sizeof(*h));

    if (!h || h->type != d->type || h->size != len || len > PROTO_MAX) {
        return -LX_EINVAL;
    }
    for (u32 i = 0; i < d->n && !in.bad; i++) {
        take_field(&in, &d->fields[i], out);
    }
    return in.bad || in.at != len ? -LX_EINVAL : 0;
}

const struct proto_desc *proto_desc_of(u32 type)
{
    for (u32 i = 0; i < g_proto_n_descs; i++) {
        if (g_proto_descs[i].type == type) {
            return &g_proto_descs[i];
        }
    }
    return NULL;
}

struct proto_str proto_str(const char *s)
{
    return (struct proto_str){s ? s : "", s ? (u32)length(s) : 0};
}

const char *proto_next(const char *s)
{
    return s + length(s) + 1;
}

/* ------------------------------------------------------------------ dump ------------------- */

struct text {
    char *out;
    size_t size, at;
};

static void show_bytes(struct text *t, const char *s, size_t n)
{
    for (size_t i = 0; i < n && t->at + 1 < t->size; i++) {
        t->out[t->at++] = (u8)s[i] < 0x20 || s[i] == 0x7f ? '?' : s[i];
    }
}

static void show(struct text *t, const char *s)
{
    show_bytes(t, s, length(s));
}

static void show_num(struct text *t, u64 v)
{
    char digits[20];
    u32 n = 0;

    do {
        digits[n++] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    while (n) {
        show_bytes(t, &digits[--n], 1);
    }
}

static void show_field(struct text *t, struct in *in, const struct proto_field *f)
{
    union {
        u32 u;
        s32 s;
        u64 w;
        struct proto_str str;
        struct proto_strs l;
        struct proto_u32s v;
    } x;
    struct proto_field at = *f;
    const char *s;

    at.offset = 0;
    take_field(in, &at, &x);
    if (in->bad) {
        return;
    }
    switch ((enum proto_kind)f->kind) {
    case PROTO_NONE: break;
    case PROTO_U32: show_num(t, x.u); break;
    case PROTO_S32:
        show(t, x.s < 0 ? "-" : "");
        show_num(t, x.s < 0 ? 0 - (u64)x.s : (u64)x.s);
        break;
    case PROTO_U64: show_num(t, x.w); break;
    case PROTO_STR:
        show(t, "\"");
        show_bytes(t, x.str.s, x.str.len);
        show(t, "\"");
        break;
    case PROTO_STRS:
        s = x.l.text;
        show(t, "[");
        for (u32 i = 0; i < x.l.n; i++, s = proto_next(s)) {
            show(t, i ? " \"" : "\"");
            show(t, s);
            show(t, "\"");
        }
        show(t, "]");
        break;
    case PROTO_U32S:
        show(t, "[");
        for (u32 i = 0; i < x.v.n; i++) {
            show(t, i ? " " : "");
            show_num(t, x.v.v[i]);
        }
        show(t, "]");
        break;
    }
}

size_t proto_dump(char *out, size_t size, const void *msg, size_t len)
{
    struct text t = {out, size, 0};
    struct in in = {msg, len, 0, false};
    const struct proto_header *h = take(&in, sizeof(*h));
    const struct proto_desc *d = h ? proto_desc_of(h->type) : NULL;

    if (!size) {
        return 0;
    }
    show(&t, d ? d->name : "?");
    if (h) {
        show(&t, " #");
        show_num(&t, h->id);
    }
    for (u32 i = 0; d && i < d->n && !in.bad && !(h->flags & PROTO_SPILLED); i++) {
        show(&t, " ");
        show(&t, d->fields[i].name);
        show(&t, "=");
        show_field(&t, &in, &d->fields[i]);
    }
    show(&t, in.bad ? " (damaged)" : h && h->flags & PROTO_SPILLED ? " (body beside it)" : "");
    out[t.at] = 0;
    return t.at;
}
