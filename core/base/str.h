/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory and string functions, and bounded parsing of numbers. The C names have their C meaning;
 * the freestanding build defines them, a hosted build (PICOLX_HOSTED) takes the library's and has
 * ours under base_*, for the tests.
 */
#pragma once

#include "base/types.h"

void *memcpy(void *restrict dst, const void *restrict src, size_t size);
void *memmove(void *dst, const void *src, size_t size);
void *memset(void *dst, int byte, size_t size);
int memcmp(const void *a, const void *b, size_t size);
void *memchr(const void *p, int byte, size_t size);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t max);
char *strchr(const char *s, int c);
char *strrchr(const char *s, int c);

#ifndef PICOLX_HOSTED
/* -ffreestanding makes them plain functions: known sizes would be calls too. */
#define memcpy(...)  __builtin_memcpy(__VA_ARGS__)
#define memmove(...) __builtin_memmove(__VA_ARGS__)
#define memset(...)  __builtin_memset(__VA_ARGS__)
#define memcmp(...)  __builtin_memcmp(__VA_ARGS__)
#define strlen(...)  __builtin_strlen(__VA_ARGS__)
#endif

#ifdef PICOLX_HOSTED
void *base_memcpy(void *restrict dst, const void *restrict src, size_t size);
void *base_memmove(void *dst, const void *src, size_t size);
void *base_memset(void *dst, int byte, size_t size);
int base_memcmp(const void *a, const void *b, size_t size);
void *base_memchr(const void *p, int byte, size_t size);
size_t base_strlen(const char *s);
size_t base_strnlen(const char *s, size_t max);
int base_strcmp(const char *a, const char *b);
int base_strncmp(const char *a, const char *b, size_t max);
char *base_strchr(const char *s, int c);
char *base_strrchr(const char *s, int c);
#endif

/*
 * Copy a string with its NUL into a buffer of `size` bytes.
 *   returns  its length without the NUL, or -LX_ENAMETOOLONG if it did not fit: then dst holds
 *            the first size-1 bytes and a NUL (nothing if size is 0)
 */
s64 str_copy(char *dst, size_t size, const char *src);

/* The same for `len` bytes that need not end in a NUL and must not contain one. */
s64 str_copy_bytes(char *dst, size_t size, const char *src, size_t len);

/* True if the strings are equal. */
bool str_eq(const char *a, const char *b);

/* True if the string is equal to `len` bytes at `b`. */
bool str_eq_bytes(const char *a, const char *b, size_t len);

/* True if `s` begins with `prefix`. */
bool str_starts(const char *s, const char *prefix);

/* True if `s` ends with `suffix`. */
bool str_ends(const char *s, const char *suffix);

/*
 * Read digits from the front of a text: no sign, no space, no prefix.
 *   base     2 to 16
 *   returns  bytes used, 0 if there is no digit; *out is the value, U64_MAX if it is larger
 *            (*overflow, which may be NULL, tells this from a real U64_MAX)
 */
size_t parse_digits(const char *s, size_t len, u32 base, u64 *out, bool *overflow);

/*
 * Parse a whole text of `len` bytes as one unsigned number.
 *   base     2 to 16, or 0: 16 after "0x", 8 after "0", else 10
 *   returns  0 and *out, -LX_EINVAL empty or a byte that does not belong, -LX_ERANGE above max;
 *            *out is untouched on error
 */
__must_check int parse_u64(const char *s, size_t len, u32 base, u64 max, u64 *out);

/* The same with an optional '-' or '+' in front, for min <= value <= max. */
__must_check int parse_s64(const char *s, size_t len, u32 base, s64 min, s64 max, s64 *out);
