/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Single words and bitmaps. A bitmap is an array of u64; bit n is bit n%64 of word n/64. Plain
 * loads and stores: the caller owns the locking.
 */
#pragma once

#include "base/types.h"

#define BITMAP_WORDS(nbits) (((nbits) + 63) / 64) /* u64 words that hold nbits bits */
#define BIT64(n)            (1ull << (n))

/* Position of the lowest set bit, counted from 1; 0 if x is 0. */
static inline u32 bits_ffs(u64 x)
{
    return x ? (u32)__builtin_ctzll(x) + 1 : 0;
}

/* Position of the highest set bit, counted from 1; 0 if x is 0. */
static inline u32 bits_fls(u64 x)
{
    return x ? 64 - (u32)__builtin_clzll(x) : 0;
}

/* Number of set bits. By hand: the builtin may call into a library. */
static inline u32 bits_count(u64 x)
{
    x -= (x >> 1) & 0x5555555555555555ull;
    x = (x & 0x3333333333333333ull) + ((x >> 2) & 0x3333333333333333ull);
    x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0full;
    return (u32)((x * 0x0101010101010101ull) >> 56);
}

/* Smallest power of two that is >= x; 1 for 0; 0 if there is none. */
static inline u64 bits_round_up_pow2(u64 x)
{
    if (x <= 1) {
        return 1;
    }
    return x > BIT64(63) ? 0 : 1ull << bits_fls(x - 1);
}

/* Set bit n. */
static inline void bitmap_set(u64 *map, size_t n)
{
    map[n / 64] |= BIT64(n % 64);
}

/* Clear bit n. */
static inline void bitmap_clear(u64 *map, size_t n)
{
    map[n / 64] &= ~BIT64(n % 64);
}

/* True if bit n is set. */
static inline bool bitmap_test(const u64 *map, size_t n)
{
    return (map[n / 64] >> (n % 64)) & 1;
}

/* First bit >= from, equal in `flip`-ed words to 1; used by the two functions below. */
static inline size_t bitmap_find_(const u64 *map, size_t nbits, size_t from, u64 flip)
{
    size_t i = from / 64;
    u64 w;

    if (from >= nbits) {
        return nbits;
    }
    w = (map[i] ^ flip) & (U64_MAX << (from % 64));
    while (!w) {
        i++;
        if (i * 64 >= nbits) {
            return nbits;
        }
        w = map[i] ^ flip;
    }
    from = i * 64 + (size_t)__builtin_ctzll(w);
    return from < nbits ? from : nbits;
}

/* Lowest clear bit >= from; nbits if there is none. */
static inline size_t bitmap_find_zero(const u64 *map, size_t nbits, size_t from)
{
    return bitmap_find_(map, nbits, from, U64_MAX);
}

/* Lowest set bit >= from; nbits if there is none. */
static inline size_t bitmap_find_set(const u64 *map, size_t nbits, size_t from)
{
    return bitmap_find_(map, nbits, from, 0);
}

/* Clear all bits, those of the last word past nbits too. */
static inline void bitmap_zero(u64 *map, size_t nbits)
{
    for (size_t i = 0; i < BITMAP_WORDS(nbits); i++) {
        map[i] = 0;
    }
}

/* Number of set bits below nbits. */
static inline size_t bitmap_count(const u64 *map, size_t nbits)
{
    size_t count = 0;

    for (size_t i = 0; i < nbits / 64; i++) {
        count += bits_count(map[i]);
    }
    if (nbits % 64) {
        count += bits_count(map[nbits / 64] & (BIT64(nbits % 64) - 1));
    }
    return count;
}

/* Walk the set bits, `i` a size_t; bits may be changed in the body. */
#define bitmap_for_each_set(i, map, nbits)                                                         \
    for ((i) = bitmap_find_set(map, nbits, 0); (i) < (nbits);                                      \
         (i) = bitmap_find_set(map, nbits, (i) + 1))

/* Walk the set bits of one u64 from the lowest; `i` a u32, `w` a u64 variable that is consumed. */
#define bits_for_each(i, w) for (; (w) != 0 && ((i) = (u32)__builtin_ctzll(w), true); (w) &= (w)-1)
