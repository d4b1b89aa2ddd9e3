/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shared object every program finds at AT_SYSINFO_EHDR (vdso(7)): one page, the same host
 * memory object in all processes. Its functions go on to the host's own (host_vdso) or, where the
 * host has none, make the system call.
 */
#pragma once

#include "base/types.h"
#include "host/host.h"

#define VDSO_SIZE PAGE_SIZE

/* The memory object that holds the image, made at the first call. -LX_ENOMEM, host errors. */
s64 vdso_object(host_handle *out);
/* The page as guests see it, VDSO_SIZE bytes: for tests and dumps. */
void vdso_fill(u8 *page, const struct host_vdso *target);

/* The image in lxcore's own text (vdso_image.c), and where the targets lie in it. */
extern const u8 vdso_image[] __attribute__((visibility("hidden")));
extern const u8 vdso_image_slots[] __attribute__((visibility("hidden")));
