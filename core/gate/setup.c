/* SPDX-License-Identifier: Apache-2.0 */
#include "gate/setup.h"

#include "fs/hostfs/hostfs.h"
#include "gate/gate.h"
#include "gate/patch.h"
#include "mm/text.h"
#include "proc/task.h"

void setup_layers(const struct boot_params *p)
{
    (void)p;
    hostfs_register();
    text_init((u64)gate_syscall, patch_plan);
}

void setup_direct_mounts(struct task *t)
{
    (void)t;
}

void setup_session(struct task *t, host_handle control)
{
    (void)t;
    (void)control;
}
