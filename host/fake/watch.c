/* SPDX-License-Identifier: Apache-2.0 */
/* Channels watched together, on the fake host. An edge is a bit that was not there at the last
 * look. */
#include <stdlib.h>

#include "host/fake/fake.h"
#include "host/fake/tree.h"
#include "lx_errno.h"
#include "lx_poll.h"

struct watched {
    struct watched *next;
    host_handle h;
    u32 events, last;
    u64 cookie;
};

s64 host_watch_new(host_handle *out)
{
    s64 r;

    FAKE_CALL();
    r = handle_new(out);
    if (r < 0) {
        return r;
    }
    g_handles[*out].is_watch = true;
    return 0;
}

void watch_close(struct handle *hd)
{
    while (hd->watched) {
        struct watched *next = hd->watched->next;

        free(hd->watched);
        hd->watched = next;
    }
}

s64 host_watch_set(host_handle w, host_handle h, enum host_watch_op op, u32 events, u64 cookie)
{
    struct handle *hd = handle_of(w);
    struct watched **link;
    struct watched *it;

    FAKE_CALL();
    if (!hd || !hd->is_watch || !handle_of(h)) {
        return -LX_EBADF;
    }
    for (link = &hd->watched; *link && (*link)->h != h; link = &(*link)->next) {
    }
    it = *link;
    if (op == HOST_WATCH_ADD) {
        if (it) {
            return -LX_EEXIST;
        }
        it = calloc(1, sizeof(*it));
        if (!it) {
            return -LX_ENOMEM;
        }
        it->h = h;
        *link = it;
    } else if (!it) {
        return -LX_ENOENT;
    } else if (op == HOST_WATCH_DEL) {
        *link = it->next;
        free(it);
        return 0;
    }
    it->events = events;
    it->cookie = cookie;
    it->last = 0;
    return 0;
}

static u32 watched_now(struct watched *it, bool take)
{
    u32 got;
    u32 fresh;

    if (!it->events) {
        return 0;
    }
    got = fake_poll(it->h, it->events & 0xffff);
    fresh = it->events & (u32)HOST_WATCH_EDGE ? got & ~it->last : got;
    if (take) {
        it->last = got;
        if (fresh && (it->events & HOST_WATCH_ONCE)) {
            it->events = 0;
        }
    }
    return fresh ? got : 0;
}

u32 watch_poll(struct handle *hd)
{
    for (struct watched *it = hd->watched; it; it = it->next) {
        if (watched_now(it, false)) {
            return LX_POLLIN;
        }
    }
    return 0;
}

s64 host_watch_get(host_handle w, struct host_watch_event *out, u32 n)
{
    struct handle *hd = handle_of(w);
    u32 count = 0;

    FAKE_CALL();
    if (!hd || !hd->is_watch) {
        return -LX_EBADF;
    }
    for (struct watched *it = hd->watched; it && count < n; it = it->next) {
        u32 got = watched_now(it, true);

        if (got) {
            out[count].cookie = it->cookie;
            out[count].got = got;
            count++;
        }
    }
    return count;
}
