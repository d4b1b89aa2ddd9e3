/* SPDX-License-Identifier: Apache-2.0 */
/* The first line of a script: "#!interpreter [optional-arg]"; see execve(2). */
#pragma once

#include "base/types.h"

#define SCRIPT_HEAD 256 /* bytes of the file that count */

struct script_line {
    char interp[SCRIPT_HEAD];
    char opt[SCRIPT_HEAD];
    bool has_opt;
};

/*
 * Parse the beginning of a file, SCRIPT_HEAD bytes, zero-padded if the file is shorter.
 *   returns 1 and *out for a script, 0 for something else, -LX_ENOEXEC for "#!" without a usable
 *           interpreter (none named, or its name is cut off)
 */
s64 script_parse(const u8 *head, struct script_line *out);
