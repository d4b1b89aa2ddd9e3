/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The patched-text cache: program text with direct calls, shared by all processes that map the
 * file (adr/0003).
 *
 * For a file whose `syscall` sites trap often, a memory object holds copies of those pieces of its
 * text that have such sites, patched, and an island of stubs. Processes map the pieces over the
 * file's own pages and the island at a fixed distance below, TEXT_ISLAND_BELOW bytes under where
 * offset 0 of the file would be: so a jump from a site to its stub is the same number everywhere,
 * and a site is patched once per file, not once per process. A file that changed is another file.
 */
#pragma once

#include "mm/space.h"

#define TEXT_ISLAND_SIZE  0x10000ull
#define TEXT_ISLAND_BELOW 0x20000ull
#define TEXT_STUB_SIZE    32u /* the first slot of an island holds the gate's address */
#define TEXT_STUBS        (u32)(TEXT_ISLAND_SIZE / TEXT_STUB_SIZE)
#define TEXT_SITE_BYTES   40u /* of code shown to the patcher */
#define TEXT_SITE_BEFORE  16u /* of them before the `syscall` */

struct text;

/* How to patch one site: made by the patcher (gate/patch.c). Addresses are relative to where
 * offset 0 of the file is mapped; the island starts at -TEXT_ISLAND_BELOW. */
struct text_patch {
    s64 at;      /* first byte changed                        */
    u8 bytes[8]; /* new ones                                  */
    u32 n;
    u32 stub; /* slot of the island                        */
    u8 code[TEXT_STUB_SIZE];
};

/*
 * Describe how to patch the `syscall` at file offset `site`, code shows the bytes around it.
 * free_stub(ctx, i) says whether slot i of the island is free.
 *   returns 0, or -LX_ENOENT: leave it alone
 */
typedef s64 (*text_planner)(u64 site, const u8 *code, u64 nr, bool (*free_stub)(void *ctx, u32 i),
                            void *ctx, struct text_patch *out);

/* Where the stubs jump to, and who plans; set at boot. Without it nothing is ever patched. */
void text_init(u64 gate, text_planner planner);

/* A `syscall` at guest address `site` trapped. Counts, patches, maps the patched text into the
 * calling process. Takes mm->lock. */
void text_trapped(struct mm *mm, u64 site, u64 nr);

/* For mm/: map [addr, addr+len) of a private executable file mapping: patched pieces where there
 * are some, else the file itself (h, host_off). mm->lock held. */
s64 text_map(struct mm *mm, struct file *f, u64 addr, u64 len, u64 off, host_handle h,
             u64 host_off);
/* For mm/: v was mapped executable: keep the place of its island free. Uses one spare vma. */
void text_reserve_island(struct mm *mm, const struct vma *v);
/* For mm/: the guest wants pages in [lo, hi) for itself. Islands there go, and the text that
 * jumps to them is the file's own again: its calls trap. mm->lock held. */
/* No site of mm jumps to the gate any more, and none will: all calls trap. Takes mm->lock. */
void text_unpatch(struct mm *mm);
void text_give_up_islands(struct mm *mm, u64 lo, u64 hi);
/* For mm/: text of the module at `base` (where offset 0 of its file would be) was unmapped: its
 * island goes with the last of it. mm->lock held. */
void text_unmapped(struct mm *mm, u64 base);
