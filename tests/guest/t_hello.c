/* SPDX-License-Identifier: Apache-2.0 */
/* covers: write exit exit_group getpid getppid gettid brk read close */
#include "gt.h"

/* `t_hello hello` is the smallest program there is: it prints and leaves. */
int gt_helper(int argc, char **argv)
{
    if (strcmp(argv[1], "hello") == 0) {
        gt_print("hello, world\n");
        return argc == 3 ? (int)gt_atol(argv[2]) : 0;
    }
    return -1;
}

CASE(write_basic)
{
    EQ(sc(write, 1, "# hi\n", 5), 5);
    EQ(sc(write, 1, "", 0), 0);
    ERR(sc(write, -1, "x", 1), EBADF);
    ERR(sc(write, 9999, "x", 1), EBADF);
}

CASE(unknown_call)
{
    ERR(scn(9999), ENOSYS);
    ERR(scn(-1), ENOSYS);
    ERR(scn(0x7fffffff), ENOSYS);
}

CASE(args_and_stack)
{
    CHECK(gt_argc >= 1);
    CHECK(gt_argv[gt_argc] == NULL);
    CHECK(((uintptr_t)gt_argv & 7) == 0);
    CHECK((((uintptr_t)gt_argv - 8) & 15) == 0);
}

CASE(pids)
{
    long pid = sc(getpid);
    CHECK(pid > 0);
    EQ(sc(gettid), pid);
    CHECK(sc(getppid) >= 0);
}

CASE(exit_codes)
{
    static const int codes[] = {0, 1, 42, 127, 255, 256, 257, -1};
    for (size_t i = 0; i < COUNT(codes); i++) {
        long pid = gt_fork();
        if (pid == 0) {
            sc(exit_group, codes[i]);
        }
        EQ(gt_wait(pid), STATUS_EXIT(codes[i] & 0xff));
        pid = gt_fork();
        if (pid == 0) {
            sc(exit, codes[i]);
        }
        EQ(gt_wait(pid), STATUS_EXIT(codes[i] & 0xff));
    }
}

CASE(brk_moves)
{
    unsigned long cur = (unsigned long)sc(brk, 0);
    CHECK(cur != 0);
    EQ(sc(brk, cur + 3 * PAGE), cur + 3 * PAGE);
    char *p = (char *)cur;
    for (size_t i = 0; i < 3 * PAGE; i += 64) {
        EQ(p[i], 0);
        p[i] = 7;
    }
    EQ(sc(brk, cur + PAGE), cur + PAGE);
    EQ(sc(brk, cur + 3 * PAGE), cur + 3 * PAGE);
    EQ(p[2 * PAGE + 64], 0);
    EQ(sc(brk, cur), cur);
    EQ(sc(brk, 1), cur);
    EQ(sc(brk, ~0ul), cur);
    EQ(sc(brk, 0x680000000000ul), cur);
}

CASE(number_is_64_bit_extended)
{
    /* The kernel takes the number from eax as a signed int. */
    long ret;
    __asm__ volatile("syscall"
                     : "=a"(ret)
                     : "0"(0x100000000l | __NR_getpid)
                     : "rcx", "r11", "memory");
    CHECK(ret == sc(getpid) || ret == -ENOSYS);
}
