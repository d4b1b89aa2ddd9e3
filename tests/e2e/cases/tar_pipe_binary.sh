# SPDX-License-Identifier: Apache-2.0
# Binary data through long pipelines.
head -c 3000000 /dev/zero | tr '\0' 'A' | gzip -1 | gunzip | tee copy | md5sum; md5sum < copy | cut -c1-8; cat copy copy copy | wc -c
i=0; c=cat; while [ $i -lt 20 ]; do c="$c | cat"; i=$((i + 1)); done; eval "seq 1 50000 | $c | md5sum"; seq 1 50000 | md5sum
yes | head -c 1000000 | wc -c; cat /dev/zero | head -c 5; echo; od -An -c copy | head -1; (seq 1 3; sleep 0.1; seq 4 5) | cat -n; cmp copy copy; echo $?; tail -c +2999999 copy; echo; dd if=copy bs=4096 skip=10 count=2 2>/dev/null | wc -c
