# SPDX-License-Identifier: Apache-2.0
# needs: python3 /dev/shm/
# shell: python3 FILE
# timeout: 120
import multiprocessing as mp, os, time
def sq(x): return x * x
def put(q, n): q.put(sum(range(n)))
def child(c): c.send([1, {"a": 2}]); print_back = c.recv(); c.send(print_back + 1); c.close()
def count(v, l):
    for _ in range(500):
        with l: v.value += 1
def main(method):
    ctx = mp.get_context(method); print(method)
    with ctx.Pool(4) as p: print(sum(p.map(sq, range(500)))); print(p.apply_async(sq, (12,)).get(30)); print(list(p.imap_unordered(sq, [3])))
    q = ctx.Queue(); ps = [ctx.Process(target=put, args=(q, i)) for i in range(5)]; [p.start() for p in ps]; print(sorted(q.get() for _ in ps)); [p.join() for p in ps]; print([p.exitcode for p in ps])
    a, b = ctx.Pipe(); p = ctx.Process(target=child, args=(b,)); p.start(); print(a.recv()); a.send(41); print(a.recv()); p.join()
    v, l = ctx.Value("i", 0), ctx.Lock(); ps = [ctx.Process(target=count, args=(v, l)) for _ in range(4)]; [p.start() for p in ps]; [p.join() for p in ps]; print(v.value)
    p = ctx.Process(target=time.sleep, args=(100,)); p.start(); p.terminate(); p.join(); print(p.exitcode)
if __name__ == "__main__":
    main("fork"); main("spawn")
    from multiprocessing import shared_memory
    s = shared_memory.SharedMemory(create=True, size=1000); s.buf[5] = 77
    pid = os.fork()
    if pid == 0: s.buf[6] = s.buf[5] + 1; os._exit(0)
    os.waitpid(pid, 0); print(s.buf[6]); s.close(); s.unlink()
