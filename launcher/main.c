/* SPDX-License-Identifier: Apache-2.0 */
/* lx: runs a Linux program on picolx, with this terminal, these handles and its exit status. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "launcher/connect.h"
#include "launcher/run.h"
#include "proto.h"

#define VERSION "0.1"

/* Names come from files and command lines: nothing in them may act on the terminal. */
static void put_plain(const char *s)
{
    for (; *s; s++) {
        fputc((unsigned char)*s < ' ' || *s == 0x7f ? '?' : *s, stderr);
    }
}

void complain(const char *text, const char *hint)
{
    fputs("lx: ", stderr);
    put_plain(text);
    if (hint && *hint) {
        fputs("; ", stderr);
        put_plain(hint);
    }
    fputc('\n', stderr);
}

/* Print what the manager says; its status. ASK_AGAIN: it is on its way out. */
#define ASK_AGAIN (-1)
static int show_answer(const struct packet *in)
{
    struct proto_answer a;
    struct proto_failed f;

    if (packet_head(in)->type == PROTO_AGAIN) {
        return ASK_AGAIN;
    }
    if (proto_get_answer(in->data, in->len, &a) == 0) {
        fwrite(a.text.s, 1, a.text.len, stdout);
        return fflush(stdout) == 0 ? 0 : LX_STATUS_FAILED;
    }
    if (proto_get_failed(in->data, in->len, &f) == 0) {
        complain(f.text.s, f.hint.s);
        return (int)f.code;
    }
    complain("another version of lxmanager is running", "end it with lx --shutdown and try again");
    return LX_STATUS_FAILED;
}

/* Send a small request and print its answer. */
static int ask(const struct paths *p, const void *msg, s64 len, bool start)
{
    static struct packet in;
    char why[512];
    int status = ASK_AGAIN;

    for (int i = 0; i < AGAIN_TRIES && status == ASK_AGAIN; i++) {
        int fd = manager_connect(p, start, why, sizeof(why));

        if (fd == -2) {
            return 0; /* nothing runs, nothing to end */
        }
        if (fd < 0) {
            complain(why, "");
            return fd == -3 ? LX_STATUS_RESOURCES : LX_STATUS_FAILED;
        }
        if (chan_send(fd, msg, (size_t)len, NULL, 0, 0) == 0 && chan_recv(fd, &in, 0) == 1) {
            status = show_answer(&in);
            packet_done(&in);
        } else {
            complain("the session manager ended before it answered", "try again");
            status = LX_STATUS_LOST;
        }
        close(fd);
        if (status == ASK_AGAIN) {
            again_nap();
        }
    }
    if (status == ASK_AGAIN) {
        complain("the session manager does not come to its end", "kill it and try again");
        status = LX_STATUS_LOST;
    }
    return status;
}

/* Until the manager is gone: its lock is free when the last instance is. */
static int do_shutdown(const struct paths *p)
{
    char buf[64], why[512];
    struct proto_shutdown m = {0};
    int status = ask(p, buf, proto_put_shutdown(buf, sizeof(buf), 0, &m), false);
    int fd = manager_connect(p, false, why, sizeof(why));

    if (fd >= 0) {
        close(fd); /* somebody started a new one already */
    }
    return status;
}

static int run(const struct opts *o, const struct paths *p)
{
    char buf[512];
    struct request r;
    struct proto_list list = {PROTO_VERSION};
    struct proto_status st = {PROTO_VERSION};
    struct proto_terminate end = {PROTO_VERSION, proto_str(o->terminate)};
    int status;

    switch (o->action) {
    case ACT_HELP: fputs(g_usage, stdout); return 0;
    case ACT_VERSION: printf("picolx " VERSION " (protocol %08x)\n", PROTO_VERSION); return 0;
    case ACT_LIST: return ask(p, buf, proto_put_list(buf, sizeof(buf), 0, &list), true);
    case ACT_STATUS: return ask(p, buf, proto_put_status(buf, sizeof(buf), 0, &st), true);
    case ACT_TERMINATE: return ask(p, buf, proto_put_terminate(buf, sizeof(buf), 0, &end), true);
    case ACT_SHUTDOWN: return do_shutdown(p);
    case ACT_RUN: break;
    }
    if (!request_make(&r, o, &status)) {
        return status;
    }
    return relay(&r, p);
}

int main(int argc, char **argv)
{
    static struct paths paths;
    struct opts o;
    char why[512];

    if (argc < 1 || !args_parse(&o, argv, why, sizeof(why))) {
        complain(why, "");
        return LX_STATUS_USAGE;
    }
    if (o.action != ACT_HELP && o.action != ACT_VERSION && !paths_init(&paths, why, sizeof(why))) {
        complain(why, "");
        return LX_STATUS_ROOT;
    }
    return run(&o, &paths);
}
