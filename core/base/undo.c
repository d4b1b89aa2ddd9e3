/* SPDX-License-Identifier: Apache-2.0 */
#include "base/undo.h"

#ifdef PICOLX_HOSTED
static struct undo **undo_place(void)
{
    static struct undo alone; /* of tests without threads */
    static struct undo *self = &alone;

    return &self;
}

struct undo *undo_self(void)
{
    return *undo_place();
}

void undo_become(struct undo *u)
{
    *undo_place() = u;
}
#endif

bool undo_rollback(struct undo *u)
{
    if (u->n > UNDO_MAX) {
        return false;
    }
    while (u->n > 0) {
        const struct undo_note *e = &u->note[u->n - 1];
        void *p = (void *)(uintptr_t)(e->at & ~(0xffull << 56));

        switch (e->at >> 56) {
        case 1: *(volatile u8 *)p = (u8)e->old; break;
        case 2: *(volatile u16 *)p = (u16)e->old; break;
        case 4: *(volatile u32 *)p = (u32)e->old; break;
        default: *(volatile u64 *)p = e->old; break;
        }
        u->n--;
    }
    return true;
}
