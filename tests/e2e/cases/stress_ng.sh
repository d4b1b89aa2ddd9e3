# SPDX-License-Identifier: Apache-2.0
# needs: stress-ng
# long
# timeout: 600
# Short runs of stress-ng's classes, verified by itself.
for s in pipe fork clone pthread futex mmap mremap malloc poll epoll eventfd sem switch sigq signal sock udp dentry dir rename link symlink fcntl flock \
    get getdent hdd kill fault madvise mq msg nice null open procfs readahead seek sigsuspend sleep timer timerfd vfork vm zombie zero yield; do
    stress-ng --$s 2 --timeout 2s --verify --quiet --no-rand-seed > /dev/null 2>&1; echo "$s $?"
done
