/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/crash/step.h"

#include <execinfo.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "host/host.h"
#include "ks/kthread.h"

#define TRAP_FLAG 0x100u
#define MAX_SHOWN 8
enum { STEP_GOOD, STEP_BAD, STEP_LOST }; /* status of a copy */
#define COPY_S 10                        /* seconds a copy may take */

/* lxcore's own instructions; mk/crash.mk puts them there */
extern const u8 __start_core_text[], __stop_core_text[];

static u32 g_slot, g_every, g_first, g_stores, g_tried, g_bad, g_lost;
static bool g_dead;
const char *g_step_what = "";

/* ------------------------------------------------------------------ what stores ------------ */

/* Opcodes of one byte with a ModRM operand that they write; by reg field where it matters. */
static bool one_byte_stores(u8 op, u8 reg)
{
    if (op < 0x40) {
        return (op & 7) < 2 && (op & 0x38) != 0x38; /* arithmetic to memory, all but cmp */
    }
    switch (op) {
    case 0x80:
    case 0x81:
    case 0x83: return reg != 7;
    case 0x86:
    case 0x87:
    case 0x88:
    case 0x89:
    case 0x8f:
    case 0xc0:
    case 0xc1:
    case 0xc6:
    case 0xc7:
    case 0xd0:
    case 0xd1:
    case 0xd2:
    case 0xd3: return true;
    case 0xf6:
    case 0xf7: return reg == 2 || reg == 3;
    case 0xfe:
    case 0xff: return reg <= 1;
    default: return false;
    }
}

static bool two_byte_stores(u8 op, u8 reg)
{
    if (op >= 0x90 && op <= 0x9f) {
        return true; /* setcc */
    }
    switch (op) {
    case 0xa4:
    case 0xa5:
    case 0xab:
    case 0xac:
    case 0xad:
    case 0xb0:
    case 0xb1:
    case 0xb3:
    case 0xbb:
    case 0xc0:
    case 0xc1:
    case 0xc3:
    case 0xc7: return true;
    case 0xba: return reg >= 5;
    default: return false;
    }
}

/* Whether the instruction at ip stores to memory that is not addressed by the stack pointer: what
 * lies in a frame is nobody else's, unless a pointer to it was given away. */
static bool stores(const u8 *ip)
{
    bool rex_b = false;
    bool two;
    u8 op, modrm;

    while (*ip == 0x66 || *ip == 0xf0 || *ip == 0xf2 || *ip == 0xf3) {
        ip++;
    }
    if ((*ip & 0xf0) == 0x40) {
        rex_b = *ip++ & 1;
    }
    two = *ip == 0x0f;
    op = ip[two];
    modrm = ip[two + 1];
    if (!two && (op == 0xa4 || op == 0xa5 || op == 0xaa || op == 0xab)) {
        return true; /* string instructions */
    }
    if (modrm >> 6 == 3 || !(two ? two_byte_stores : one_byte_stores)(op, modrm >> 3 & 7)) {
        return false;
    }
    return (modrm & 7) != 4 || (ip[two + 2] & 7) != 4 || rex_b;
}

/* ------------------------------------------------------------------ stepping --------------- */

static void show(const char *what, const u8 *ip)
{
    if (g_bad++ < MAX_SHOWN) {
        printf("# death before store %u at %p in %s: %s\n", g_stores, (const void *)ip, g_step_what,
               what);
    }
}

/* Where a copy ended: addresses for addr2line. */
static void on_fault(int sig)
{
    void *frames[40];
    int n = backtrace(frames, 40);

    printf("# signal %d at", sig);
    for (int i = 0; i < n; i++) {
        printf(" %p", frames[i]);
    }
    printf("\n");
    fflush(stdout);
    _exit(STEP_BAD);
}

static void try_here(const u8 *ip)
{
    int status = 0;
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        alarm(COPY_S);
        signal(SIGSEGV, on_fault);
        signal(SIGABRT, on_fault);
        signal(SIGALRM, on_fault);
        g_dead = true;
        host_thread_exit();
    }
    g_tried++;
    if (pid < 0 || waitpid(pid, &status, 0) != pid) {
        show("no fork", ip);
    } else if (WIFSIGNALED(status)) {
        show(strsignal(WTERMSIG(status)), ip);
    } else if (WEXITSTATUS(status) >= STEP_LOST) {
        g_lost++;
        if (getenv("CRASH_LOST")) {
            printf("# lost %d, store %u, %p, %s\n", WEXITSTATUS(status) - STEP_LOST + 1, g_stores,
                   (const void *)ip, g_step_what);
        }
    } else if (WEXITSTATUS(status) != 0) {
        show("as above", ip);
    }
}

static void on_trap(int sig, siginfo_t *si, void *context)
{
    const u8 *ip = (const u8 *)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];

    (void)sig;
    (void)si;
    if (ip < __start_core_text || ip >= __stop_core_text || kthread_self()->slot != g_slot ||
        !stores(ip)) {
        return;
    }
    if (g_every && g_stores % g_every == g_first % g_every) {
        try_here(ip);
    }
    g_stores++;
}

void step_begin(u32 every, u32 first)
{
    struct sigaction sa = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO | SA_NODEFER};

    sigaction(SIGTRAP, &sa, NULL);
    g_slot = kthread_self()->slot;
    g_every = every;
    g_first = first;
    g_stores = g_tried = g_bad = g_lost = 0;
    __asm__ volatile("pushfq; orq %0, (%%rsp); popfq" : : "i"(TRAP_FLAG) : "memory", "cc");
}

void step_end(void)
{
    __asm__ volatile("pushfq; andq %0, (%%rsp); popfq" : : "i"(~TRAP_FLAG) : "memory", "cc");
}

u32 step_stores(void)
{
    return g_stores;
}

u32 step_tried(void)
{
    return g_tried;
}

u32 step_bad(void)
{
    return g_bad;
}

u32 step_lost(void)
{
    return g_lost;
}

bool step_died(void)
{
    return g_dead;
}

void step_verdict(bool bad, u64 lost)
{
    fflush(stdout);
    _exit(bad ? STEP_BAD : lost ? STEP_LOST + (int)MIN(lost - 1, 200ul) : STEP_GOOD);
}
