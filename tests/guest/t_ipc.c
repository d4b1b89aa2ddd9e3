/* SPDX-License-Identifier: Apache-2.0 */
/* covers: shmget shmat shmdt shmctl semget semop semtimedop semctl msgget msgsnd msgrcv */
/* covers: msgctl mq_open mq_unlink mq_timedsend mq_timedreceive mq_notify mq_getsetattr */
#include <linux/ipc.h>
#include <linux/mqueue.h>
#include <linux/msg.h>
#include <linux/sem.h>
#include <linux/shm.h>

#include "gt.h"

CASE(shared_memory)
{
    long id = sc(shmget, IPC_PRIVATE, 8192, IPC_CREAT | 0600);
    if (id == -ENOSYS) {
        SKIP("no System V shared memory");
    }
    NEED(id >= 0);
    char *p = (char *)OK(sc(shmat, id, 0, 0));
    char *q = (char *)OK(sc(shmat, id, 0, 010000 /* SHM_RDONLY */));
    EQ(p[8191], 0);
    p[10] = 'S';
    EQ(q[10], 'S');
    struct shmid64_ds ds;
    EQ(sc(shmctl, id, IPC_STAT, &ds), 0);
    EQ(ds.shm_segsz, 8192);
    EQ(ds.shm_nattch, 2);
    EQ(ds.shm_cpid, sc(getpid));
    long pid = IN_CHILD({
        EQ(p[10], 'S');
        p[11] = 'C';
    });
    CHILD_OK(pid);
    EQ(q[11], 'C');
    EQ(sc(shmctl, id, IPC_RMID, 0), 0);
    p[12] = 'L'; /* lives until the last one lets go */
    EQ(q[12], 'L');
    EQ(sc(shmdt, p), 0);
    EQ(sc(shmdt, q), 0);
    ERR(sc(shmdt, q), EINVAL);
    ERR(sc(shmat, id, 0, 0), EINVAL);
    ERR(sc(shmget, IPC_PRIVATE, 0, IPC_CREAT | 0600), EINVAL);
    ERR(sc(shmget, 0x7abc1234 + (int)sc(getpid), 100, 0600), ENOENT);
}

CASE(shared_memory_keys)
{
    int key = 0x50000000 + (int)sc(getpid);
    long id = sc(shmget, key, 4096, IPC_CREAT | IPC_EXCL | 0600);
    if (id == -ENOSYS) {
        SKIP("no System V shared memory");
    }
    NEED(id >= 0);
    ERR(sc(shmget, key, 4096, IPC_CREAT | IPC_EXCL | 0600), EEXIST);
    EQ(sc(shmget, key, 4096, 0600), id);
    ERR(sc(shmget, key, 8192, 0600), EINVAL);
    EQ(sc(shmctl, id, IPC_RMID, 0), 0);
    ERR(sc(shmget, key, 4096, 0600), ENOENT);
}

CASE(semaphores)
{
    long id = sc(semget, IPC_PRIVATE, 2, IPC_CREAT | 0600);
    if (id == -ENOSYS) {
        SKIP("no System V semaphores");
    }
    NEED(id >= 0);
    EQ(sc(semctl, id, 0, SETVAL, 1), 0);
    EQ(sc(semctl, id, 0, GETVAL, 0), 1);
    struct sembuf op[2] = {{0, -1, IPC_NOWAIT}, {1, 2, 0}};
    EQ(sc(semop, id, op, 2), 0);
    EQ(sc(semctl, id, 0, GETVAL, 0), 0);
    EQ(sc(semctl, id, 1, GETVAL, 0), 2);
    ERR(sc(semop, id, op, 2), EAGAIN); /* all or nothing */
    EQ(sc(semctl, id, 1, GETVAL, 0), 2);
    long pid = IN_CHILD({
        struct sembuf down = {0, -1, 0};
        EQ(sc(semop, id, &down, 1), 0);
    });
    gt_until_asleep(pid);
    EQ(sc(semctl, id, 0, GETNCNT, 0), 1);
    struct sembuf up = {0, 1, 0};
    EQ(sc(semop, id, &up, 1), 0);
    CHILD_OK(pid);
    /* Undo at exit. */
    pid = IN_CHILD({
        struct sembuf u = {1, -2, SEM_UNDO};
        EQ(sc(semop, id, &u, 1), 0);
    });
    CHILD_OK(pid);
    EQ(sc(semctl, id, 1, GETVAL, 0), 2);
    struct timespec ts = {0, 10000000};
    struct sembuf down = {0, -5, 0};
    ERR(sc(semtimedop, id, &down, 1, &ts), EAGAIN);
    ERR(sc(semctl, id, 5, GETVAL, 0), EINVAL);
    pid = gt_fork();
    if (pid == 0) {
        gt_exit(sc(semop, id, &down, 1) == -EIDRM ? 0 : 1);
    }
    gt_until_asleep(pid);
    EQ(sc(semctl, id, 0, IPC_RMID, 0), 0);
    CHILD_OK(pid);
    ERR(sc(semop, id, &up, 1), EINVAL);
}

struct message {
    long type;
    char text[16];
};

CASE(message_queues)
{
    long id = sc(msgget, IPC_PRIVATE, IPC_CREAT | 0600);
    if (id == -ENOSYS) {
        SKIP("no System V messages");
    }
    NEED(id >= 0);
    struct message m = {3, "three"};
    EQ(sc(msgsnd, id, &m, 5, 0), 0);
    m.type = 1;
    memcpy(m.text, "one", 4);
    EQ(sc(msgsnd, id, &m, 3, 0), 0);
    m.type = 2;
    EQ(sc(msgsnd, id, &m, 0, 0), 0);
    EQ(sc(msgrcv, id, &m, 16, 1, 0), 3);
    EQ(memcmp(m.text, "one", 3), 0);
    ERR(sc(msgrcv, id, &m, 2, 3, IPC_NOWAIT), E2BIG);
    EQ(sc(msgrcv, id, &m, 2, 3, IPC_NOWAIT | 010000 /* MSG_NOERROR */), 2);
    EQ(sc(msgrcv, id, &m, 16, -5, 0), 0);
    EQ(m.type, 2);
    ERR(sc(msgrcv, id, &m, 16, 0, IPC_NOWAIT), ENOMSG);
    m.type = 0;
    ERR(sc(msgsnd, id, &m, 1, 0), EINVAL);
    long pid = IN_CHILD({
        struct message r;
        EQ(sc(msgrcv, id, &r, 16, 0, 0), 4);
    });
    gt_until_asleep(pid);
    m.type = 9;
    EQ(sc(msgsnd, id, &m, 4, 0), 0);
    CHILD_OK(pid);
    EQ(sc(msgctl, id, IPC_RMID, 0), 0);
    ERR(sc(msgsnd, id, &m, 4, 0), EINVAL);
}

CASE(posix_queues)
{
    char name[32], buf[64];
    struct mq_attr a;
    unsigned prio = 0;
    memset(&a, 0, sizeof(a));
    a.mq_maxmsg = 4;
    a.mq_msgsize = 32;
    gt_format(name, sizeof(name), "gt-mq-%ld", sc(getpid));
    long q = sc(mq_open, name, O_RDWR | O_CREAT | O_EXCL | O_NONBLOCK, 0600, &a);
    if (q == -ENOSYS) {
        SKIP("no POSIX queues");
    }
    NEED(q >= 0);
    EQ(sc(mq_timedsend, q, "low", 3, 1, 0), 0);
    EQ(sc(mq_timedsend, q, "high", 4, 9, 0), 0);
    EQ(sc(mq_timedreceive, q, buf, 64, &prio, 0), 4);
    EQ(prio, 9);
    ERR(sc(mq_timedreceive, q, buf, 8, &prio, 0), EMSGSIZE);
    EQ(sc(mq_timedreceive, q, buf, 64, &prio, 0), 3);
    ERR(sc(mq_timedreceive, q, buf, 64, &prio, 0), EAGAIN);
    for (int i = 0; i < 4; i++) {
        EQ(sc(mq_timedsend, q, "x", 1, 0, 0), 0);
    }
    ERR(sc(mq_timedsend, q, "x", 1, 0, 0), EAGAIN);
    EQ(sc(mq_getsetattr, q, 0, &a), 0);
    EQ(a.mq_curmsgs, 4);
    EQ(sc(mq_unlink, name), 0);
    ERR(sc(mq_unlink, name), ENOENT);
    sc(close, q);
}
