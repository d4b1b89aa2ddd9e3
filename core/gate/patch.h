/* SPDX-License-Identifier: Apache-2.0 */
/* Direct calls: a `syscall` instruction that trapped is turned into a jump to the gate. */
#pragma once

#include "base/types.h"

struct regs;
struct task;

/* text_planner of this processor; see mm/text.h. */
struct text_patch;
s64 patch_plan(u64 site, const u8 *code, u64 nr, bool (*free_stub)(void *ctx, u32 i), void *ctx,
               struct text_patch *out);
/* A `syscall` at `site` trapped with number nr: patch it if that is safe and pays. */
void patch_site(struct task *t, u64 site, u64 nr);
/* Registers of a thread stopped in a stub or in the tail of a patched site: move rip to where the
 * original code would be. True if it was moved. */
bool patch_fix_rip(struct task *t, struct regs *r);
