/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract of host/host.h on host/fake (hosted) and on the Linux backend. There the suite is
 * the supervisor of an instance without processes.
 *     test_host.linux [FOLDER]    works in a new folder there or in /tmp; TAP on descriptor 1
 */
#include "tests/host/suite.h"

#ifdef PICOLX_HOSTED
#include <stdio.h>

#include "host/fake/fake.h"

static void print_line(const char *line)
{
    puts(line);
}

int main(void)
{
    host_handle root;
    u32 failed;

    host_root_open("/", &root);
    failed = host_suite_run(root, print_line);
    host_handle_close(root);
    if (fake_open_handles()) {
        printf("# %u handles left open\n", fake_open_handles());
        failed++;
    }
    return failed != 0;
}

#else

#include "base/fmt.h"
#include "base/str.h"
#include "host/boot.h"

static void print_line(const char *line)
{
    struct host_iov iov[2] = {{(u64)(uintptr_t)line, strlen(line)}, {(u64)(uintptr_t) "\n", 1}};
    s64 r = host_chan_write(1, iov, 2, true);

    (void)r;
}

_Noreturn void boot_main(struct boot_params *p)
{
    static const struct host_upcalls none;
    const char *top = p->argc == 2 ? p->argv[1] : "/tmp";
    char name[32];
    host_handle above;
    host_handle dir;
    u32 failed;

    g_upcalls = &none;
    fmt_snprintf(name, sizeof(name), "lxsuite.%u", host_slot_pid(0));
    if (host_root_open(top, &above) < 0 || host_path_make(above, name, HOST_DIR, 0700, NULL) < 0 ||
        host_file_open(above, name, HOST_O_READ | HOST_O_DIR, 0, &dir) < 0) {
        print_line("Bail out! cannot make a folder in /tmp (or the one given)");
        host_instance_exit(2);
    }
    failed = host_suite_run(dir, print_line);
    host_handle_close(dir);
    if (host_path_remove(above, name, true) < 0) {
        print_line("# the folder is not empty afterwards");
        failed++;
    }
    host_instance_exit(failed != 0);
}

/* There is no gate here whose text would need it. */
void gate_patch_text(bool pku, u32 pkru_open, u32 pkru_user)
{
    (void)pku;
    (void)pkru_open;
    (void)pkru_user;
}

#endif
