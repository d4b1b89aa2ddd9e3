# SPDX-License-Identifier: Apache-2.0
# needs: gcc make
# timeout: 180
# make -j over forty sources, then nothing to do, then one change.
for i in $(seq 1 40); do echo "int f$i(int x) { return x + $i; }" > f$i.c; done
{ for i in $(seq 1 40); do echo "int f$i(int);"; done; echo '#include <stdio.h>'; echo 'int main(void) { int s = 0;'
for i in $(seq 1 40); do echo "s += f$i(1);"; done; printf '%s\n' 'printf("%d\n", s); return 0; }'; } > main.c
cat > Makefile <<'E'
SRC := $(wildcard *.c)
prog: $(SRC:.c=.o)
	@gcc -o $@ $^ && echo linked
%.o: %.c
	@gcc -O1 -c -o $@ $<
clean:
	rm -f *.o prog
E
make -s -j4 prog; ./prog; make -s -j4 prog; sleep 1.1; touch f7.c; make -n prog | wc -l; make -j4 prog; ./prog
make -s clean; make -s -j8 prog; ./prog
printf 'all: a b c\na b c:\n\t@echo $@ $$$$ | cut -c1; exit 0\nbad:\n\t@exit 3\n' > M2; make -s -f M2 -j3 | sort; make -s -f M2 bad 2>/dev/null; echo "make $?"
