/* SPDX-License-Identifier: Apache-2.0 */
/* links: core/base */
/*
 * core/base: tree and ring against arrays; formatted text against the C library's; UTF-8
 * and numbers there and back; paths piece by piece.
 */
#include "fuzz.h"

#include "base/fmt.h"
#include "base/path.h"
#include "base/rbtree.h"
#include "base/ring.h"
#include "base/str.h"
#include "base/utf8.h"
#include "lx_errno.h"

const u32 g_fuzz_runs = 6000;

/* ------------------------------------------------------------------ tree ------------------- */

#define KEYS 64

struct item {
    u32 key;
    bool in;
    struct rb_node rb;
};

static void tree_put(struct rb_root *root, struct item *it)
{
    struct rb_node **link = &root->node;
    struct rb_node *parent = NULL;

    while (*link) {
        parent = *link;
        link = it->key < rb_entry(parent, struct item, rb)->key ? &parent->left : &parent->right;
    }
    rb_insert(root, &it->rb, parent, link);
}

/* Black nodes on every way down from n. */
static u32 tree_check(const struct rb_node *n, const struct rb_node *parent)
{
    bool red;
    u32 left;

    if (!n) {
        return 0;
    }
    red = n->parent_red & 1;
    FZ_CHECK(rb_parent(n) == parent);
    FZ_CHECK(!red || (parent && !(parent->parent_red & 1)));
    left = tree_check(n->left, n);
    FZ_CHECK_EQ(left, tree_check(n->right, n));
    return left + !red;
}

static void tree(struct fz *z)
{
    struct item items[KEYS] = {{0}};
    struct item fresh[KEYS];
    struct rb_root root;

    rb_init(&root);
    while (fz_more(z)) {
        u8 op = fz_u8(z);
        u32 k = op % KEYS;
        struct rb_node *n;

        if (!items[k].in) {
            items[k].key = k;
            tree_put(&root, &items[k]);
        } else if (op & 64) {
            fresh[k] = items[k];
            rb_replace(&root, &items[k].rb, &fresh[k].rb);
            rb_replace(&root, &fresh[k].rb, &items[k].rb);
            continue;
        } else {
            rb_erase(&root, &items[k].rb);
        }
        items[k].in = !items[k].in;
        tree_check(root.node, NULL);
        n = rb_first(&root);
        for (k = 0; k < KEYS; k++) {
            if (items[k].in) {
                FZ_CHECK(n == &items[k].rb);
                n = rb_next(n);
            }
        }
        FZ_CHECK(n == NULL);
    }
}

/* ------------------------------------------------------------------ ring ------------------- */

static void ring(struct fz *z)
{
    u32 size = 1u << fz_below(z, 8);
    u8 *room = malloc(size);
    u8 model[8192];
    u32 in = 0, out = 0;
    struct ring r;

    ring_init(&r, room, size);
    r.head = r.tail = fz_u32(z);
    while (fz_more(z) && in < sizeof(model) - 256) {
        u8 op = fz_u8(z);
        u32 n = fz_u8(z);
        u8 buf[256];

        switch (op % 4) {
        case 0:
            for (u32 i = 0; i < n; i++) {
                model[in + i] = (u8)(op + i * 5);
            }
            in += ring_put(&r, model + in, n);
            break;
        case 1:
            n = ring_get(&r, buf, n);
            FZ_CHECK(memcmp(buf, model + out, n) == 0);
            out += n;
            break;
        case 2: {
            u32 off = op / 4;
            u32 want = off < in - out ? MIN(n, in - out - off) : 0;

            FZ_CHECK_EQ(ring_peek(&r, off, buf, n), want);
            FZ_CHECK(memcmp(buf, model + out + off, want) == 0);
            FZ_CHECK(!want || ring_at(&r, off) == model[out + off]);
            break;
        }
        default:
            model[in] = op;
            in += ring_put_byte(&r, op);
            break;
        }
        FZ_CHECK(ring_used(&r) == in - out && ring_space(&r) == size - (in - out));
    }
    free(room);
}

/* ------------------------------------------------------------------ text ------------------- */

#pragma GCC diagnostic ignored "-Wformat-nonliteral"

/* The same as the C library's printf. */
static void format(struct fz *z)
{
    static const char *const lengths[] = {"", "hh", "h", "l", "ll", "z", "j"};
    static const char kinds[] = "diuxXo";
    char f[64], a[300], b[300];
    char text[16] = {0};
    u8 flags = fz_u8(z);
    size_t size = fz_u16(z) % sizeof(a);
    u32 len = fz_below(z, 7);
    u64 v = fz_edge(z);
    char kind = kinds[fz_below(z, 6)];
    char width[8] = "", precision[8] = "";
    size_t n, m;

    if (fz_u8(z) & 1) {
        snprintf(width, sizeof(width), "%u", fz_u8(z));
    }
    if (fz_u8(z) & 1) {
        snprintf(precision, sizeof(precision), ".%u", fz_u8(z));
    }
    snprintf(f, sizeof(f), "<%%%s%s%s%s%s%s%s%s%c>", flags & 1 ? "-" : "",
             flags & 2 && !(flags & 1) && !precision[0] ? "0" : "",
             flags & 4 && kind <= 'i' ? "+" : "",
             flags & 8 && kind <= 'i' && kind != 'X' && !(flags & 4) ? " " : "",
             flags & 16 && strchr("xXo", kind) ? "#" : "", width, precision, lengths[len], kind);
    memset(a, 1, sizeof(a));
    n = fmt_snprintf(a, size, f, v);
    m = (size_t)snprintf(b, size, f, v);
    fz_note("\"%s\" %llx\n", f, v);
    FZ_CHECK_EQ(n, size ? MIN(m, size - 1) : 0);
    FZ_CHECK(size == 0 || strcmp(a, b) == 0);
    fz_bytes(z, text, sizeof(text) - 1);
    snprintf(f, sizeof(f), "%%%s%s%ss", flags & 1 ? "-" : "", width, precision);
    n = fmt_snprintf(a, size, f, text);
    m = (size_t)snprintf(b, size, f, text);
    FZ_CHECK_EQ(n, size ? MIN(m, size - 1) : 0);
    FZ_CHECK(size == 0 || strcmp(a, b) == 0);
}

static void utf8(struct fz *z)
{
    u8 *text = malloc(z->n ? z->n : 1);
    size_t n = z->n;
    bool valid = true;

    memcpy(text, z->p, n);
    for (size_t at = 0; at < n;) {
        u8 again[UTF8_MAX_SIZE];
        u32 cp = 0;
        s32 r = utf8_decode(text + at, n - at, &cp);

        FZ_CHECK(r <= 4 && (r < 0 || (size_t)r <= n - at));
        if (r <= 0) {
            valid = false;
            at++;
            continue;
        }
        FZ_CHECK(cp <= UTF8_MAX_CP && !(cp >= 0xd800 && cp < 0xe000));
        FZ_CHECK_EQ(utf8_encode(cp, again), r);
        FZ_CHECK(memcmp(again, text + at, (size_t)r) == 0);
        at += (size_t)r;
    }
    FZ_CHECK_EQ(utf8_valid(text, n), valid);
    FZ_CHECK(n ? utf8_last_size(text, n) >= 1 && utf8_last_size(text, n) <= 4
               : utf8_last_size(text, 0) == 0);
    free(text);
}

static void numbers(struct fz *z)
{
    static const u32 bases[] = {0, 2, 8, 10, 16};
    u32 base = bases[fz_below(z, 5)];
    char text[80];
    size_t n = fz_bytes(z, text, sizeof(text) - 1);
    char *exact = malloc(n ? n : 1);
    char *end;
    u64 v = 0;
    u64 want;
    int r;

    text[n] = 0;
    memcpy(exact, text, n);
    r = parse_u64(exact, n, base, U64_MAX, &v);
    want = strtoull(text, &end, (int)base);
    if (r == 0) {
        FZ_CHECK(n && *end == 0 && end == text + n && v == want);
        fmt_snprintf(text, sizeof(text), "%llu", v);
        FZ_CHECK(parse_u64(text, strlen(text), 10, v, &want) == 0 && want == v);
        FZ_CHECK(v == 0 || parse_u64(text, strlen(text), 10, v - 1, &want) == -LX_ERANGE);
    } else {
        FZ_CHECK(v == 0 && (r == -LX_EINVAL || r == -LX_ERANGE));
    }
    free(exact);
}

/* The names of a path, put together again, lead to the same. */
static void paths(struct fz *z)
{
    size_t n = z->n;
    char *p = malloc(n ? n : 1);
    struct path_iter it;
    struct path_comp c;
    struct path_comp last = {0};
    const char *at = p;
    bool ended = false;

    memcpy(p, z->p, n);
    path_iter_init(&it, p, n);
    while (path_next(&it, &c)) {
        FZ_CHECK(!ended && c.len >= 1 && c.name >= at && c.name + c.len <= p + n);
        FZ_CHECK(!memchr(c.name, '/', c.len));
        FZ_CHECK(c.name == p || c.name[-1] == '/');
        FZ_CHECK_EQ(c.slash_after, c.name + c.len < p + n && c.name[c.len] == '/');
        at = c.name + c.len;
        ended = c.last;
        last = c;
    }
    FZ_CHECK(last.len == 0 || ended);
    FZ_CHECK_EQ(path_basename(p, n, &c), last.len > 0);
    FZ_CHECK(!last.len || (c.name == last.name && c.len == last.len));
    FZ_CHECK(path_parent_len(p, n) <= n);
    free(p);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct fz z = {data, size};

    switch (fz_below(&z, 7)) {
    case 0: tree(&z); break;
    case 1: ring(&z); break;
    case 2: utf8(&z); break;
    case 3: numbers(&z); break;
    case 4: paths(&z); break;
    default: format(&z); break;
    }
    return 0;
}
