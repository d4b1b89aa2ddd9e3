/* SPDX-License-Identifier: Apache-2.0 */
/* Files with libc: stdio, directories, temporary files, globbing, locale, users, names, shared
 * memory. */
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <locale.h>
#include <netdb.h>
#include <pwd.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <termios.h>
#include <wchar.h>

#include "gtl.h"

static int gt_helper(int argc, char **argv)
{
    return -1;
}

CASE(stdio)
{
    char line[64];
    FILE *f = fopen("stdio", "w+");
    NEED(f != NULL);
    for (int i = 0; i < 10000; i++) {
        fprintf(f, "line %d\n", i);
    }
    rewind(f);
    int n = 0;
    int bad = 0;
    while (fgets(line, sizeof(line), f) != NULL) {
        bad += atoi(line + 5) != n++;
    }
    EQ(n, 10000);
    EQ(bad, 0);
    EQ(fseek(f, -10, SEEK_END), 0);
    CHECK(fgets(line, sizeof(line), f) != NULL);
    STR(line, "line 9999\n");
    CHECK(fgets(line, sizeof(line), f) == NULL);
    CHECK(feof(f));
    EQ(fclose(f), 0);
    f = fopen("stdio", "a");
    EQ(ftell(f), 0 + ftell(f));
    fputs("more", f);
    fclose(f);
    struct stat st;
    EQ(stat("stdio", &st), 0);
    EQ(st.st_size, 98890 + 4);
}

CASE(memory_streams)
{
    char *p = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&p, &n);
    fprintf(f, "%d %s %.3f", 42, "text", 3.14159);
    fclose(f);
    STR(p, "42 text 3.142");
    free(p);
    char buf[32];
    f = fmemopen(buf, sizeof(buf), "w");
    fputs("mem", f);
    fclose(f);
    STR(buf, "mem");
}

CASE(temporary_files)
{
    char name[] = "tmpXXXXXX";
    int fd = mkstemp(name);
    CHECK(fd >= 0);
    struct stat st;
    EQ(fstat(fd, &st), 0);
    EQ(st.st_mode & 0777, 0600);
    close(fd);
    char dir[] = "dirXXXXXX";
    CHECK(mkdtemp(dir) != NULL);
    EQ(rmdir(dir), 0);
    FILE *f = tmpfile();
    NEED(f != NULL);
    fputs("x", f);
    fclose(f);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int not_dots(const struct dirent *d)
{
    return d->d_name[0] != '.';
}

static int g_files, g_dirs;

static int visit(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    g_files += type == FTW_F;
    g_dirs += type == FTW_D;
    return 0;
}

CASE(directories)
{
    char path[64];
    mkdir("tree", 0755);
    for (int i = 0; i < 20; i++) {
        snprintf(path, sizeof(path), "tree/d%02d", i);
        EQ(mkdir(path, 0755), 0);
        for (int k = 0; k < 10; k++) {
            snprintf(path, sizeof(path), "tree/d%02d/f%d.txt", i, k);
            close(open(path, O_WRONLY | O_CREAT, 0644));
        }
    }
    struct dirent **list;
    EQ(scandir("tree", &list, not_dots, by_name), 20);
    STR(list[0]->d_name, "d00");
    STR(list[19]->d_name, "d19");
    DIR *d = opendir("tree");
    NEED(d != NULL);
    long where = 0;
    int n = 0;
    while (readdir(d) != NULL) {
        if (++n == 5) {
            where = telldir(d);
        }
    }
    EQ(n, 22);
    seekdir(d, where);
    n = 0;
    while (readdir(d) != NULL) {
        n++;
    }
    EQ(n, 17);
    closedir(d);
    g_files = g_dirs = 0;
    EQ(nftw("tree", visit, 8, FTW_PHYS), 0);
    EQ(g_files, 200);
    EQ(g_dirs, 21);
    glob_t g;
    EQ(glob("tree/d0*/f[1-3].txt", 0, NULL, &g), 0);
    EQ(g.gl_pathc, 30);
    STR(g.gl_pathv[0], "tree/d00/f1.txt");
    globfree(&g);
    char real[4096];
    EQ(symlink("tree/d05/../d06", "link"), 0);
    CHECK(realpath("link/f1.txt", real) != NULL);
    CHECK(strstr(real, "/tree/d06/f1.txt") != NULL);
    for (int i = 0; i < 20; i++) {
        free(list[i]);
    }
    free(list);
}

CASE(users_and_names)
{
    struct utsname u;
    char host[256];
    EQ(uname(&u), 0);
    EQ(gethostname(host, sizeof(host)), 0);
    STR(host, u.nodename);
    struct statvfs v;
    EQ(statvfs(".", &v), 0);
    CHECK(v.f_namemax >= 255);
    CHECK(sysconf(_SC_NPROCESSORS_ONLN) >= 1);
    EQ(sysconf(_SC_PAGESIZE), 4096);
    CHECK(sysconf(_SC_OPEN_MAX) > 0);
    EQ(pathconf(".", _PC_NAME_MAX), 255);
    CHECK(ttyname(0) == NULL || isatty(0));
}

CASE(time_zones)
{
    struct tm tm;
    time_t t = 1000000000;
    char buf[64];
    setenv("TZ", "UTC", 1);
    tzset();
    gmtime_r(&t, &tm);
    strftime(buf, sizeof(buf), "%Y-%m-%d %H:%M:%S", &tm);
    STR(buf, "2001-09-09 01:46:40");
    setenv("TZ", "Europe/Berlin", 1);
    tzset();
    localtime_r(&t, &tm);
    CHECK(tm.tm_hour == 3 || tm.tm_hour == 1);
    CHECK(setlocale(LC_ALL, "C.UTF-8") != NULL);
    wchar_t w[8];
    EQ(mbstowcs(w, "\xc3\xa4\xe2\x82\xac", 8), 2);
    EQ(w[1], 0x20ac);
}

CASE(shared_memory_and_semaphores)
{
    char name[64];
    snprintf(name, sizeof(name), "/gt-shm-%d", getpid());
    int fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (fd < 0 && (errno == ENOENT || errno == EACCES || errno == ENOSYS)) {
        SKIP("no /dev/shm");
    }
    CHECK(fd >= 0);
    EQ(ftruncate(fd, 4096), 0);
    int *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    NEED(p != MAP_FAILED);
    EQ(shm_unlink(name), 0);
    sem_t *s = (sem_t *)(p + 16);
    EQ(sem_init(s, 1, 0), 0);
    pid_t pid = fork();
    if (pid == 0) {
        p[0] = 77;
        sem_post(s);
        _exit(0);
    }
    EQ(sem_wait(s), 0);
    EQ(p[0], 77);
    waitpid(pid, NULL, 0);
    snprintf(name, sizeof(name), "/gt-sem-%d", getpid());
    sem_t *named = sem_open(name, O_CREAT | O_EXCL, 0600, 1);
    NEED(named != SEM_FAILED);
    EQ(sem_wait(named), 0);
    EQ(sem_trywait(named), -1);
    EQ(errno, EAGAIN);
    EQ(sem_close(named), 0);
    EQ(sem_unlink(name), 0);
}

CASE(pty_with_libc)
{
    int m = posix_openpt(O_RDWR | O_NOCTTY);
    if (m < 0) {
        SKIP("no ptmx");
    }
    EQ(grantpt(m), 0);
    EQ(unlockpt(m), 0);
    char *name = ptsname(m);
    NEED(name != NULL);
    int s = open(name, O_RDWR | O_NOCTTY);
    CHECK(s >= 0);
    CHECK(isatty(s));
    char tty[64];
    EQ(ttyname_r(s, tty, sizeof(tty)), 0);
    STR(tty, name);
    struct termios t;
    EQ(tcgetattr(s, &t), 0);
    cfmakeraw(&t);
    EQ(tcsetattr(s, TCSANOW, &t), 0);
    EQ(write(m, "\r", 1), 1);
    char c;
    EQ(read(s, &c, 1), 1);
    EQ(c, '\r');
    close(s);
    close(m);
}

CASE(file_locks)
{
    int fd = open("lockf", O_RDWR | O_CREAT, 0600);
    EQ(lockf(fd, F_LOCK, 0), 0);
    pid_t pid = fork();
    if (pid == 0) {
        _exit(lockf(fd, F_TLOCK, 0) == -1 && (errno == EAGAIN || errno == EACCES) ? 0 : 1);
    }
    int st;
    waitpid(pid, &st, 0);
    EQ(st, 0);
    EQ(lockf(fd, F_ULOCK, 0), 0);
    close(fd);
}

CASE(posix_fadvise_and_friends)
{
    int fd = open("adv", O_RDWR | O_CREAT, 0600);
    EQ(posix_fallocate(fd, 0, 100000), 0);
    EQ(posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL), 0);
    struct stat st;
    EQ(fstat(fd, &st), 0);
    EQ(st.st_size, 100000);
    struct timespec ts[2] = {{1, 2}, {3, 4}};
    EQ(futimens(fd, ts), 0);
    EQ(fstat(fd, &st), 0);
    EQ(st.st_mtim.tv_nsec, 4);
    close(fd);
}
