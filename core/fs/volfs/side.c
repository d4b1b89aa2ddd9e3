/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sidecar: records and extended attributes of a volume on a host file system that keeps none.
 *
 * All of it is in memory, by host file number, and every change is appended to the log VOL_LOG in
 * one write before it counts. A torn last entry fails its check sum and is cut off at the next
 * mount; then the log is also written anew if less than half of it still counts. File numbers come
 * again, so a new file starts with an entry that drops what was known of its number.
 *
 * Entry, little endian: u32 sum, u32 size (of all), u64 ino, u16 kind, u16 name size, u32 value
 * size, name, value.
 */
#include "fs/volfs/priv.h"

#include "base/bytes.h"
#include "base/hash.h"
#include "base/str.h"
#include "ks/log.h"
#include "ks/slab.h"
#include "lx_xattr.h"

#define BUCKETS      4096u
#define HEAD_SIZE    24u
#define ENTRY_MAX    (HEAD_SIZE + 256u + LX_XATTR_SIZE_MAX)
#define LOG_NEW      ".lx~meta.new"
#define REWRITE_MIN  65536u     /* a log smaller than this is left alone at mount */
#define REWRITE_BUSY (4u << 20) /* ... and while it is in use                     */

enum entry_kind {
    ENTRY_SET = 1,
    ENTRY_REMOVE = 2,
    ENTRY_NEW = 3,    /* set, and drop all else */
    ENTRY_FORGET = 4, /* drop all: the file is gone */
};

struct side_attr {
    struct side_attr *next;
    u32 size;
    u16 name_size;
    char bytes[]; /* name, NUL, value */
};

struct side_file {
    struct side_file *next;
    u64 ino;
    u64 gen; /* another one for each file that had the number */
    struct side_attr *attrs;
};

/* locks: s lock */
struct sidecar {
    struct volfs *fs;                 /* [I] */
    struct lock lock;                 /* rank LOCK_DCACHE: under vnode locks, over the heap's */
    host_handle log;                  /* [s] */
    u64 log_size;                     /* [s] where the next entry goes */
    u64 live;                         /* [s] bytes of the log that count */
    u64 next_gen;                     /* [s] */
    u8 *entry;                        /* [s] buffer of ENTRY_MAX bytes */
    struct side_file *table[BUCKETS]; /* [s] */
};

/* ------------------------------------------------------------------ in memory -------------- */

static struct side_file **bucket(struct sidecar *s, u64 ino)
{
    return &s->table[hash_bucket(hash_u64(ino), BUCKETS)];
}

static struct side_file *find_file(struct sidecar *s, u64 ino)
{
    struct side_file *f = *bucket(s, ino);

    while (f && f->ino != ino) {
        f = f->next;
    }
    return f;
}

static struct side_attr **find_attr(struct side_file *f, const char *name)
{
    struct side_attr **at = &f->attrs;

    while (*at && !str_eq((*at)->bytes, name)) {
        at = &(*at)->next;
    }
    return at;
}

static u64 entry_size(u64 name_size, u64 size)
{
    return ALIGN_UP(HEAD_SIZE + name_size + size, 8u);
}

static void drop_attr(struct sidecar *s, struct side_attr **at)
{
    struct side_attr *a = *at;

    if (a) {
        *at = a->next;
        s->live -= entry_size(a->name_size, a->size);
        kfree(a);
    }
}

static struct side_attr *make_attr(const char *name, u64 name_size, const void *value, u64 size)
{
    struct side_attr *a = kmalloc(sizeof(*a) + name_size + 1 + size);

    if (a) {
        a->next = NULL;
        a->size = (u32)size;
        a->name_size = (u16)name_size;
        memcpy(a->bytes, name, name_size);
        a->bytes[name_size] = '\0';
        memcpy(a->bytes + name_size + 1, value, size);
    }
    return a;
}

static struct side_file *make_file(struct sidecar *s, u64 ino)
{
    struct side_file *f = find_file(s, ino);
    struct side_file **b = bucket(s, ino);

    if (!f) {
        f = kmalloc(sizeof(*f));
        if (f) {
            *f = (struct side_file){*b, ino, s->next_gen++, NULL};
            *b = f;
        }
    }
    return f;
}

/* A file without attributes need not be known. */
static void drop_file(struct sidecar *s, struct side_file *f)
{
    struct side_file **at = bucket(s, f->ino);

    while (*at != f) {
        at = &(*at)->next;
    }
    *at = f->next;
    kfree(f);
}

/* Make it count. `a` is consumed; NULL removes. */
static void apply(struct sidecar *s, struct side_file *f, u32 kind, const char *name,
                  struct side_attr *a)
{
    if (kind == ENTRY_NEW || kind == ENTRY_FORGET) {
        f->gen = s->next_gen++;
        while (f->attrs) {
            drop_attr(s, &f->attrs);
        }
    } else {
        drop_attr(s, find_attr(f, name));
    }
    if (a) {
        a->next = f->attrs;
        f->attrs = a;
        s->live += entry_size(a->name_size, a->size);
    }
}

/* ------------------------------------------------------------------ the log ---------------- */

static u32 check_sum(const u8 *e, u64 size)
{
    return (u32)hash_bytes(e + 4, size - 4, 0x6c78);
}

/* a: the value, NULL: none (ENTRY_REMOVE) */
static u64 encode(u8 *e, u64 ino, u32 kind, const char *name, const struct side_attr *a)
{
    u64 name_size = strnlen(name, 255), size = a ? a->size : 0;
    u64 all = entry_size(name_size, size);

    memset(e, 0, HEAD_SIZE);
    put_le32(e + 4, (u32)all);
    put_le64(e + 8, ino);
    put_le16(e + 16, (u16)kind);
    put_le16(e + 18, (u16)name_size);
    put_le32(e + 20, (u32)size);
    memcpy(e + HEAD_SIZE, name, name_size);
    if (size) {
        memcpy(e + HEAD_SIZE + name_size, a->bytes + a->name_size + 1, size);
    }
    memset(e + HEAD_SIZE + name_size + size, 0, all - HEAD_SIZE - name_size - size);
    put_le32(e, check_sum(e, all));
    return all;
}

static s64 write_at(host_handle h, const u8 *p, u64 size, u64 off)
{
    struct host_iov iov = {(u64)(uintptr_t)p, size};
    s64 r = host_file_write(h, &iov, 1, off);

    return r < 0 ? r : (u64)r == size ? 0 : -LX_ENOSPC;
}

/* Append; a short write is cut off again by the next one, or by its sum. */
static s64 append(struct sidecar *s, u64 size)
{
    s64 r = write_at(s->log, s->entry, size, s->log_size);

    if (r == 0) {
        s->log_size += size;
    }
    return r;
}

/* One entry of `size` bytes at e: 0, or -LX_EINVAL: not whole */
static s64 replay_entry(struct sidecar *s, const u8 *e, u64 room)
{
    u64 all, name_size, size;
    char name[256];
    struct side_file *f;
    struct side_attr *a = NULL;
    u32 kind;

    if (room < HEAD_SIZE) {
        return -LX_EINVAL;
    }
    all = get_le32(e + 4);
    kind = get_le16(e + 16);
    name_size = get_le16(e + 18);
    size = get_le32(e + 20);
    if (all > room || name_size > 255 || size > LX_XATTR_SIZE_MAX ||
        all != entry_size(name_size, size) || check_sum(e, all) != get_le32(e)) {
        return -LX_EINVAL;
    }
    memcpy(name, e + HEAD_SIZE, name_size);
    name[name_size] = '\0';
    f = make_file(s, get_le64(e + 8));
    if (f && (kind == ENTRY_SET || kind == ENTRY_NEW)) {
        a = make_attr(name, name_size, e + HEAD_SIZE + name_size, size);
    }
    if (!f || (!a && (kind == ENTRY_SET || kind == ENTRY_NEW))) {
        return -LX_ENOMEM;
    }
    apply(s, f, kind, name, a);
    if (kind == ENTRY_FORGET) {
        drop_file(s, f);
    }
    return (s64)all;
}

static s64 replay(struct sidecar *s)
{
    for (;;) {
        struct host_iov iov = {(u64)(uintptr_t)s->entry, ENTRY_MAX};
        s64 got = host_file_read(s->log, &iov, 1, s->log_size);
        s64 at = 0;

        if (got <= 0) {
            return got;
        }
        while (at < got) {
            s64 r = replay_entry(s, s->entry + at, (u64)(got - at));
            if (r == -LX_EINVAL) {
                break;
            }
            if (r < 0) {
                return r;
            }
            at += r;
        }
        if (at == 0) {
            klog(KLOG_WARN, "volfs: the attribute log ends in a torn entry, cut at %llu",
                 s->log_size);
            return host_file_setattr(s->log, HOST_A_SIZE, &(struct host_attr){.size = s->log_size});
        }
        s->log_size += (u64)at;
    }
}

static s64 write_live(struct sidecar *s, host_handle h, u64 *size)
{
    *size = 0;
    for (u32 i = 0; i < BUCKETS; i++) {
        for (struct side_file *f = s->table[i]; f; f = f->next) {
            for (struct side_attr *a = f->attrs; a; a = a->next) {
                u64 n = encode(s->entry, f->ino, ENTRY_SET, a->bytes, a);
                s64 r = write_at(h, s->entry, n, *size);
                if (r < 0) {
                    return r;
                }
                *size += n;
            }
        }
    }
    return host_file_sync(h, HOST_SYNC_FILE);
}

/* A log with only what counts takes the old one's place. Failure leaves the old one. */
static void rewrite(struct sidecar *s)
{
    struct volfs *fs = s->fs;
    host_handle h;
    u64 size;
    s64 r = host_file_open(fs->root, LOG_NEW,
                           HOST_O_READ | HOST_O_WRITE | HOST_O_CREATE | HOST_O_TRUNC, 0600, &h);

    if (r < 0) {
        return;
    }
    r = write_live(s, h, &size);
    if (r == 0) {
        r = host_path_rename(fs->root, LOG_NEW, fs->root, VOL_LOG, 0);
    }
    if (r < 0) {
        host_handle_close(h);
        (void)host_path_remove(fs->root, LOG_NEW, false);
        return;
    }
    host_handle_close(s->log);
    s->log = h;
    s->log_size = size;
}

s64 sidecar_open(struct volfs *fs, struct sidecar **out)
{
    struct sidecar *s = kzalloc(sizeof(*s));
    s64 r = -LX_ENOMEM;

    if (!s) {
        return r;
    }
    lock_init(&s->lock, LOCK_DCACHE);
    s->log = HOST_NONE;
    s->entry = kmalloc(ENTRY_MAX);
    if (s->entry) {
        r = host_file_open(fs->root, VOL_LOG, HOST_O_READ | HOST_O_WRITE | HOST_O_CREATE, 0600,
                           &s->log);
    }
    if (r == 0) {
        r = replay(s);
    }
    if (r < 0) {
        sidecar_close(s);
        return r;
    }
    s->fs = fs;
    if (s->log_size > REWRITE_MIN && s->live < s->log_size / 2) {
        rewrite(s);
    }
    *out = s;
    return 0;
}

void sidecar_close(struct sidecar *s)
{
    for (u32 i = 0; i < BUCKETS; i++) {
        while (s->table[i]) {
            struct side_file *f = s->table[i];

            while (f->attrs) {
                drop_attr(s, &f->attrs);
            }
            s->table[i] = f->next;
            kfree(f);
        }
    }
    if (s->log != HOST_NONE) {
        host_handle_close(s->log);
    }
    kfree(s->entry);
    kfree(s);
}

/* ------------------------------------------------------------------ calls ------------------ */

s64 sidecar_sync(struct sidecar *s)
{
    return host_file_sync(s->log, HOST_SYNC_FILE);
}

s64 sidecar_get(struct sidecar *s, u64 ino, const char *name, void *buf, u64 size)
{
    struct side_file *f;
    struct side_attr *a;
    s64 r = -LX_ENODATA;

    lock_acquire(&s->lock);
    f = find_file(s, ino);
    a = f ? *find_attr(f, name) : NULL;
    if (a) {
        r = (s64)a->size;
        if (size && a->size > size) {
            r = -LX_ERANGE;
        } else if (size) {
            memcpy(buf, a->bytes + a->name_size + 1, a->size);
        }
    }
    lock_release(&s->lock);
    return r;
}

static s64 set_locked(struct sidecar *s, struct side_file *f, u32 kind, const char *name,
                      struct side_attr *a)
{
    u64 n = encode(s->entry, f->ino, kind, name, a);
    s64 r = append(s, n);

    if (r == 0) {
        apply(s, f, kind, name, a);
        if (s->log_size > REWRITE_BUSY && s->live < s->log_size / 4) {
            rewrite(s);
        }
    }
    return r;
}

u64 sidecar_gen(struct sidecar *s, u64 ino)
{
    struct side_file *f;
    u64 gen;

    lock_acquire(&s->lock);
    f = find_file(s, ino);
    gen = f ? f->gen : U64_MAX;
    lock_release(&s->lock);
    return gen;
}

void sidecar_forget(struct sidecar *s, u64 ino, u64 gen)
{
    struct side_file *f;

    lock_acquire(&s->lock);
    f = find_file(s, ino);
    if (f && f->gen == gen && set_locked(s, f, ENTRY_FORGET, "", NULL) == 0) {
        drop_file(s, f);
    }
    lock_release(&s->lock);
}

s64 sidecar_set(struct sidecar *s, u64 ino, const char *name, const void *buf, u64 size, u32 flags)
{
    u32 kind = flags & SIDECAR_NEW ? ENTRY_NEW : buf ? ENTRY_SET : ENTRY_REMOVE;
    struct side_attr *a = NULL;
    struct side_file *f;
    bool known;
    s64 r = 0;

    if (strlen(name) > 255 || size > LX_XATTR_SIZE_MAX) {
        return -LX_ERANGE;
    }
    if (buf) {
        a = make_attr(name, strlen(name), buf, size);
        if (!a) {
            return -LX_ENOMEM;
        }
    }
    lock_acquire(&s->lock);
    f = make_file(s, ino);
    known = f && *find_attr(f, name);
    if (!f) {
        r = -LX_ENOMEM;
    } else if (known && (flags & LX_XATTR_CREATE)) {
        r = -LX_EEXIST;
    } else if (!known && (kind == ENTRY_REMOVE || (flags & LX_XATTR_REPLACE))) {
        r = -LX_ENODATA;
    } else {
        r = set_locked(s, f, kind, name, a);
    }
    lock_release(&s->lock);
    if (r < 0) {
        kfree(a);
    }
    return r;
}

s64 sidecar_list(struct sidecar *s, u64 ino, char *buf, u64 size)
{
    struct side_file *f;
    u64 used = 0;

    lock_acquire(&s->lock);
    f = find_file(s, ino);
    for (struct side_attr *a = f ? f->attrs : NULL; a; a = a->next) {
        u64 n = (u64)a->name_size + 1;

        if (!a->name_size) {
            continue; /* the record */
        }
        if (used + n <= size) {
            memcpy(buf + used, a->bytes, n);
        }
        used += n;
    }
    lock_release(&s->lock);
    return size && used > size ? -LX_ERANGE : (s64)used;
}
