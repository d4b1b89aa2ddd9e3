/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random but repeatable sequences of system calls, for tests/mix/run.py: the same seed makes the
 * same calls natively and under lx, and what they print must be equal. A theme is a family of calls
 * over a small world (a few names, descriptors, pages), small enough that the calls meet.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* One kind of step. `weight`: how often, beside the others of its theme. */
struct step {
    void (*run)(void);
    unsigned weight;
};

/* begin() makes the world, end() (may be NULL) leaves the folder empty for the next seed; look()
 * (may be NULL) says the world's state after each step, when a difference is looked for. */
struct theme {
    const char *name;
    void (*begin)(void);
    void (*end)(void);
    void (*look)(void);
    const struct step *steps; /* ends with run == NULL */
};

extern const struct theme g_theme_files, g_theme_pipes, g_theme_memory, g_theme_sockets,
    g_theme_processes;

/* A number below n (n > 0). */
uint32_t mix_below(uint32_t n);

/* True once in n. */
int mix_once_in(uint32_t n);

/* One of the elements of an array of ints or longs. */
#define MIX_ONE(array) ((array)[mix_below(sizeof(array) / sizeof((array)[0]))])

/* Some of these bits, each with one chance in two. */
unsigned mix_bits(unsigned mask);

/* Adds to the line of this step. */
void mix_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Says what a call returned: a number, or the error's. Returns `result`; -1 means errno. */
long mix_result(long result);

/* Says a sum over bytes, so that contents can be compared. */
void mix_bytes(const void *bytes, size_t n);

/* A world that cannot be made is no result: says why and exits. */
void mix_must(int ok, const char *what);
