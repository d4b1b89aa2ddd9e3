/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a fuzz target without libFuzzer: every file of its corpus, then g_fuzz_runs mutations of
 * them, the same ones each time. An input that ends the program is kept beside the program.
 *
 *     fuzz_NAME [CORPUS]         CORPUS: a folder or a file; tests/fuzz/corpus/NAME by default
 *     PICOLX_SEED=N fuzz_NAME    other mutations; PICOLX_RUNS=N another number of them
 */
#include "fuzz.h"

#include <dirent.h>
#include <sanitizer/asan_interface.h>
#include <sys/stat.h>

#define MAX_INPUTS 512
#define MAX_SIZE   8192

struct input {
    u8 *bytes;
    size_t size;
};

static struct input g_inputs[MAX_INPUTS];
static size_t g_n_inputs;
static const char *g_program;
static struct input g_now; /* what the target works on */
static u64 g_random;

static u64 next_random(void)
{
    u64 z = g_random += 0x9e3779b97f4a7c15ull;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}

static u64 below(u64 bound)
{
    return next_random() % bound;
}

const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "handle_abort=1";
}

const char *__ubsan_default_options(void);
const char *__ubsan_default_options(void)
{
    return "print_stacktrace=1";
}

/* The program dies: keep the input. */
static void keep_input(void)
{
    char path[4200];
    FILE *f;

    snprintf(path, sizeof(path), "%s.crash", g_program);
    f = fopen(path, "w");
    if (f) {
        fwrite(g_now.bytes, 1, g_now.size, f);
        fclose(f);
        fprintf(stderr, "input (%zu bytes) kept in %s\n", g_now.size, path);
    }
}

/* ... also for what only the other sanitizer sees, which dies without calling back */
void __ubsan_on_report(void);
void __ubsan_on_report(void)
{
    keep_input();
}

/* A copy of exactly its size, so that a read behind it is seen. */
static void run(const u8 *bytes, size_t size)
{
    u8 *exact = malloc(size ? size : 1);

    memcpy(exact, bytes, size);
    g_now = (struct input){exact, size};
    LLVMFuzzerTestOneInput(exact, size);
    g_now = (struct input){NULL, 0};
    free(exact);
}

static void add_file(const char *path)
{
    struct input *in = &g_inputs[g_n_inputs];
    FILE *f = fopen(path, "r");

    if (!f || g_n_inputs == MAX_INPUTS) {
        fprintf(stderr, "%s: cannot be read, or too many\n", path);
        exit(1);
    }
    in->bytes = malloc(MAX_SIZE);
    in->size = fread(in->bytes, 1, MAX_SIZE, f);
    fclose(f);
    g_n_inputs++;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int shown(const struct dirent *e)
{
    return e->d_name[0] != '.';
}

/* Not every target has a corpus. */
static void add_all(const char *path)
{
    struct dirent **names;
    struct stat st;
    int n;

    if (stat(path, &st) == 0 && !S_ISDIR(st.st_mode)) {
        add_file(path);
        return;
    }
    n = scandir(path, &names, shown, by_name);
    for (int i = 0; i < n; i++) {
        char full[8192];

        snprintf(full, sizeof(full), "%s/%s", path, names[i]->d_name);
        add_file(full);
        free(names[i]);
    }
    if (n >= 0) {
        free(names);
    }
}

static u8 byte(void)
{
    static const u8 edges[] = {0, 1, 2, 0x7f, 0x80, 0xff, '/', '.', '\n'};

    return below(3) ? (u8)next_random() : edges[below(sizeof(edges))];
}

/* Change in place, size being what is used of MAX_SIZE; the new size. */
static size_t mutate(u8 *p, size_t size)
{
    size_t at = size ? below(size) : 0;
    size_t n = 1 + below(below(4) ? 8 : 64);

    switch (below(6)) {
    case 0: /* insert */
        n = n < MAX_SIZE - size ? n : MAX_SIZE - size;
        memmove(p + at + n, p + at, size - at);
        for (size_t i = 0; i < n; i++) {
            p[at + i] = byte();
        }
        return size + n;
    case 1: /* remove */
        n = n < size - at ? n : size - at;
        memmove(p + at, p + at + n, size - at - n);
        return size - n;
    case 2: /* a piece of another input */
        if (g_n_inputs) {
            const struct input *in = &g_inputs[below(g_n_inputs)];
            size_t from = in->size ? below(in->size) : 0;

            n = in->size - from < MAX_SIZE - at ? in->size - from : MAX_SIZE - at;
            n = n ? 1 + below(n) : 0;
            memcpy(p + at, in->bytes + from, n);
            return at + n > size ? at + n : size;
        }
        return size;
    case 3: /* a bit */
        if (size) {
            p[at] ^= (u8)(1u << below(8));
        }
        return size;
    default:
        for (size_t i = at; i < size && i < at + n; i++) {
            p[i] = byte();
        }
        return size;
    }
}

static void run_mutation(void)
{
    static u8 buf[MAX_SIZE];
    size_t size = 0;

    if (g_n_inputs && below(8)) {
        const struct input *in = &g_inputs[below(g_n_inputs)];

        size = in->size;
        memcpy(buf, in->bytes, size);
        for (u64 n = 1 + below(6); n--;) {
            size = mutate(buf, size);
        }
    } else {
        size = below(below(4) ? 256 : 2048);
        for (size_t i = 0; i < size; i++) {
            buf[i] = byte();
        }
    }
    run(buf, size);
}

int main(int argc, char **argv)
{
    const char *seed = getenv("PICOLX_SEED");
    const char *runs = getenv("PICOLX_RUNS");
    const char *what = strrchr(argv[0], '/');
    u64 n = runs ? strtoull(runs, NULL, 0) : g_fuzz_runs;
    char corpus[4096];

    g_program = argv[0];
    g_random = seed ? strtoull(seed, NULL, 0) : 1;
    what = what ? what + 1 : argv[0];
    snprintf(corpus, sizeof(corpus), "tests/fuzz/corpus/%s",
             strncmp(what, "fuzz_", 5) == 0 ? what + 5 : what);
    __sanitizer_set_death_callback(keep_input);
    add_all(argc > 1 ? argv[1] : corpus);
    run((const u8 *)"", 0);
    for (size_t i = 0; i < g_n_inputs; i++) {
        run(g_inputs[i].bytes, g_inputs[i].size);
    }
    for (u64 i = 0; i < n; i++) {
        run_mutation();
    }
    printf("# %zu files of the corpus, %llu mutations\n", g_n_inputs, (unsigned long long)n);
    for (size_t i = 0; i < g_n_inputs; i++) {
        free(g_inputs[i].bytes);
    }
    return 0;
}
