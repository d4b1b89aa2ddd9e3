# SPDX-License-Identifier: Apache-2.0
"""The interactive interpreter: prompt, readline editing, KeyboardInterrupt, end of file."""

NEEDS = ["/usr/bin/python3"]


def run(start, say):
    t = start(["/usr/bin/python3", "-q"], env={"TERM": "dumb", "PYTHONSTARTUP": ""})
    t.expect(">>> ")
    t.send("print(6 * 7)\n")
    say("result", "42" in t.expect(r"42\s+>>> "))
    t.send("import time; time.sleep(100)\n")
    t.pause(0.5)
    t.send("\x03")
    say("interrupt", "KeyboardInterrupt" in t.expect(r"KeyboardInterrupt\s+>>> "))
    t.send("import os; os.get_terminal_size()[:]\n")
    say("size", "(80, 24)" in t.expect(r"\)\s+>>> "))
    t.send("x = input('name? ')\n")
    t.expect(r"name\? $")
    t.send("guest\n")
    t.expect(">>> ")
    t.send("x\n")
    say("input", "'guest'" in t.expect(r"'guest'\s+>>> "))
    t.send("\x04")
    say("end", t.wait())
