/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The undo journal: what makes changes of shared structures survive the death of who makes them.
 *
 * A host process can be killed between any two of its stores. Each thread notes the old value of a
 * word before it changes it; the note is forgotten when the change is complete, that is at the
 * thread's next lock operation (ks/lock.h). When a thread is found dead with notes left and a lock
 * held, whoever settles its affairs puts the old values back, and the change has not begun.
 *
 * Lists, chains, trees and heaps of base/ note what they change by themselves. Code that keeps
 * further words in step with them says so before it stores:
 *
 *     lock_acquire(&q->lock);
 *     list_del(&m->node);
 *     undo_note(&q->n);
 *     q->n--;
 *     lock_release(&q->lock);
 *
 * A word that others change without the lock (a reference count) must never be noted.
 */
#pragma once

#include <stdatomic.h>

#include "base/types.h"

#define UNDO_MAX 48 /* notes of one thread; who makes more between two lock operations is lost */

struct undo_note {
    u64 at; /* address; its size is in the top byte */
    u64 old;
};

struct undo {
    struct undo_note note[UNDO_MAX];
    u32 n; /* notes made, those beyond the array too */
    u32 pad;
};

/* The calling thread's. Lies at the very end of its kernel stack's area (ks/layout.h). */
#ifdef PICOLX_HOSTED
struct undo *undo_self(void);
/* The caller is another thread from now on (host/fake). */
void undo_become(struct undo *u);
#else
#define UNDO_AREA_MASK 0xffffull
static inline struct undo *undo_self(void)
{
    u64 sp;
    __asm__("mov %%rsp, %0" : "=r"(sp));
    return (struct undo *)(uintptr_t)((sp | UNDO_AREA_MASK) + 1 - sizeof(struct undo));
}
#endif

#define UNDO_AT(p, size) ((u64)(uintptr_t)(p) | (u64)(size) << 56)

/* Note a word of 1, 2, 4 or 8 bytes whose value is `old`. */
static inline void undo_note_word(const volatile void *p, u32 size, u64 old)
{
    struct undo *u = undo_self();
    u32 n = u->n;

    if (likely(n < UNDO_MAX)) {
        u->note[n].at = UNDO_AT(p, size);
        u->note[n].old = old;
    }
    atomic_signal_fence(memory_order_seq_cst);
    u->n = n + 1;
    atomic_signal_fence(memory_order_seq_cst);
}

static inline u64 undo_load(const volatile void *p, u32 size)
{
    switch (size) {
    case 1: return *(const volatile u8 *)p;
    case 2: return *(const volatile u16 *)p;
    case 4: return *(const volatile u32 *)p;
    default: return *(const volatile u64 *)p;
    }
}

/* Note the variable p points to, before it is changed. */
#define undo_note(p)                                                                               \
    do {                                                                                           \
        _Static_assert(sizeof(*(p)) <= 8 && (sizeof(*(p)) & (sizeof(*(p)) - 1)) == 0,              \
                       "a word of 1, 2, 4 or 8 bytes");                                            \
        undo_note_word((p), sizeof(*(p)), undo_load((p), sizeof(*(p))));                           \
    } while (0)

/* Four pointers at once: cheaper than one by one. */
static inline void undo_note4(void *const p[4], const void *const old[4])
{
    struct undo *u = undo_self();
    u32 n = u->n;

    if (likely(n <= UNDO_MAX - 4)) {
        for (u32 i = 0; i < 4; i++) {
            u->note[n + i].at = UNDO_AT(p[i], sizeof(void *));
            u->note[n + i].old = (u64)(uintptr_t)old[i];
        }
    } else {
        n = UNDO_MAX; /* as if all were used up: a part of four is of no use */
    }
    atomic_signal_fence(memory_order_seq_cst);
    u->n = n + 4;
    atomic_signal_fence(memory_order_seq_cst);
}

/* What was changed so far is complete. */
static inline void undo_commit(void)
{
    atomic_signal_fence(memory_order_seq_cst);
    undo_self()->n = 0;
    atomic_signal_fence(memory_order_seq_cst);
}

/* Put the old values back, the last first: the thread is dead, and still owns what guards them.
 * False, and nothing is changed: it made more changes than the journal holds. */
bool undo_rollback(struct undo *u);
