/* SPDX-License-Identifier: Apache-2.0 */
/* POSIX threads as glibc builds them: mutexes, conditions, cancellation, thread-local storage,
 * robustness. */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "gtl.h"

static int gt_helper(int argc, char **argv)
{
    return -1;
}

static void *give_back(void *arg)
{
    return (char *)arg + 1;
}

CASE(create_join)
{
    for (long i = 0; i < 200; i++) {
        pthread_t t;
        void *ret = NULL;
        EQ(pthread_create(&t, NULL, give_back, (void *)i), 0);
        EQ(pthread_join(t, &ret), 0);
        EQ(ret, i + 1);
    }
}

CASE(five_hundred_at_once)
{
    enum { N = 500 };
    static pthread_t t[N];
    pthread_attr_t a;
    pthread_attr_init(&a);
    pthread_attr_setstacksize(&a, 64 * 1024);
    for (long i = 0; i < N; i++) {
        EQ(pthread_create(&t[i], &a, give_back, (void *)i), 0);
    }
    for (long i = 0; i < N; i++) {
        void *ret;
        EQ(pthread_join(t[i], &ret), 0);
        EQ(ret, i + 1);
    }
}

static pthread_mutex_t g_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t g_cond = PTHREAD_COND_INITIALIZER;
static long g_count;
static int g_queue[16], g_head, g_tail, g_done;

static void *count_up(void *arg)
{
    for (int i = 0; i < 20000; i++) {
        pthread_mutex_lock(&g_mutex);
        g_count++;
        pthread_mutex_unlock(&g_mutex);
    }
    return NULL;
}

CASE(mutex_contention)
{
    pthread_t t[4];
    g_count = 0;
    for (int i = 0; i < 4; i++) {
        pthread_create(&t[i], NULL, count_up, NULL);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(t[i], NULL);
    }
    EQ(g_count, 80000);
}

static void *consume(void *arg)
{
    long sum = 0;
    pthread_mutex_lock(&g_mutex);
    for (;;) {
        while (g_head == g_tail && !g_done) {
            pthread_cond_wait(&g_cond, &g_mutex);
        }
        if (g_head == g_tail) {
            break;
        }
        sum += g_queue[g_head++ % 16];
        pthread_cond_broadcast(&g_cond);
    }
    pthread_mutex_unlock(&g_mutex);
    return (void *)sum;
}

CASE(producer_consumer)
{
    pthread_t t[3];
    long total = 0;
    g_head = g_tail = g_done = 0;
    for (int i = 0; i < 3; i++) {
        pthread_create(&t[i], NULL, consume, NULL);
    }
    for (int i = 1; i <= 5000; i++) {
        pthread_mutex_lock(&g_mutex);
        while (g_tail - g_head == 16) {
            pthread_cond_wait(&g_cond, &g_mutex);
        }
        g_queue[g_tail++ % 16] = i;
        pthread_cond_broadcast(&g_cond);
        pthread_mutex_unlock(&g_mutex);
    }
    pthread_mutex_lock(&g_mutex);
    g_done = 1;
    pthread_cond_broadcast(&g_cond);
    pthread_mutex_unlock(&g_mutex);
    for (int i = 0; i < 3; i++) {
        void *ret;
        pthread_join(t[i], &ret);
        total += (long)ret;
    }
    EQ(total, 5000l * 5001 / 2);
}

CASE(timed_waits)
{
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    ts.tv_nsec += 20000000;
    if (ts.tv_nsec >= 1000000000) {
        ts.tv_sec++;
        ts.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&g_mutex);
    EQ(pthread_cond_timedwait(&g_cond, &g_mutex, &ts), ETIMEDOUT);
    EQ(pthread_mutex_trylock(&g_mutex), EBUSY);
    EQ(pthread_mutex_timedlock(&g_mutex, &ts), ETIMEDOUT);
    pthread_mutex_unlock(&g_mutex);
    sem_t s;
    sem_init(&s, 0, 0);
    EQ(sem_timedwait(&s, &ts), -1);
    EQ(errno, ETIMEDOUT);
    sem_post(&s);
    EQ(sem_wait(&s), 0);
    sem_destroy(&s);
}

static pthread_barrier_t g_barrier;
static pthread_rwlock_t g_rw = PTHREAD_RWLOCK_INITIALIZER;
static long g_shared;

static void *barrier_and_rw(void *arg)
{
    long bad = 0;
    pthread_barrier_wait(&g_barrier);
    for (int i = 0; i < 2000; i++) {
        if (i % 10 == (long)arg) {
            pthread_rwlock_wrlock(&g_rw);
            g_shared++;
            g_shared++;
        } else {
            pthread_rwlock_rdlock(&g_rw);
            bad += g_shared % 2;
        }
        pthread_rwlock_unlock(&g_rw);
    }
    pthread_barrier_wait(&g_barrier);
    return (void *)bad;
}

CASE(barriers_and_rwlocks)
{
    pthread_t t[4];
    pthread_barrier_init(&g_barrier, NULL, 4);
    g_shared = 0;
    for (long i = 0; i < 4; i++) {
        pthread_create(&t[i], NULL, barrier_and_rw, (void *)i);
    }
    for (int i = 0; i < 4; i++) {
        void *ret;
        pthread_join(t[i], &ret);
        EQ(ret, 0);
    }
    EQ(g_shared, 4 * 200 * 2);
    pthread_barrier_destroy(&g_barrier);
}

static __thread int g_tls = 7;
static pthread_key_t g_key;
static _Atomic int g_destroyed;

static void destroy(void *p)
{
    g_destroyed += (int)(long)p;
}

static void *tls_user(void *arg)
{
    long bad = g_tls != 7;
    g_tls = (int)(long)arg;
    pthread_setspecific(g_key, arg);
    for (int i = 0; i < 100; i++) {
        sched_yield();
        bad += g_tls != (long)arg || pthread_getspecific(g_key) != arg;
    }
    return (void *)bad;
}

CASE(thread_local)
{
    pthread_t t[6];
    g_destroyed = 0;
    pthread_key_create(&g_key, destroy);
    for (long i = 0; i < 6; i++) {
        pthread_create(&t[i], NULL, tls_user, (void *)(i + 10));
    }
    for (int i = 0; i < 6; i++) {
        void *ret;
        pthread_join(t[i], &ret);
        EQ(ret, 0);
    }
    EQ(g_tls, 7);
    EQ(g_destroyed, 10 + 11 + 12 + 13 + 14 + 15);
    pthread_key_delete(g_key);
}

static int g_pipe[2];
static _Atomic int g_cleaned;

static void cleanup(void *arg)
{
    g_cleaned++;
}

static void *blocked_reader(void *arg)
{
    char c;
    pthread_cleanup_push(cleanup, NULL);
    (void)!read(g_pipe[0], &c, 1);
    pthread_cleanup_pop(0);
    return NULL;
}

static void *spinner(void *arg)
{
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
    for (;;) {
        __asm__ volatile("" ::: "memory");
    }
    return NULL;
}

static void *waiter(void *arg)
{
    pthread_cleanup_push(cleanup, NULL);
    for (;;) {
        pause();
    }
    pthread_cleanup_pop(0);
    return NULL;
}

CASE(cancellation)
{
    pthread_t t;
    void *ret;
    g_cleaned = 0;
    NEED(pipe(g_pipe) == 0);
    for (int i = 0; i < 20; i++) {
        pthread_create(&t, NULL, blocked_reader, NULL);
        if (i % 2) {
            usleep(500);
        }
        EQ(pthread_cancel(t), 0);
        EQ(pthread_join(t, &ret), 0);
        EQ(ret, PTHREAD_CANCELED);
    }
    CHECK(g_cleaned > 0 && g_cleaned <= 20);
    pthread_create(&t, NULL, spinner, NULL);
    usleep(2000);
    EQ(pthread_cancel(t), 0);
    EQ(pthread_join(t, &ret), 0);
    EQ(ret, PTHREAD_CANCELED);
    pthread_create(&t, NULL, waiter, NULL);
    usleep(1000);
    EQ(pthread_cancel(t), 0);
    EQ(pthread_join(t, &ret), 0);
    close(g_pipe[0]);
    close(g_pipe[1]);
}

CASE(robust_shared_mutex)
{
    pthread_mutexattr_t a;
    pthread_mutex_t *m =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_mutexattr_init(&a);
    pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(m, &a);
    pid_t pid = fork();
    if (pid == 0) {
        pthread_mutex_lock(m);
        _exit(0);
    }
    waitpid(pid, NULL, 0);
    EQ(pthread_mutex_lock(m), EOWNERDEAD);
    EQ(pthread_mutex_consistent(m), 0);
    EQ(pthread_mutex_unlock(m), 0);
    int p[2];
    NEED(pipe(p) == 0);
    pid = fork();
    if (pid == 0) {
        pthread_mutex_lock(m);
        (void)!write(p[1], "x", 1);
        pause();
    }
    char c;
    EQ(read(p[0], &c, 1), 1);
    kill(pid, SIGKILL);
    EQ(pthread_mutex_lock(m), EOWNERDEAD); /* waits for the death */
    pthread_mutex_consistent(m);
    pthread_mutex_unlock(m);
    waitpid(pid, NULL, 0);
    close(p[0]);
    close(p[1]);
}

static _Atomic int g_hits;

static void on_sig(int sig)
{
    g_hits++;
}

static void *sleeper(void *arg)
{
    struct timespec ts = {5, 0};
    return (void *)(long)(nanosleep(&ts, NULL) == -1 && errno == EINTR);
}

CASE(signals_to_threads)
{
    pthread_t t;
    void *ret;
    struct sigaction sa = {.sa_handler = on_sig};
    sigaction(SIGUSR1, &sa, NULL);
    g_hits = 0;
    pthread_create(&t, NULL, sleeper, NULL);
    usleep(20000);
    EQ(pthread_kill(t, SIGUSR1), 0);
    pthread_join(t, &ret);
    EQ(ret, 1);
    EQ(g_hits, 1);
}

static void *allocate(void *arg)
{
    unsigned seed = (unsigned)(long)arg;
    void *p[64] = {0};
    long bad = 0;
    for (int i = 0; i < 20000; i++) {
        unsigned k = rand_r(&seed) % 64;
        if (p[k] != NULL) {
            bad += *(unsigned char *)p[k] != k;
            free(p[k]);
        }
        p[k] = malloc(rand_r(&seed) % 5000 + 1);
        *(unsigned char *)p[k] = (unsigned char)k;
    }
    for (int k = 0; k < 64; k++) {
        free(p[k]);
    }
    return (void *)bad;
}

CASE(malloc_in_threads)
{
    pthread_t t[6];
    for (long i = 0; i < 6; i++) {
        pthread_create(&t[i], NULL, allocate, (void *)i);
    }
    for (int i = 0; i < 6; i++) {
        void *ret;
        pthread_join(t[i], &ret);
        EQ(ret, 0);
    }
}

static void *forker(void *arg)
{
    long bad = 0;
    for (int i = 0; i < 10; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            free(malloc(100));
            _exit(3);
        }
        int st = 0;
        bad += waitpid(pid, &st, 0) != pid || WEXITSTATUS(st) != 3;
    }
    return (void *)bad;
}

CASE(fork_in_threads)
{
    pthread_t t[4];
    for (int i = 0; i < 4; i++) {
        pthread_create(&t[i], NULL, forker, NULL);
    }
    for (int i = 0; i < 4; i++) {
        void *ret;
        pthread_join(t[i], &ret);
        EQ(ret, 0);
    }
}

static void *detached(void *arg)
{
    sem_post(arg);
    return NULL;
}

CASE(detached_threads)
{
    sem_t s;
    pthread_attr_t a;
    sem_init(&s, 0, 0);
    pthread_attr_init(&a);
    pthread_attr_setdetachstate(&a, PTHREAD_CREATE_DETACHED);
    for (int i = 0; i < 100; i++) {
        pthread_t t;
        EQ(pthread_create(&t, &a, detached, &s), 0);
    }
    for (int i = 0; i < 100; i++) {
        sem_wait(&s);
    }
}

static void *big_stack(void *arg)
{
    volatile char block[1 << 20];
    memset((char *)block, 1, sizeof(block));
    return (void *)(long)block[12345];
}

CASE(deep_stacks)
{
    pthread_t t;
    void *ret;
    pthread_create(&t, NULL, big_stack, NULL);
    pthread_join(t, &ret);
    EQ(ret, 1);
}

static volatile int g_moved;

/* Whatever folder the process stands in just now, it has a file "f" of 1 or 2 bytes. */
static void *look_around(void *arg)
{
    struct stat st;
    long wrong = 0;
    while (!g_moved) {
        wrong += stat("f", &st) != 0 || st.st_size < 1 || st.st_size > 2;
    }
    return (void *)wrong;
}

CASE(one_cwd_for_all)
{
    pthread_t t[2];
    struct stat st;
    EQ(mkdir("cwd1", 0755), 0);
    EQ(mkdir("cwd2", 0755), 0);
    int fd = open("cwd1/f", O_CREAT | O_WRONLY, 0644);
    EQ(write(fd, "1", 1), 1);
    close(fd);
    fd = open("cwd2/f", O_CREAT | O_WRONLY, 0644);
    EQ(write(fd, "22", 2), 2);
    close(fd);
    EQ(chdir("cwd1"), 0);
    for (int i = 0; i < 2; i++) {
        EQ(pthread_create(&t[i], NULL, look_around, NULL), 0);
    }
    for (int i = 0; i < 500; i++) {
        EQ(chdir(i % 2 ? "../cwd1" : "../cwd2"), 0);
        for (int k = 0; k < 12; k++) {
            EQ(stat("f", &st), 0);
            EQ(st.st_size, i % 2 ? 1 : 2);
        }
    }
    g_moved = 1;
    for (int i = 0; i < 2; i++) {
        void *wrong = NULL;
        pthread_join(t[i], &wrong);
        EQ((long)wrong, 0);
    }
    EQ(chdir(".."), 0);
}
