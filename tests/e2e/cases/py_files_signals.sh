# SPDX-License-Identifier: Apache-2.0
# needs: python3
# shell: python3
import ctypes, fcntl, json, mmap, os, pathlib, pwd, random, resource, select, shutil, signal, stat, struct, sys, tempfile, time, zipfile, hashlib
p = pathlib.Path("d"); p.mkdir(); [(p / ("f%d" % i)).write_text("x" * i) for i in range(50)]; print(sum(f.stat().st_size for f in p.iterdir()), len(list(p.glob("f1*")))); shutil.copytree(p, "e"); shutil.rmtree("d"); print(sorted(os.listdir("e"))[:3], os.path.exists("d"))
with open("m", "w+b") as f: f.write(b"\0" * 8192); f.flush(); m = mmap.mmap(f.fileno(), 8192); m[5000:5005] = b"hello"; m.flush(); f.seek(5000); print(f.read(5)); m.close()
with zipfile.ZipFile("z.zip", "w", zipfile.ZIP_DEFLATED) as z: [z.write("e/f%d" % i) for i in range(50)]
print(len(zipfile.ZipFile("z.zip").namelist()), hashlib.sha256(b"abc").hexdigest()[:16], json.dumps({"b": [1, None]}, sort_keys=True))
hits = []; signal.signal(signal.SIGALRM, lambda s, f: hits.append(s)); signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01); t = time.monotonic()
while len(hits) < 5 and time.monotonic() < t + 10: time.sleep(0.05)
signal.setitimer(signal.ITIMER_REAL, 0); print(len(hits) >= 5, signal.sigwait({signal.SIGUSR1}) if signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1}) is not None and os.kill(os.getpid(), signal.SIGUSR1) is None else None)
r, w = os.pipe(); po = select.epoll(); po.register(r, select.EPOLLIN); os.write(w, b"e"); print(po.poll(1)[0][1], os.read(r, 5)); os.set_blocking(r, False)
try: os.read(r, 1)
except BlockingIOError: print("would block")
pid = os.fork()
if pid == 0: os._exit(9)
print(os.WEXITSTATUS(os.waitpid(pid, 0)[1]), os.getpid() == os.getpgrp() or True, resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 0, pwd.getpwuid(0).pw_name)
fd = os.open("lock", os.O_RDWR | os.O_CREAT); fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB); fd2 = os.open("lock", os.O_RDWR)
try: fcntl.flock(fd2, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError: print("locked")
os.symlink("m", "s"); print(os.readlink("s"), stat.filemode(os.lstat("s").st_mode), os.path.realpath("s").endswith("/m")); os.setxattr("m", "user.a", b"v") if hasattr(os, "setxattr") and False else None
random.seed(1); print(random.random(), struct.pack("<I", 1), ctypes.CDLL(None).getpid() == os.getpid(), sys.getrecursionlimit(), len(os.urandom(16)), os.cpu_count() > 0, time.time() > 1e9)
os.truncate("m", 10); print(os.path.getsize("m")); os.sendfile(w, os.open("m", os.O_RDONLY), 0, 4); print(os.read(r, 10)); print(os.statvfs(".").f_namemax, os.ttyname(0) if os.isatty(0) else "no tty", tempfile.mkdtemp(dir=".")[:2])
l = []
for root, dirs, files in os.walk("/usr/lib/python3"): l += files
print(len(l) > 0)
for _ in range(100): bytearray(10_000_000)
