# SPDX-License-Identifier: Apache-2.0
# needs: node
# timeout: 120
# shell: node FILE
const fs = require('fs'), cp = require('child_process'), http = require('http'), os = require('os'), { Worker, isMainThread } = require('worker_threads');
if (!isMainThread) { require('worker_threads').parentPort.postMessage(42); } else (async () => {
console.log(cp.execSync('echo sync').toString().trim(), [1, 2, 3].map(x => x ** 2).join());
fs.mkdirSync('d'); for (let i = 0; i < 20; i++) fs.writeFileSync('d/f' + i, 'x'.repeat(i)); console.log(fs.readdirSync('d').length, fs.statSync('d/f7').size);
await fs.promises.writeFile('p', 'promise'); console.log((await fs.promises.readFile('p')).toString());
await new Promise(r => { const s = http.createServer((q, a) => a.end('http ' + q.url)).listen(0, '127.0.0.1', () => http.get({ port: s.address().port, host: '127.0.0.1', path: '/x' }, m => { m.on('data', d => console.log(d.toString())); m.on('end', () => s.close(r)); })); });
await new Promise(r => { const c = cp.spawn('sort'); c.stdout.on('data', d => console.log(JSON.stringify(d.toString()))); c.on('close', (k) => { console.log('closed', k); r(); }); c.stdin.end('b\na\n'); });
await new Promise(r => new Worker(__filename).on('message', m => { console.log('worker', m); }).on('exit', r));
console.log((await Promise.all(Array.from({ length: 50 }, (_, i) => new Promise(r => setTimeout(() => r(i), 5))))).reduce((a, b) => a + b));
process.on('SIGUSR2', () => console.log('signal')); process.kill(process.pid, 'SIGUSR2'); await new Promise(r => setTimeout(r, 50));
console.log(require('crypto').createHash('sha256').update('abc').digest('hex').slice(0, 16), require('zlib').gunzipSync(require('zlib').gzipSync('z')).toString(), os.cpus().length > 0);
process.exitCode = 3; })();
