/* SPDX-License-Identifier: Apache-2.0 */
/* The memory object with the vdso page. */
#include "proc/vdso/vdso.h"

#include <stdatomic.h>

#include "base/str.h"
#include "ks/slab.h"
#include "lx_errno.h"

static _Atomic s32 g_object = HOST_NONE; /* [a] set once */

void vdso_fill(u8 *page, const struct host_vdso *target)
{
    memcpy(page, vdso_image, VDSO_SIZE);
    memcpy(page + (vdso_image_slots - vdso_image), target, sizeof(*target));
}

static s64 make_object(host_handle *out)
{
    u8 *page = kmalloc(VDSO_SIZE);
    struct host_iov iov;
    s64 r;

    if (!page) {
        return -LX_ENOMEM;
    }
    vdso_fill(page, host_vdso());
    iov.addr = (u64)(uintptr_t)page;
    iov.len = VDSO_SIZE;
    r = host_mem_object(VDSO_SIZE, out);
    if (r == 0) {
        r = host_file_write(*out, &iov, 1, 0);
        r = r == (s64)VDSO_SIZE ? 0 : r < 0 ? r : -LX_EIO;
        if (r < 0) {
            host_handle_close(*out);
        }
    }
    kfree(page);
    return r;
}

s64 vdso_object(host_handle *out)
{
    s32 have = atomic_load(&g_object);
    s64 r;

    if (likely(have != HOST_NONE)) {
        *out = have;
        return 0;
    }
    r = make_object(out);
    if (r < 0) {
        return r;
    }
    if (!atomic_compare_exchange_strong(&g_object, &have, *out)) {
        host_handle_close(*out);
        *out = have;
    }
    return 0;
}
