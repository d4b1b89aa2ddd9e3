/* SPDX-License-Identifier: Apache-2.0 */
/* What is registered and mounted at boot, as lists. */
#pragma once

#include "host/host.h"

struct boot_params;
struct task;

/* Filesystems, devices, hooks between layers. */
void setup_layers(const struct boot_params *p);
/* Without an init: mount /proc, /dev and friends over a root that has these folders. */
void setup_direct_mounts(struct task *t);
/* Standard files of init and its session device (descriptor 3). */
void setup_session(struct task *t, host_handle control);
