/* SPDX-License-Identifier: Apache-2.0 */
/* Dynamic loading, the auxiliary vector, stack walks; in the static build what is left of it. */
#include <dlfcn.h>
#include <execinfo.h>
#include <link.h>
#include <math.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#include "gtl.h"

static int gt_helper(int argc, char **argv)
{
    return -1;
}

static int g_objects;

static int count_object(struct dl_phdr_info *info, size_t size, void *arg)
{
    g_objects++;
    return 0;
}

CASE(loaded_objects)
{
    g_objects = 0;
    dl_iterate_phdr(count_object, NULL);
    CHECK(g_objects >= 1);
}

CASE(auxiliary_vector)
{
    EQ(getauxval(AT_PAGESZ), 4096);
    CHECK(getauxval(AT_RANDOM) != 0);
    CHECK(getauxval(AT_SYSINFO_EHDR) != 0);
    EQ(getauxval(AT_SECURE), 0);
}

#ifdef __PIC__
CASE(open_a_library)
{
    void *h = dlopen("libm.so.6", RTLD_NOW);
    if (h == NULL) {
        SKIP("static program");
    }
    union {
        void *p;
        double (*fn)(double);
    } u = {dlsym(h, "cbrt")};
    NEED(u.p != NULL);
    EQ((long)(u.fn(27.0) + 0.5), 3);
    EQ(dlclose(h), 0);
    CHECK(dlopen("libnothing-of-this-name.so", RTLD_NOW) == NULL);
    CHECK(dlerror() != NULL);
}
#endif

CASE(stack_walk)
{
    void *frames[16];
    CHECK(backtrace(frames, 16) >= 1);
}

CASE(many_mappings)
{
    for (int i = 0; i < 2000; i++) {
        void *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        *(volatile char *)p = 1;
        munmap(p, 8192);
    }
}

CASE(big_memory)
{
    size_t n = 64ul << 20;
    char *p = malloc(n);
    NEED(p != NULL);
    for (size_t i = 0; i < n; i += 4096) {
        p[i] = (char)(i >> 12);
    }
    long bad = 0;
    for (size_t i = 0; i < n; i += 4096) {
        bad += p[i] != (char)(i >> 12);
    }
    EQ(bad, 0);
    p = realloc(p, 2 * n);
    NEED(p != NULL);
    EQ(p[4096 * 5], 5);
    free(p);
}

CASE(floating_point)
{
    volatile double x = 2.0;
    CHECK(fabs(sqrt(x) - 1.41421356237) < 1e-9);
    char buf[32];
    snprintf(buf, sizeof(buf), "%.10g", exp(1.0) * pow(x, 0.5));
    STR(buf, "3.844231028");
}
