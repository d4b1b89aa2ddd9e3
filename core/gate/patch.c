/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a trapped `syscall` becomes a jump to the gate. Only sites that trapped are touched: the
 * trap proves that the bytes are an instruction, and for A also what eax holds.
 *
 *   A  `mov $nr,%eax` (b8 imm32, or 48 c7 c0 imm32 as Go writes it) right before: the mov becomes
 *      a jump to a stub that does the mov and enters the gate with the genuine return address. The
 *      `syscall` stays, so a jump straight to it still works, by the trap.
 *   B  an instruction of at least three bytes after it that may be moved: the `syscall` and its
 *      first three bytes become a jump; the stub enters the gate, then runs the instruction and
 *      goes back behind it. The stub's slot is chosen so that the jump's third byte, where a jump
 *      to the moved instruction would land, is an opcode that always faults: patch_fix_rip takes
 *      it to the copy in the stub. In front of that copy stands a real `syscall`, so that a call
 *      restarted by going back two bytes works too.
 *
 *   L  the loop in which glibc's threads end, `1: xor %edi,%edi; mov %edx,%eax; syscall; jmp 1b`,
 *      after a `mov $nr,%edx` (and nops): that mov becomes the jump, as in A, and the stub does
 *      the four instructions. The loop stays.
 *
 * Stub A:  b8 nr        mov  $nr,%eax          Stub B:  48 8d 0d 08..  lea 1f(%rip),%rcx
 *          48 8d 0d ..  lea  site+2,%rcx                ff 25 ..       jmp *gate
 *          ff 25 ..     jmp  *gate                      0f 05          syscall
 *                                                    1: the moved instruction
 *                                                       e9 ..          jmp back
 */
#include "gate/patch.h"

#include "base/str.h"
#include "gate/gate.h"
#include "ks/layout.h"
#include "ks/regs.h"
#include "ks/uaccess.h"
#include "mm/text.h"
#include "proc/task.h"

#define ISLAND (-(s64)TEXT_ISLAND_BELOW)

static s64 stub_at(u32 slot)
{
    return ISLAND + (s64)slot * (s64)TEXT_STUB_SIZE;
}

static void put32(u8 *p, s64 v)
{
    u32 x = (u32)v;

    memcpy(p, &x, 4);
}

static u32 get32(const u8 *p)
{
    u32 x;

    memcpy(&x, p, 4);
    return x;
}

static bool fits32(s64 v)
{
    return v >= S32_MIN && v <= S32_MAX;
}

/* `jmp *gate`, the pointer being the island's first eight bytes; `at` is where it will lie. */
static u8 *put_jump_gate(u8 *p, s64 at)
{
    p[0] = 0xff;
    p[1] = 0x25;
    put32(p + 2, ISLAND - (at + 6));
    return p + 6;
}

/* `lea disp(%rip),%rcx` at `at`: the return address `to`. */
static u8 *put_return(u8 *p, s64 at, s64 to)
{
    p[0] = 0x48;
    p[1] = 0x8d;
    p[2] = 0x0d;
    put32(p + 3, to - (at + 7));
    return p + 7;
}

/* The five bytes at `from` become a jump to the stub at `to`, which is empty so far. */
static void put_jump(struct text_patch *out, s64 from, s64 to)
{
    out->at = from;
    out->n = 5;
    out->bytes[0] = 0xe9;
    put32(out->bytes + 1, to - (from + 5));
    memset(out->code, 0xcc, sizeof(out->code));
}

/* The first free stub, if the site reaches it and it the site. */
static bool take_stub(s64 site, bool (*free_stub)(void *, u32), void *ctx, struct text_patch *out)
{
    s64 at;

    for (out->stub = 1; out->stub < TEXT_STUBS && !free_stub(ctx, out->stub); out->stub++) {
    }
    at = stub_at(out->stub);
    return out->stub < TEXT_STUBS && fits32(at - site) && fits32(site - at);
}

/* ------------------------------------------------------------------ pattern A --------------- */

static s64 plan_a(s64 site, const u8 *c, u64 nr, bool (*free_stub)(void *, u32), void *ctx,
                  struct text_patch *out)
{
    s64 len = 0;
    s64 at;
    u8 *p = out->code;

    if (c[-7] == 0x48 && c[-6] == 0xc7 && c[-5] == 0xc0 && get32(c - 4) == nr) {
        len = 7;
    } else if (c[-5] == 0xb8 && get32(c - 4) == nr && (c[-6] & 0xf0) != 0x40) {
        len = 5;
    } else {
        return -1;
    }
    if (!take_stub(site, free_stub, ctx, out)) {
        return -1;
    }
    at = stub_at(out->stub);
    put_jump(out, site - len, at);
    p[0] = 0xb8;
    put32(p + 1, (s64)nr);
    p = put_return(p + 5, at + 5, site + 2);
    put_jump_gate(p, at + 12);
    return 0;
}

/* ------------------------------------------------------------------ pattern L --------------- */

/* What assemblers fill gaps with, by length. */
static const u8 nops[][8] = {
    {0},
    {0x90},
    {0x66, 0x90},
    {0x0f, 0x1f, 0x00},
    {0x0f, 0x1f, 0x40, 0x00},
    {0x0f, 0x1f, 0x44, 0x00, 0x00},
    {0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00},
    {0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00},
};

static s64 plan_l(s64 site, const u8 *c, u64 nr, bool (*free_stub)(void *, u32), void *ctx,
                  struct text_patch *out)
{
    static const u8 loop[] = {0x31, 0xff, 0x89, 0xd0, 0x0f, 0x05, 0xeb, 0xf8};
    const u8 *mov = NULL;
    s64 at;
    u8 *p = out->code;

    if (memcmp(c - 4, loop, sizeof(loop)) != 0) {
        return -1;
    }
    for (u32 n = 0; n < ARRAY_SIZE(nops) && mov == NULL; n++) {
        const u8 *m = c - 4 - n - 5;

        if (m[0] == 0xba && get32(m + 1) == nr && memcmp(m + 5, nops[n], n) == 0) {
            mov = m;
        }
    }
    if (mov == NULL || (mov[-1] & 0xf0) == 0x40) {
        return -1;
    }
    if (!take_stub(site, free_stub, ctx, out)) {
        return -1;
    }
    at = stub_at(out->stub);
    put_jump(out, site - (c - mov), at);
    memcpy(p, mov, 5);
    memcpy(p + 5, loop, 4);
    p = put_return(p + 9, at + 9, site + 2);
    put_jump_gate(p, at + 16);
    return 0;
}

/* ------------------------------------------------------------------ pattern B --------------- */

/* Length of ModRM with what belongs to it, 0 if relative to rip. */
static u32 modrm_length(const u8 *p)
{
    u32 mod = p[0] >> 6;
    u32 rm = p[0] & 7;
    u32 n = 1;

    if (mod == 3) {
        return 1;
    }
    if (rm == 4) {
        n++;
        if (mod == 0 && (p[1] & 7) == 5) {
            n += 4;
        }
    } else if (mod == 0 && rm == 5) {
        return 0;
    }
    return n + (mod == 1 ? 1 : mod == 2 ? 4 : 0);
}

/* Length of an instruction that means the same anywhere, 0 for any other or unknown one. Knows
 * the moves, comparisons and arithmetic that compilers put after a system call. */
static u32 movable_length(const u8 *p)
{
    u32 n = 0;
    u32 m;
    bool wide = false;

    if ((p[0] & 0xf0) == 0x40) {
        wide = (p[0] & 8) != 0;
        n = 1;
    }
    u8 op = p[n++];
    if (op == 0x3d || op == 0x05 || op == 0x2d || op == 0x25 || op == 0xa9) {
        return n + 4; /* op $imm32,%eax */
    }
    if (op >= 0xb8 && op <= 0xbf) {
        return n + (wide ? 8 : 4); /* mov $imm,reg */
    }
    m = modrm_length(p + n);
    if (m == 0) {
        return 0;
    }
    if ((op == 0x8d && p[n] >> 6 == 3) || ((op == 0xc6 || op == 0xc7) && (p[n] & 0x38) != 0)) {
        return 0; /* undefined, or the jumps of transactions (xbegin, xabort) */
    }
    switch (op) {
    // clang-format off
    case 0x01: case 0x03: case 0x09: case 0x0b: case 0x21: case 0x23: case 0x29: case 0x2b:
    case 0x31: case 0x33: case 0x38: case 0x39: case 0x3a: case 0x3b: case 0x63: case 0x84:
    case 0x85: case 0x88: case 0x89: case 0x8a: case 0x8b: case 0x8d:
        return n + m;
    case 0x80: case 0x83: case 0xc0: case 0xc1: case 0xc6:
        return n + m + 1;
    case 0x81: case 0xc7:
        return n + m + 4;
    // clang-format on
    default: return 0;
    }
}

/* One-byte opcodes that fault in 64-bit user code whatever follows. */
static bool always_faults(u8 b)
{
    switch (b) {
    // clang-format off
    case 0x06: case 0x07: case 0x0e: case 0x16: case 0x17: case 0x1e: case 0x1f: case 0x27:
    case 0x2f: case 0x37: case 0x3f: case 0x60: case 0x61: case 0x6c: case 0x6d: case 0x6e:
    case 0x6f: case 0xce: case 0xd6: case 0xec: case 0xed: case 0xee: case 0xef: case 0xf4:
    case 0xfa: case 0xfb:
        return true;
    // clang-format on
    default: return false;
    }
}

#define B_COPY 15 /* offset of the moved instruction in a stub B */

static s64 plan_b(s64 site, const u8 *c, bool (*free_stub)(void *, u32), void *ctx,
                  struct text_patch *out)
{
    u32 len = movable_length(c + 2);
    u8 *p = out->code;
    s64 at = 0;
    s64 rel = 0;

    if (len < 3 || B_COPY + len + 5 > TEXT_STUB_SIZE) {
        return -1;
    }
    for (out->stub = 1; out->stub < TEXT_STUBS; out->stub++) {
        at = stub_at(out->stub);
        rel = at - (site + 5);
        if (always_faults((u8)((u32)rel >> 8)) && free_stub(ctx, out->stub)) {
            break;
        }
    }
    if (out->stub == TEXT_STUBS || !fits32(rel)) {
        return -1;
    }
    put_jump(out, site, at);
    put_return(p, at, at + B_COPY);
    put_jump_gate(p + 7, at + 7);
    p[13] = 0x0f;
    p[14] = 0x05;
    memcpy(p + B_COPY, c + 2, len);
    p[B_COPY + len] = 0xe9;
    put32(p + B_COPY + len + 1, site + 2 + len - (at + B_COPY + len + 5));
    return 0;
}

/* ------------------------------------------------------------------ interface --------------- */

s64 patch_plan(u64 site, const u8 *code, u64 nr, bool (*free_stub)(void *, u32), void *ctx,
               struct text_patch *out)
{
    const u8 *c = code + TEXT_SITE_BEFORE;

    if (c[0] != 0x0f || c[1] != 0x05) {
        return -1;
    }
    if (plan_a((s64)site, c, nr, free_stub, ctx, out) == 0 ||
        plan_l((s64)site, c, nr, free_stub, ctx, out) == 0) {
        return 0;
    }
    return plan_b((s64)site, c, free_stub, ctx, out);
}

void patch_site(struct task *t, u64 site, u64 nr)
{
    text_trapped(t->mm, site, nr);
}

/* A fault at site+2 of a patched B: the bytes before are our jump, and where it leads is a stub B
 * whose copy we go to. */
static bool fix_tail(struct regs *r)
{
    u8 b[5];
    u8 stub[B_COPY];
    u64 site = r->rip - 2;
    u64 at;

    if (copy_from_user(b, mk_uptr(site), sizeof(b)) < 0 || b[0] != 0xe9 || !always_faults(b[2])) {
        return false;
    }
    at = site + 5 + (u64)(s64)(s32)get32(b + 1);
    if ((at & (TEXT_STUB_SIZE - 1)) != 0 || copy_from_user(stub, mk_uptr(at), sizeof(stub)) < 0 ||
        stub[0] != 0x48 || stub[1] != 0x8d || stub[2] != 0x0d || get32(stub + 3) != B_COPY - 7 ||
        stub[13] != 0x0f || stub[14] != 0x05) {
        return false;
    }
    r->rip = at + B_COPY;
    return true;
}

bool patch_fix_rip(struct task *t, struct regs *r)
{
    (void)t;
    return fix_tail(r);
}
