/* SPDX-License-Identifier: Apache-2.0 */
/* The case table and checks of gt.h for programs with a libc: include it once, in the only file. */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct gt_case {
    const char *name;
    void (*fn)(void);
    struct gt_case *next;
};

static struct gt_case *gt_cases;
static struct gt_case **gt_tail = &gt_cases;
static _Atomic int gt_failures;
static const char *gt_skipped;

#define CASE(id)                                                                                   \
    static void case_##id(void);                                                                   \
    static struct gt_case gt_entry_##id = {#id, case_##id, NULL};                                  \
    static void __attribute__((constructor)) gt_add_##id(void)                                     \
    {                                                                                              \
        *gt_tail = &gt_entry_##id;                                                                 \
        gt_tail = &gt_entry_##id.next;                                                             \
    }                                                                                              \
    static void case_##id(void)

static void __attribute__((unused))
gt_fail(int line, const char *what, long got, long want, int show)
{
    gt_failures++;
    if (show) {
        printf("# line %d: %s: got %ld, want %ld (errno %d %s)\n", line, what, got, want, errno,
               strerror(errno));
    } else {
        printf("# line %d: failed: %s (errno %d %s)\n", line, what, errno, strerror(errno));
    }
    fflush(stdout);
}

#define CHECK(cond) ((cond) ? (void)0 : gt_fail(__LINE__, #cond, 0, 0, 0))
#define EQ(expr, value)                                                                            \
    ({                                                                                             \
        long gt_g = (long)(expr), gt_w = (long)(value);                                            \
        if (gt_g != gt_w) {                                                                        \
            gt_fail(__LINE__, #expr, gt_g, gt_w, 1);                                               \
        }                                                                                          \
        gt_g == gt_w;                                                                              \
    })
#define STR(a, b)                                                                                  \
    ({                                                                                             \
        if (strcmp((a), (b)) != 0) {                                                               \
            printf("# line %d: got \"%s\", want \"%s\"\n", __LINE__, (a), (b));                    \
            gt_fail(__LINE__, #a, 0, 0, 0);                                                        \
        }                                                                                          \
    })
#define NEED(cond)                                                                                 \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            gt_fail(__LINE__, #cond, 0, 0, 0);                                                     \
            return;                                                                                \
        }                                                                                          \
    } while (0)
#define SKIP(why)                                                                                  \
    do {                                                                                           \
        gt_skipped = (why);                                                                        \
        return;                                                                                    \
    } while (0)

static int gt_helper(int argc, char **argv);

static bool gt_wanted(int argc, char **argv, const char *name)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], name) == 0) {
            return true;
        }
    }
    return argc < 2;
}

int main(int argc, char **argv)
{
    int plan = 0;
    int at = 0;
    int bad = 0;
    int code = argc > 1 ? gt_helper(argc, argv) : -1;
    if (code >= 0) {
        return code;
    }
    bool list = argc == 2 && strcmp(argv[1], "--list") == 0;
    for (struct gt_case *c = gt_cases; c != NULL; c = c->next) {
        plan += gt_wanted(argc, argv, c->name);
        if (list) {
            printf("%s\n", c->name);
        }
    }
    if (list) {
        return 0;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("1..%d\n", plan);
    for (struct gt_case *c = gt_cases; c != NULL; c = c->next) {
        if (!gt_wanted(argc, argv, c->name)) {
            continue;
        }
        gt_failures = 0;
        gt_skipped = NULL;
        c->fn();
        at++;
        bad += gt_failures != 0;
        printf("%s %d - %s%s%s\n", gt_failures != 0 ? "not ok" : "ok", at, c->name,
               gt_skipped != NULL ? " # SKIP " : "", gt_skipped != NULL ? gt_skipped : "");
    }
    return bad != 0;
}
