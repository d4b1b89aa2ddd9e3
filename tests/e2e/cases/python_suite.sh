# SPDX-License-Identifier: Apache-2.0
# needs: /usr/bin/python3 /usr/lib/python3/dist-packages
# long
# timeout: 900
# shell: bash
# CPython's own tests (Debian's libpython3-testsuite), the ones about the operating system.
v=$(/usr/bin/python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')
[ -d /usr/lib/python$v/test/support ] && [ -f /usr/lib/python$v/test/test_os.py ] || { echo "SKIP libpython3-testsuite is not installed"; exit 0; }
for t in test_os test_posix test_subprocess test_signal test_threading test_thread test_queue test_select test_poll test_epoll \
    test_selectors test_socket test_socketserver test_asyncore test_fcntl test_mmap test_pty test_tempfile test_shutil test_pathlib \
    test_glob test_io test_file test_fileio test_largefile test_time test_timeout test_wait3 test_wait4 test_fork1 test_posixpath \
    test_stat test_popen test_pipes test_tarfile test_zipfile test_gzip test_dbm_dumb test_sqlite3 test_mailbox test_concurrent_futures \
    test_eintr test_faulthandler test_resource test_pwd test_grp test_openpty test_ioctl test_getpass test_platform test_locale; do
    timeout 300 /usr/bin/python3 -m test -q $t > log 2>&1; s=$?
    echo "$t $s"; [ $s -eq 0 ] || grep -E '^(FAIL|ERROR):' log | sort -u | head -40
done
