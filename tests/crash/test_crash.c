/* SPDX-License-Identifier: Apache-2.0 */
/* A process is killed at every store of what it does: nothing is torn, nothing is left. */
#include <sys/wait.h>
#include <unistd.h>

#include "tests/crash/step.h"
#include "tests/crash/world.h"
#include "tests/unit/unit.h"

/* Each scene in a process of its own. CRASH_MAX: places tried in one, 0 all. */
static void kill_in(const struct scene *s)
{
    const char *max = getenv("CRASH_MAX");
    u32 limit = max ? (u32)strtoul(max, NULL, 0) : 250;
    int status = -1;
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        u32 stores = 0, tried = 0;
        bool ok = true;
        u32 every = 1;

        if (limit) {
            /* count first, in a process of its own */
            int fd[2];
            if (pipe(fd) < 0 || (pid = fork()) < 0) {
                _exit(3);
            }
            if (pid == 0) {
                ok = world_kill(s, 0, 0, &stores, &tried);
                _exit(write(fd[1], &stores, sizeof(stores)) < 0 || !ok);
            }
            waitpid(pid, &status, 0);
            if (status != 0 || read(fd[0], &stores, sizeof(stores)) != sizeof(stores)) {
                printf("# %s: wrong without any death\n", s->name);
                fflush(stdout);
                _exit(2);
            }
            every = MAX(1u, stores / limit);
        }
        ok = world_kill(s, every, (u32)unit_rand_below(every), &stores, &tried);
        printf("# %s: %u deaths, %u stores, %u lost something\n", s->name, tried, stores,
               step_lost());
        fflush(stdout);
        _exit(!ok);
    }
    waitpid(pid, &status, 0);
    CHECK_EQ(status, 0);
}

#define SCENE(n)                                                                                   \
    extern const struct scene g_scene_##n;                                                         \
    UNIT_TEST(n)                                                                                   \
    {                                                                                              \
        kill_in(&g_scene_##n);                                                                     \
    }
#include "tests/crash/scenes.h"
