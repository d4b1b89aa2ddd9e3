# SPDX-License-Identifier: Apache-2.0
# needs: python3
# shell: python3
import os, signal, subprocess, sys, tempfile
print(subprocess.run(["echo", "hi"], capture_output=True, text=True).stdout, end="")
print(subprocess.run("exit 5", shell=True).returncode, subprocess.run(["sh", "-c", "kill -9 $$"]).returncode)
p = subprocess.Popen(["sort"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
print(p.communicate("\n".join(str(i) for i in range(3000, 0, -1)))[0].split()[:3])
try:
    subprocess.run(["sleep", "10"], timeout=0.1)
except subprocess.TimeoutExpired as e:
    print("timeout", e.cmd)
try:
    subprocess.run(["/nonexistent"])
except FileNotFoundError as e:
    print(e.errno)
print(subprocess.check_output(["cat"], input=b"x" * 1000000).count(b"x"))
a = subprocess.Popen(["seq", "10000"], stdout=subprocess.PIPE); b = subprocess.Popen(["tail", "-1"], stdin=a.stdout, stdout=subprocess.PIPE); a.stdout.close(); print(b.communicate()[0])
ps = [subprocess.Popen([sys.executable, "-S", "-c", "import sys; sys.exit(%d)" % i]) for i in range(10)]; print([p.wait() for p in ps])
p = subprocess.Popen(["sleep", "30"]); p.send_signal(signal.SIGTERM); print(p.wait())
print(subprocess.run(["env"], env={"A": "b"}, capture_output=True).stdout); print(subprocess.run(["pwd"], cwd="/", capture_output=True).stdout)
r, w = os.pipe(); subprocess.run(["sh", "-c", "echo via-fd >&%d" % w], pass_fds=[w]); os.close(w); print(os.read(r, 100))
p = subprocess.Popen(["sh", "-c", "sleep 100 & wait"], start_new_session=True); os.killpg(p.pid, signal.SIGKILL); print(p.wait())
with tempfile.TemporaryFile() as f:
    subprocess.run(["echo", "into file"], stdout=f); f.seek(0); print(f.read())
for i in range(50):
    subprocess.run(["/bin/true"], check=True)
print(os.waitstatus_to_exitcode(os.system("exit 4")), os.popen("echo popen").read().strip(), os.spawnlp(os.P_WAIT, "sh", "sh", "-c", "exit 6"))
