/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unix sockets can be sent over unix sockets, so some may be held by nothing but messages in each
 * other's queues. A socket whose file has no reference but those of messages is a candidate;
 * candidates that are in a queue of a socket which is none, or reachable from such, are alive;
 * the messages of the rest are dropped, and with them the sockets.
 */
#include "ipc/sock/unix_priv.h"
#include "ks/slab.h"

static struct lock g_gc_lock = LOCK_INIT(LOCK_EPOLL_FILES);
static struct list_head g_in_flight = LIST_INIT(g_in_flight); /* [g_gc_lock] */

void unix_inflight(struct scm *c, bool on)
{
    for (u32 i = 0; i < c->n_files; i++) {
        struct unix_sock *u = unix_of_file(c->files[i]);

        if (!u) {
            continue;
        }
        lock_acquire(&g_gc_lock);
        if (on) {
            undo_note(&u->inflight);
            undo_note(&u->file);
            u->file = c->files[i];
            if (u->inflight++ == 0) {
                list_add_tail(&u->in_flight, &g_in_flight);
            }
        } else {
            undo_note(&u->inflight);
            undo_note(&u->file);
            if (--u->inflight == 0) {
                list_del_init(&u->in_flight);
                u->file = NULL;
            }
        }
        lock_release(&g_gc_lock);
    }
}

/* Add `by` to the count of every candidate in the messages of a queue. */
static void count_messages(struct list_head *queue, s32 by)
{
    struct unix_msg *m;

    list_for_each_entry (m, queue, node) {
        for (u32 i = 0; m->scm && i < m->scm->n_files; i++) {
            struct unix_sock *u = unix_of_file(m->scm->files[i]);

            if (u && u->gc_candidate) {
                u->gc_count += (u32)by;
            }
        }
    }
}

/* The same for all that u holds: its queue, or those of the sockets that wait to be accepted. */
static void count_held(struct unix_sock *u, s32 by)
{
    struct unix_sock *n;

    lock_acquire(&u->s.lock);
    if (u->state != UNIX_LISTEN) {
        count_messages(&u->queue, by);
    } else {
        list_for_each_entry (n, &u->queue, accept_node) {
            count_messages(&n->queue, by); /* nobody receives from it yet; adding is at the end */
        }
    }
    lock_release(&u->s.lock);
}

/* Move the messages with files out of a queue. */
static void take_messages(struct unix_sock *u, struct list_head *to)
{
    struct unix_msg *m;
    struct unix_msg *next;

    list_for_each_entry_safe(m, next, &u->queue, node)
    {
        if (m->scm) {
            undo_commit(); /* of one message at a time */
            undo_note(&u->n_queued);
            undo_note(&u->bytes);
            list_move_tail(&m->node, to);
            atomic_store(&u->n_queued, u->n_queued - 1);
            atomic_store(&u->bytes, u->bytes - (m->len - m->off));
        }
    }
}

static void take_held(struct unix_sock *u, struct list_head *to)
{
    struct unix_sock *n;

    lock_acquire(&u->s.lock);
    if (u->state != UNIX_LISTEN) {
        take_messages(u, to);
    } else {
        list_for_each_entry (n, &u->queue, accept_node) {
            take_messages(n, to);
        }
    }
    lock_release(&u->s.lock);
}

/* Find the garbage and move its messages to `dead`. g_gc_lock held. */
static void mark_and_take_locked(struct list_head *dead)
{
    struct unix_sock *u;
    bool again = true;

    list_for_each_entry (u, &g_in_flight, in_flight) {
        u->gc_candidate = ref_read(&u->file->ref) == u->inflight;
        u->gc_count = u->inflight;
    }
    list_for_each_entry (u, &g_in_flight, in_flight) {
        if (u->gc_candidate) {
            count_held(u, -1);
        }
    }
    while (again) {
        again = false;
        list_for_each_entry (u, &g_in_flight, in_flight) {
            if (u->gc_candidate && u->gc_count) {
                u->gc_candidate = false; /* somebody outside holds it, so what it holds lives */
                count_held(u, 1);
                again = true;
            }
        }
    }
    list_for_each_entry (u, &g_in_flight, in_flight) {
        if (u->gc_candidate) {
            take_held(u, dead);
        }
        u->gc_candidate = false;
    }
}

void unix_collect(void)
{
    struct list_head dead = LIST_INIT(dead);
    struct unix_msg *m;
    struct unix_msg *next;

    if (list_empty(&g_in_flight)) {
        return;
    }
    lock_acquire(&g_gc_lock);
    mark_and_take_locked(&dead);
    lock_release(&g_gc_lock);
    list_for_each_entry_safe(m, next, &dead, node)
    {
        list_init(&m->node);
        unix_msg_free(m);
    }
}
