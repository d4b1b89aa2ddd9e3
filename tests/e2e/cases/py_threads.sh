# SPDX-License-Identifier: Apache-2.0
# needs: python3
# shell: python3
import concurrent.futures, queue, threading, time
lock = threading.Lock(); n = 0
def work():
    global n
    for _ in range(5000):
        with lock:
            n += 1
ts = [threading.Thread(target=work) for _ in range(8)]; [t.start() for t in ts]; [t.join() for t in ts]; print(n)
q = queue.Queue(10); out = []
def consumer():
    while (v := q.get()) is not None: out.append(v * v)
cs = [threading.Thread(target=consumer) for _ in range(3)]; [c.start() for c in cs]; [q.put(i) for i in range(2000)]; [q.put(None) for _ in cs]; [c.join() for c in cs]; print(sum(out))
with concurrent.futures.ThreadPoolExecutor(16) as ex: print(sum(ex.map(lambda x: (time.sleep(0.001), x)[1], range(300))))
e = threading.Event(); threading.Timer(0.05, e.set).start(); print(e.wait(5), threading.Event().wait(0.02))
b = threading.Barrier(5); r = []; ts = [threading.Thread(target=lambda: r.append(b.wait())) for _ in range(5)]; [t.start() for t in ts]; [t.join() for t in ts]; print(sorted(r))
loc = threading.local(); loc.x = 1; seen = []; t = threading.Thread(target=lambda: seen.append(hasattr(loc, "x"))); t.start(); t.join(); print(seen)
go = threading.Event(); ts = [threading.Thread(target=go.wait) for _ in range(200)]; [t.start() for t in ts]; print(threading.active_count()); go.set(); [t.join() for t in ts]; print(threading.active_count())
