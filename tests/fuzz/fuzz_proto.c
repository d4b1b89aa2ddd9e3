/* SPDX-License-Identifier: Apache-2.0 */
/* links: core/base */
/* with: gen/proto.o gen/codec.o */
/* The session protocol: a decoder takes exactly what an encoder can make, byte for byte. */
#include "fuzz.h"

#include "lx_errno.h"
#include "proto.h"

const u32 g_fuzz_runs = 20000;

#define MSG_MAX 4096

/* Every decoded string lies in the message and ends in it. */
static void check_fields(const struct proto_desc *d, const u8 *m, const u8 *msg, size_t len)
{
    for (u32 i = 0; i < d->n; i++) {
        const void *p = m + d->fields[i].offset;

        if (d->fields[i].kind == PROTO_STR) {
            const struct proto_str *s = p;

            FZ_CHECK((const u8 *)s->s >= msg && (const u8 *)s->s + s->len < msg + len);
            FZ_CHECK_EQ(strlen(s->s), s->len);
        } else if (d->fields[i].kind == PROTO_STRS) {
            const struct proto_strs *l = p;
            const char *s = l->text;

            for (u32 k = 0; k < l->n; k++) {
                s = proto_next(s);
            }
            FZ_CHECK_EQ(s - l->text, l->len);
        } else if (d->fields[i].kind == PROTO_U32S) {
            const struct proto_u32s *v = p;

            FZ_CHECK((const u8 *)(v->v + v->n) <= msg + len);
        }
    }
}

static void try_type(const struct proto_desc *d, const u8 *msg, size_t len)
{
    static _Alignas(16) u8 m[2048];
    static _Alignas(16) u8 again[MSG_MAX + 64];
    const struct proto_header *h = (const void *)msg;
    s64 n;

    if (proto_decode(d, msg, len, m) < 0) {
        return;
    }
    FZ_CHECK(h->type == d->type && h->size == len);
    check_fields(d, m, msg, len);
    n = proto_encode(d, again, sizeof(again), h->id, m);
    FZ_CHECK_EQ(n, len);
    FZ_CHECK(memcmp(again, msg, len) == 0);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    char text[64];
    struct fz z = {data, size};
    u32 which = fz_below(&z, g_proto_n_descs);
    size_t len = MIN(z.n + sizeof(struct proto_header), (size_t)MSG_MAX);
    u8 *msg = aligned_alloc(16, ALIGN_UP(len, 16));
    struct proto_header h = {g_proto_descs[which].type, (u32)len, 7, 0};

    memcpy(msg, &h, sizeof(h));
    fz_bytes(&z, msg + sizeof(h), len - sizeof(h));
    for (size_t n = 0; n < sizeof(text); n += 7) {
        size_t used = proto_dump(text, n, msg, len);

        FZ_CHECK(n == 0 || (used < n && text[used] == 0));
    }
    for (u32 i = 0; i < g_proto_n_descs; i++) {
        try_type(&g_proto_descs[i], msg, len);
    }
    free(msg);
    return 0;
}
