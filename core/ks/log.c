/* SPDX-License-Identifier: Apache-2.0 */
#include "ks/log.h"

#include "base/fmt.h"
#include "host/host.h"
#include "ks/kthread.h"

#define LINE_SIZE 512

static u32 g_klog_level = KLOG_INFO;

static const char *const level_names[] = {"error", "warning", "info", "debug"};

void klog_set_level(enum klog_level level)
{
    g_klog_level = (u32)level;
}

/* One host_log call a line: lines of different threads do not mix, and no lock is needed. */
void klog(enum klog_level level, const char *fmt, ...)
{
    char line[LINE_SIZE];
    struct fmt f;
    va_list args;

    if ((u32)level > g_klog_level) {
        return;
    }
    fmt_init(&f, line, sizeof(line) - 1); /* room for the newline */
    fmt_printf(&f, "picolx: %s: ", level_names[level]);
    va_start(args, fmt);
    fmt_vprintf(&f, fmt, args);
    va_end(args);
    line[fmt_len(&f)] = '\n';
    host_log(line, fmt_len(&f) + 1);
}

_Noreturn void panic(const char *fmt, ...)
{
    char line[LINE_SIZE];
    struct fmt f;
    va_list args;

    fmt_init(&f, line, sizeof(line));
    fmt_printf(&f, "picolx: panic on slot %u: ", kthread_self()->slot);
    va_start(args, fmt);
    fmt_vprintf(&f, fmt, args);
    va_end(args);
    host_panic(line);
}
