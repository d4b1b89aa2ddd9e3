/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slots of host threads. Freed ones are taken again last in, first out, so that few kernel stacks
 * are ever touched; one whose host thread is still on its way out is passed over.
 */
#include "base/bits.h"
#include "base/str.h"
#include "host/host.h"
#include "ks/kthread.h"
#include "ks/lock.h"
#include "ks/log.h"
#include "lx_errno.h"

#define LOOK_BACK 32 /* freed slots tried before a fresh one is taken */

/* Slot 0 is the supervisor's from the start. */
static struct {
    struct lock lock;
    u32 n_recent;   /* [lock] */
    u32 next_fresh; /* [lock] never used from here on */
} g_slots = {LOCK_INIT(LOCK_SLOT), 0, 1};

/* One behind the other: their beginnings are what a process that ends touches. */
SLOT_BSS static struct {
    u64 used[BITMAP_WORDS(SLOT_MAX)]; /* [g_slots.lock] all but slot 0 */
    u16 recent[SLOT_MAX];             /* [g_slots.lock] stack of freed slots */
} g_table;

static s64 take_recent(u32 look_back)
{
    u32 n = g_slots.n_recent;
    u32 stop = n > look_back ? n - look_back : 0;

    for (u32 i = n; i-- > stop;) {
        u32 slot = g_table.recent[i];

        if (!host_slot_idle(slot)) {
            continue;
        }
        undo_note(&g_table.recent[i]);
        undo_note(&g_slots.n_recent);
        g_table.recent[i] = g_table.recent[n - 1];
        g_slots.n_recent--;
        return slot;
    }
    return -LX_EAGAIN;
}

static void prepare(u32 slot)
{
    struct kthread *k = kthread_of(slot);

    atomic_store_explicit(&k->work, 0, memory_order_relaxed);
    k->slot = slot;
    k->task = NULL;
    k->making = NULL;
    k->giving = NULL;
    k->pool_slot = 0;
    k->leaving = 0;
    memset(k->held, 0, sizeof(k->held));
    k->n_locks = 0;
    k->undo.n = 0;
    k->in_park = 0;
    k->spin = (struct spin){0};
    list_init(&k->waits);
    k->syscall_ret_nr = ~0ull;
}

s64 slot_alloc(void)
{
    s64 slot;

    lock_acquire(&g_slots.lock);
    slot = take_recent(LOOK_BACK);
    if (slot < 0 && g_slots.next_fresh < SLOT_MAX) {
        undo_note(&g_slots.next_fresh);
        slot = g_slots.next_fresh++;
    }
    if (slot < 0) {
        slot = take_recent(SLOT_MAX);
    }
    if (slot >= 0) {
        undo_note(&g_table.used[slot / 64]);
        bitmap_set(g_table.used, (u32)slot);
        host_slot_clear((u32)slot); /* no longer its last user's: see slot_of_dead */
    }
    lock_release(&g_slots.lock);
    if (slot >= 0) {
        prepare((u32)slot);
    }
    return slot;
}

void slot_free(u32 slot)
{
    lock_acquire(&g_slots.lock);
    kassert(slot < SLOT_MAX && bitmap_test(g_table.used, slot));
    undo_note(&g_table.used[slot / 64]);
    undo_note(&g_table.recent[g_slots.n_recent]);
    undo_note(&g_slots.n_recent);
    bitmap_clear(g_table.used, slot);
    g_table.recent[g_slots.n_recent++] = (u16)slot;
    lock_release(&g_slots.lock);
}

bool slot_of_dead(u32 slot, u32 host_pid)
{
    bool mine, used;

    lock_acquire(&g_slots.lock);
    mine = host_slot_pid(slot) == host_pid;
    used = bitmap_test(g_table.used, slot);
    if (mine && !used) {
        host_slot_clear(slot);
    }
    lock_release(&g_slots.lock);
    return mine && used;
}

void slot_unpark_all(void)
{
    for (u32 i = 0; i < g_slots.next_fresh; i++) {
        if (i == 0 || bitmap_test(g_table.used, i)) {
            host_unpark(i);
        }
    }
}

void kthread_wake(u32 slot, bool kick)
{
    undo_commit();
    host_unpark(slot);
    if (kick) {
        host_kick(slot);
    }
}
