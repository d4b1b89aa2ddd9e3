# SPDX-License-Identifier: Apache-2.0
# needs: tmux
# A terminal multiplexer without a terminal: server, ptys, clients over a unix socket.
export TERM=screen TMUX_TMPDIR=$PWD
tmux -L t -f /dev/null new-session -d -x 80 -y 24 -s one 'sh'; echo "new $?"
tmux -L t send-keys -t one 'echo $((6 * 7)) > answer; stty size > size' Enter
i=0; while [ ! -s size ] && [ $i -lt 100 ]; do sleep 0.05; i=$((i + 1)); done; cat answer size
tmux -L t new-window -t one 'sleep 50'; tmux -L t list-windows -t one | wc -l
tmux -L t split-window -t one 'cat'; tmux -L t list-panes -t one | wc -l
tmux -L t kill-server; sleep 0.2; tmux -L t list-sessions 2>/dev/null; echo "gone $?"
