/* SPDX-License-Identifier: Apache-2.0 */
/*
 *     mix THEME SEED STEPS [SEEDS [look]]
 *
 * Runs the theme's steps, one line each, for SEEDS seeds from SEED on (1 when not given).
 */
#include "mix.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct theme *const g_themes[] = {&g_theme_files, &g_theme_pipes, &g_theme_memory,
                                               &g_theme_sockets, &g_theme_processes};
static uint64_t g_state;
static char g_line[16384];
static size_t g_used;

/* xorshift64*: small and the same everywhere */
static uint32_t next(void)
{
    g_state ^= g_state >> 12;
    g_state ^= g_state << 25;
    g_state ^= g_state >> 27;
    return (uint32_t)((g_state * 2685821657736338717ULL) >> 32);
}

uint32_t mix_below(uint32_t n)
{
    return (uint32_t)(((uint64_t)next() * n) >> 32);
}

int mix_once_in(uint32_t n)
{
    return mix_below(n) == 0;
}

unsigned mix_bits(unsigned mask)
{
    return mask & next();
}

void mix_say(const char *format, ...)
{
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(g_line + g_used, sizeof(g_line) - g_used, format, args);
    va_end(args);
    if (n > 0) {
        g_used += (size_t)n;
    }
    if (g_used >= sizeof(g_line)) {
        g_used = sizeof(g_line) - 1;
    }
}

long mix_result(long result)
{
    if (result == -1) {
        mix_say(" = E%d", errno);
    } else {
        mix_say(" = %ld", result);
    }
    return result;
}

void mix_bytes(const void *bytes, size_t n)
{
    const unsigned char *p = bytes;
    uint32_t sum = 2166136261U; /* FNV-1a */

    for (size_t i = 0; i < n; i++) {
        sum = (sum ^ p[i]) * 16777619U;
    }
    mix_say(" #%08x", sum);
}

void mix_must(int ok, const char *what)
{
    if (!ok) {
        printf("mix: %s: %s\n", what, strerror(errno));
        fflush(stdout);
        _exit(3);
    }
}

static void put_line(void)
{
    g_line[g_used] = '\n';
    for (size_t done = 0; done < g_used + 1;) {
        ssize_t n = write(1, g_line + done, g_used + 1 - done);

        if (n <= 0) {
            _exit(4);
        }
        done += (size_t)n;
    }
    g_used = 0;
}

static const struct step *choose(const struct theme *theme)
{
    unsigned sum = 0, at;
    const struct step *s;

    for (s = theme->steps; s->run; s++) {
        sum += s->weight;
    }
    at = mix_below(sum);
    for (s = theme->steps; at >= s->weight; s++) {
        at -= s->weight;
    }
    return s;
}

static void one_seed(const struct theme *theme, unsigned long seed, unsigned long steps, int look)
{
    g_state = seed * 0x9e3779b97f4a7c15ULL + 1;
    next();
    mix_say("=== %s %lu", theme->name, seed);
    put_line();
    theme->begin();
    for (unsigned long i = 0; i < steps; i++) {
        mix_say("%lu ", i);
        choose(theme)->run();
        if (look && theme->look) {
            mix_say(" |");
            theme->look();
        }
        put_line();
    }
    if (theme->end) {
        theme->end();
    }
}

int main(int argc, char **argv)
{
    if (argc >= 4) {
        unsigned long seed = strtoul(argv[2], NULL, 0), steps = strtoul(argv[3], NULL, 0);
        unsigned long seeds = argc > 4 ? strtoul(argv[4], NULL, 0) : 1;

        for (unsigned t = 0; t < sizeof(g_themes) / sizeof(g_themes[0]); t++) {
            if (strcmp(g_themes[t]->name, argv[1]) != 0) {
                continue;
            }
            umask(022);
            for (unsigned long i = 0; i < seeds; i++) {
                one_seed(g_themes[t], seed + i, steps, argc > 5);
            }
            return 0;
        }
    }
    fprintf(stderr, "usage: mix THEME SEED STEPS [SEEDS [look]]\n");
    return 2;
}
