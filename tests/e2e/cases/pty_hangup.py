# SPDX-License-Identifier: Apache-2.0
"""The terminal goes away: the shell and its children end, files they were asked to write at the end exist."""

import os

NEEDS = ["bash", "sh"]


def run(start, say):
    t = start(["sh", "-c", "trap 'echo hup > hup-seen; exit 1' HUP; echo ready; while :; do sleep 0.1; done"])
    t.expect("ready")
    t.close()
    t.wait()
    for _ in range(100):
        if os.path.exists(os.path.join(t.cwd, "hup-seen")):
            break
        t.pause(0.05)
    say("hangup seen", os.path.exists(os.path.join(t.cwd, "hup-seen")))
    t = start(["bash", "--norc", "-i"], env={"PS1": "prompt> "})
    t.expect("prompt> ")
    t.send("sleep 1000 &\n")
    t.expect("prompt> ")
    t.close()
    t.wait()
    say("bash ended", True)
