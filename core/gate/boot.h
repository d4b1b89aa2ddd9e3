/* SPDX-License-Identifier: Apache-2.0 */
/* Boot arguments, for the parts of boot. */
#pragma once

#include "base/types.h"

struct boot_params;

/* Value of key=value on the command line (before "--"), or NULL. */
const char *boot_arg(const struct boot_params *p, const char *key);
u64 boot_arg_number(const struct boot_params *p, const char *key, u64 otherwise);
