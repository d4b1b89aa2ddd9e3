# SPDX-License-Identifier: Apache-2.0
# needs: sqlite3
# A database with two writers, WAL, locks.
sqlite3 t.db 'create table t(a integer primary key, b text); pragma journal_mode=wal;'
(echo 'begin;'; for i in $(seq 1 2000); do echo "insert into t(b) values('row $i');"; done; echo 'commit;') | sqlite3 t.db
sqlite3 t.db 'select count(*), sum(a), max(b) from t; create index i on t(b); pragma integrity_check;'
for k in 1 2 3 4; do (for i in $(seq 1 20); do sqlite3 -cmd '.timeout 20000' t.db "insert into t(b) values('w$k');"; done) & done; wait
sqlite3 t.db "select count(*) from t where b like 'w%';"
sqlite3 t.db '.dump' | sqlite3 u.db; sqlite3 u.db 'select count(*) from t;'; sqlite3 u.db 'vacuum; pragma journal_mode;'
sqlite3 :memory: 'with recursive c(x) as (select 1 union all select x+1 from c where x < 50000) select sum(x) from c;'
