# SPDX-License-Identifier: Apache-2.0
# needs: python3
# shell: python3
import asyncio, os, signal, socket
async def main():
    async def handle(r, w):
        while line := await r.readline(): w.write(line.upper()); await w.drain()
        w.close()
    srv = await asyncio.start_server(handle, "127.0.0.1", 0); port = srv.sockets[0].getsockname()[1]
    async def client(i):
        r, w = await asyncio.open_connection("127.0.0.1", port); w.write(b"hello %d\n" % i); x = await r.readline(); w.close(); await w.wait_closed(); return x
    print(sorted(await asyncio.gather(*(client(i) for i in range(40))))[:3]); srv.close()
    us = await asyncio.start_unix_server(handle, "sock"); r, w = await asyncio.open_unix_connection("sock"); w.write(b"unix\n"); print(await r.readline()); w.close(); us.close()
    p = await asyncio.create_subprocess_exec("sort", stdin=-1, stdout=-1); print((await p.communicate(b"b\na\n"))[0], p.returncode)
    ps = await asyncio.gather(*(asyncio.create_subprocess_shell("exit %d" % i) for i in range(8))); print([await p.wait() for p in ps])
    loop = asyncio.get_running_loop(); ev = asyncio.Event(); loop.add_signal_handler(signal.SIGUSR1, ev.set); os.kill(os.getpid(), signal.SIGUSR1); await asyncio.wait_for(ev.wait(), 5); print("signal")
    try: await asyncio.wait_for(asyncio.sleep(10), 0.05)
    except asyncio.TimeoutError: print("timeout")
    print(await loop.run_in_executor(None, sum, range(1000))); print(sum(await asyncio.gather(*(asyncio.sleep(0.01, i) for i in range(500)))))
    a, b = socket.socketpair(); a.setblocking(False); b.setblocking(False); await loop.sock_sendall(a, b"x" * 500000 if False else b"x" * 5000); print(len(await loop.sock_recv(b, 10000)))
    class U(asyncio.DatagramProtocol):
        def connection_made(self, t): self.t = t
        def datagram_received(self, d, a): self.t.sendto(d[::-1], a)
    t, _ = await loop.create_datagram_endpoint(U, local_addr=("127.0.0.1", 0)); s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.setblocking(False); await loop.sock_sendto(s, b"abc", t.get_extra_info("sockname")); print(await loop.sock_recv(s, 10)); t.close()
asyncio.run(main())
