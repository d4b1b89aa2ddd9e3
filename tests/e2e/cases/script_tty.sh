# SPDX-License-Identifier: Apache-2.0
# needs: script
# Programs that ask for their terminal, inside one made by script(1).
script -qec 'stty rows 33 cols 77; stty size; test -t 0 && echo terminal; stty -a | grep -c intr' /dev/null < /dev/null | tr -d '\r'
script -qec 'exit 5' /dev/null < /dev/null; echo "status $?"
script -qec 'ls -C --color=always / | head -c 5 | wc -c' /dev/null < /dev/null | tr -d '\r'
