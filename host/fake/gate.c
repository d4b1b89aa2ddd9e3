/* SPDX-License-Identifier: Apache-2.0 */
/* Partners in assembly that a hosted test never reaches, so that all of core links. */
#include "host/fake/fake.h"
#include "ks/kthread.h"

void (*g_fake_guest)(struct kthread *kt);

_Noreturn void kthread_resume(struct kthread *kt)
{
    if (g_fake_guest) {
        g_fake_guest(kt);
    }
    host_panic("fake: there is no guest code to go back to");
}

void fpu_save(void *area, u64 mask);
void fpu_save(void *area, u64 mask)
{
    (void)area;
    (void)mask;
}

s64 fpu_restore(const void *area, u64 mask);
s64 fpu_restore(const void *area, u64 mask)
{
    (void)area;
    (void)mask;
    return 0;
}
