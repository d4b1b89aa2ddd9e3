# SPDX-License-Identifier: Apache-2.0
# needs: curl python3
# A local web server and its clients.
mkdir w; seq 1 50000 > w/big; echo hello > w/index.html
python3 -u - > port <<'E' &
import http.server, socketserver, os
os.chdir("w")
class H(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *a): pass
s = http.server.ThreadingHTTPServer(("127.0.0.1", 0), H); print(s.server_address[1], flush=True); s.serve_forever()
E
srv=$!
while [ ! -s port ]; do sleep 0.05; done; port=$(cat port)
curl -s http://127.0.0.1:$port/; curl -s http://127.0.0.1:$port/big | md5sum; md5sum < w/big
curl -s -o /dev/null -w '%{http_code}\n' http://127.0.0.1:$port/none
for i in 1 2 3 4 5 6 7 8; do curl -s http://127.0.0.1:$port/big | wc -l & done | sort | uniq -c; curl -s http://127.0.0.1:1/; echo "refused $?"
kill $srv; wait $srv 2>/dev/null; echo "server $?"
