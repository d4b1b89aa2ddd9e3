/* SPDX-License-Identifier: Apache-2.0 */
/* links: core/fs/tmpfs core/vfs core/ks core/base host/fake */
/*
 * Record locks and flock(2) against an array of bytes: for each owner and kind, who holds what at
 * each of the first bytes, and for all that follow.
 */
#include "fuzz.h"

#include "tests/unit/vfsutil.h"
#include "vfs/flock.h"

const u32 g_fuzz_runs = 3000;

#define BYTES  40 /* the last stands for all that follow */
#define OWNERS 3  /* processes; as many open files */

enum hold { NONE, SHARED, EXCLUSIVE };

static enum hold g_posix[OWNERS][BYTES], g_ofd[OWNERS][BYTES], g_whole[OWNERS];
static struct file *g_file[OWNERS];
static int g_owner[OWNERS];

static bool in_the_way(enum hold a, enum hold b)
{
    return a && b && (a == EXCLUSIVE || b == EXCLUSIVE);
}

/* Whether somebody else's lock forbids `want` at byte i. */
static bool forbidden(u32 who, bool ofd, enum hold want, u32 i)
{
    for (u32 k = 0; k < OWNERS; k++) {
        if (((ofd || k != who) && in_the_way(g_posix[k][i], want)) ||
            ((!ofd || k != who) && in_the_way(g_ofd[k][i], want))) {
            return true;
        }
    }
    return false;
}

static bool range_forbidden(u32 who, bool ofd, enum hold want, u32 lo, u32 hi)
{
    for (u32 i = lo; i <= hi; i++) {
        if (forbidden(who, ofd, want, i)) {
            return true;
        }
    }
    return false;
}

/* F_GETLK tells of a lock that is there, and of none only if there is none. */
static void do_get(u32 who, bool ofd, enum hold want, struct lx_flock fl, u32 lo, u32 hi)
{
    bool none = !range_forbidden(who, ofd, want, lo, hi);
    s64 r = flock_posix(g_file[who], ofd ? LX_F_OFD_GETLK : LX_F_GETLK, &fl, &g_owner[who], 0);
    bool right = false;

    FZ_CHECK_EQ(r, 0);
    FZ_CHECK_EQ(fl.l_type == LX_F_UNLCK, none);
    if (none) {
        return;
    }
    for (u32 k = 0; k < OWNERS && fl.l_start < BYTES; k++) {
        enum hold h = fl.l_type == LX_F_WRLCK ? EXCLUSIVE : SHARED;
        u32 at = (u32)MAX(fl.l_start, (s64)lo);

        right |= (fl.l_pid == (s32)k + 100 && g_posix[k][at] == h && (ofd || k != who)) ||
                 (fl.l_pid == -1 && g_ofd[k][at] == h && (!ofd || k != who));
    }
    FZ_CHECK(right);
    FZ_CHECK(fl.l_start <= hi && (fl.l_len == 0 || fl.l_start + fl.l_len > lo));
}

static void do_record(struct fz *z)
{
    u32 who = fz_below(z, OWNERS);
    u8 how = fz_u8(z);
    bool ofd = how & 1;
    u32 lo = fz_below(z, BYTES);
    u32 n = fz_below(z, 12);
    u32 hi = n && lo + n - 1 < BYTES - 1 ? lo + n - 1 : BYTES - 1;
    enum hold want = (enum hold)fz_below(z, 3);
    struct lx_flock fl = {.l_type = want == NONE     ? LX_F_UNLCK
                                    : want == SHARED ? LX_F_RDLCK
                                                     : LX_F_WRLCK,
                          .l_start = lo,
                          .l_len = hi == BYTES - 1 ? 0 : (s64)(hi - lo + 1)};
    bool ok = want == NONE || !range_forbidden(who, ofd, want, lo, hi);
    s64 r;

    if (how & 2 && fl.l_len) { /* the same, counted backwards */
        fl.l_start += fl.l_len;
        fl.l_len = -fl.l_len;
    }
    if ((how & 12) == 12 && want) {
        do_get(who, ofd, want, fl, lo, hi);
        return;
    }
    r = flock_posix(g_file[who], ofd ? LX_F_OFD_SETLK : LX_F_SETLK, &fl, &g_owner[who],
                    ofd ? 0 : (s32)who + 100);
    FZ_CHECK_EQ(r, ok ? 0 : -LX_EAGAIN);
    for (u32 i = lo; ok && i <= hi; i++) {
        (ofd ? g_ofd : g_posix)[who][i] = want;
    }
}

/* A failed conversion has given up the old lock, as flock(2) says. */
static void do_whole(struct fz *z)
{
    static const u32 ops[] = {LX_LOCK_UN, LX_LOCK_SH, LX_LOCK_EX};
    u32 who = fz_below(z, OWNERS);
    enum hold want = (enum hold)fz_below(z, 3);
    s64 r = flock_whole(g_file[who], ops[want] | LX_LOCK_NB);
    bool ok = true;

    for (u32 k = 0; k < OWNERS; k++) {
        ok = ok && (k == who || !in_the_way(g_whole[k], want));
    }
    FZ_CHECK_EQ(r, ok ? 0 : -LX_EAGAIN);
    g_whole[who] = ok ? want : NONE;
}

static void do_wild(struct fz *z)
{
    struct lx_flock fl = {.l_type = (s16)fz_below(z, 4), .l_whence = (s16)fz_below(z, 4)};
    s64 r;

    fl.l_start = (s64)fz_edge(z);
    fl.l_len = (s64)fz_edge(z);
    r = flock_posix(g_file[0], LX_F_GETLK, &fl, &g_owner[0], 0);
    FZ_CHECK(r == 0 || r == -LX_EINVAL || r == -LX_EOVERFLOW);
}

static void do_one(struct fz *z)
{
    u32 who;

    switch (fz_below(z, 8)) {
    case 0: do_whole(z); break;
    case 1: do_wild(z); break;
    case 2:
        if (fz_below(z, 4) == 0) {
            who = fz_below(z, OWNERS);
            flock_close(g_file[who], &g_owner[who]);
            memset(g_posix[who], 0, sizeof(g_posix[who]));
        }
        break;
    case 3:
        if (fz_below(z, 4) == 0) {
            who = fz_below(z, OWNERS);
            file_put(g_file[who]);
            FZ_CHECK(v_open(&g_w, "/f", LX_O_RDWR, 0, &g_file[who]) == 0);
            memset(g_ofd[who], 0, sizeof(g_ofd[who]));
            g_whole[who] = NONE;
        }
        break;
    default: do_record(z); break;
    }
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct fz z = {data, size};
    u64 blocks;

    vfs_begin();
    v_make("/f");
    memset(g_posix, 0, sizeof(g_posix));
    memset(g_ofd, 0, sizeof(g_ofd));
    memset(g_whole, 0, sizeof(g_whole));
    for (u32 i = 0; i < OWNERS; i++) {
        FZ_CHECK(v_open(&g_w, "/f", LX_O_RDWR, 0, &g_file[i]) == 0);
    }
    FZ_CHECK_EQ(flock_whole(g_file[0], LX_LOCK_SH), 0); /* so that the list is there */
    FZ_CHECK_EQ(flock_whole(g_file[0], LX_LOCK_UN), 0);
    blocks = v_blocks();
    for (u32 i = 0; i < 200 && fz_more(&z); i++) {
        do_one(&z);
    }
    for (u32 i = 0; i < OWNERS; i++) {
        flock_close(g_file[i], &g_owner[i]);
        flock_release(g_file[i]);
    }
    FZ_CHECK_EQ(v_blocks(), blocks);
    for (u32 i = 0; i < OWNERS; i++) {
        file_put(g_file[i]);
    }
    return 0;
}
