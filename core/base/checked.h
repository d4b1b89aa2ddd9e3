/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arithmetic that reports overflow. Each returns true if the exact result does not fit *out, so
 * the bad case is the `if`:
 *
 *     if (mul_overflows(count, sizeof(*v), &size)) {
 *         return -LX_ENOMEM;
 *     }
 */
#pragma once

#include "base/types.h"

/* A bool that must be looked at; used by the macros below. */
__must_check static inline bool checked_(bool overflow)
{
    return unlikely(overflow);
}

/* Type-generic: the result must fit the type of *out. Give operands of one signedness. */
#define add_overflows(a, b, out) checked_(__builtin_add_overflow(a, b, out))
#define sub_overflows(a, b, out) checked_(__builtin_sub_overflow(a, b, out))
#define mul_overflows(a, b, out) checked_(__builtin_mul_overflow(a, b, out))

/* Round `x` up to a multiple of `align`, a power of two; true if it does not fit. */
__must_check static inline bool align_up_overflows(u64 x, u64 align, u64 *out)
{
    *out = (x + (align - 1)) & ~(align - 1);
    return *out < x;
}

/* True if [start, start + size) lies within [lo, hi), without overflow. Empty ranges too. */
__must_check static inline bool range_within(u64 start, u64 size, u64 lo, u64 hi)
{
    return start >= lo && start <= hi && size <= hi - start;
}
