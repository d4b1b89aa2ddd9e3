/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unit test harness: one program per test file, cases in the order of the file, output in TAP.
 *
 *     UNIT_TEST(list_keeps_order)
 *     {
 *         CHECK(list_empty(&l));
 *         CHECK_EQ(list_count(&l), 3);
 *     }
 *
 * A failed check is printed and counted, and the case goes on; REQUIRE leaves the case.
 * Arguments: names of cases to run (all by default). Environment: PICOLX_SEED seeds unit_rand
 * (the seed in use is printed); PICOLX_RESULTS names a file to which `unit:<file> PASSED FAILED`
 * is appended. Exit status 1 if a case failed.
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/types.h"

#define UNIT_MAX_CASES   256
#define UNIT_MAX_REPORTS 10 /* failed checks printed per case; the rest are only counted */

struct unit_case {
    const char *name;
    void (*run)(void);
};

static struct unit_case unit_cases[UNIT_MAX_CASES];
static size_t unit_case_count;
static size_t unit_failed_checks; /* of the running case */
static u64 unit_seed_;
static u64 unit_rand_state;

static void unit_register(const char *name, void (*run)(void))
{
    if (unit_case_count == UNIT_MAX_CASES) {
        fprintf(stderr, "more than %d cases\n", UNIT_MAX_CASES);
        abort();
    }
    unit_cases[unit_case_count].name = name;
    unit_cases[unit_case_count].run = run;
    unit_case_count++;
}

/* Define a case; the body follows. */
#define UNIT_TEST(name)                                                                            \
    static void unit_case_##name(void);                                                            \
    __attribute__((constructor)) static void unit_register_##name(void)                            \
    {                                                                                              \
        unit_register(#name, unit_case_##name);                                                    \
    }                                                                                              \
    static void unit_case_##name(void)

/* Note a failed check; true if it is to be printed. */
static inline bool unit_fail(void)
{
    return ++unit_failed_checks <= UNIT_MAX_REPORTS;
}

static inline bool unit_check(bool ok, const char *file, int line, const char *what)
{
    if (!ok && unit_fail()) {
        printf("# %s:%d: failed: %s\n", file, line, what);
    }
    return ok;
}

static inline bool unit_check_eq(long long a, long long b, const char *file, int line,
                                 const char *what)
{
    if (a != b && unit_fail()) {
        printf("# %s:%d: failed: %s: %lld (0x%llx) is not %lld (0x%llx)\n", file, line, what, a,
               (unsigned long long)a, b, (unsigned long long)b);
    }
    return a == b;
}

static inline bool unit_check_str(const char *a, const char *b, const char *file, int line,
                                  const char *what)
{
    bool ok = a && b && strcmp(a, b) == 0;

    if (!ok && unit_fail()) {
        printf("# %s:%d: failed: %s: \"%s\" is not \"%s\"\n", file, line, what, a ? a : "(null)",
               b ? b : "(null)");
    }
    return ok;
}

/* Each returns whether it held, so a loop can stop: `if (!CHECK(…)) break;` (or ignore it). */
#define CHECK(...) unit_check((__VA_ARGS__), __FILE__, __LINE__, #__VA_ARGS__)
#define CHECK_EQ(a, b)                                                                             \
    unit_check_eq((long long)(a), (long long)(b), __FILE__, __LINE__, #a " == " #b)
#define CHECK_STR(a, b) unit_check_str((a), (b), __FILE__, __LINE__, #a " == " #b)

/* A check without which the rest of the case makes no sense. */
#define REQUIRE(...)                                                                               \
    do {                                                                                           \
        if (!CHECK(__VA_ARGS__)) {                                                                 \
            return;                                                                                \
        }                                                                                          \
    } while (0)

/* Next of a sequence of pseudo-random numbers that begins anew, from the seed, in each case. */
static inline u64 unit_rand(void)
{
    u64 z = unit_rand_state += 0x9e3779b97f4a7c15ull;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}

/* One of the numbers below `bound`. */
static inline u64 unit_rand_below(u64 bound)
{
    return unit_rand() % bound;
}

static inline bool unit_wanted(const char *name, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], name) == 0) {
            return true;
        }
    }
    return argc < 2;
}

/* Append `unit:<file> PASSED FAILED` to the results file, if there is one. */
static inline int unit_report(const char *source, size_t passed, size_t failed)
{
    const char *results = getenv("PICOLX_RESULTS");
    const char *slash = strrchr(source, '/');
    const char *name = slash ? slash + 1 : source;
    const char *dot = strrchr(name, '.');
    int len = (int)(dot ? (size_t)(dot - name) : strlen(name));
    FILE *f;

    if (!results || !*results) {
        return 0;
    }
    f = fopen(results, "a");
    if (!f) {
        perror(results);
        return 1;
    }
    fprintf(f, "unit:%.*s %zu %zu\n", len, name, passed, failed);
    return fclose(f) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    const char *seed = getenv("PICOLX_SEED");
    size_t number = 0;
    size_t failed = 0;

    setvbuf(stdout, NULL, _IOLBF, 0);
    unit_seed_ = seed ? strtoull(seed, NULL, 0) : 1;
    printf("# seed %llu\n", unit_seed_);
    for (size_t i = 0; i < unit_case_count; i++) {
        if (!unit_wanted(unit_cases[i].name, argc, argv)) {
            continue;
        }
        unit_failed_checks = 0;
        unit_rand_state = unit_seed_;
        unit_cases[i].run();
        number++;
        failed += unit_failed_checks != 0;
        printf("%sok %zu - %s\n", unit_failed_checks ? "not " : "", number, unit_cases[i].name);
    }
    printf("1..%zu\n", number);
    if (unit_report(__BASE_FILE__, number - failed, failed)) {
        return 1;
    }
    return failed || number == 0 ? 1 : 0;
}
