# SPDX-License-Identifier: Apache-2.0
"""Line editing of the terminal itself with sh -i and cat; keys that interrupt; raw mode by stty."""

NEEDS = ["sh", "cat", "stty"]


def run(start, say):
    t = start(["cat"])
    t.pause(0.3)
    t.send("abc\x7f\x7fde\n")
    say("erase", t.expect(r"ade\r\n").count("ade") >= 1)
    t.send("forget\x15kept\n")
    say("kill line", "kept\r\n" in t.expect(r"kept\r\nkept\r\n"))
    t.send("half\x04")
    say("push", "halfhalf" in t.expect("halfhalf"))
    t.send("\x04\x04")
    say("end", t.wait())
    t = start(["cat"])
    t.pause(0.3)
    t.send("\x03")
    say("interrupt", t.wait())
    t = start(["cat"])
    t.pause(0.3)
    t.send("\x1c")
    say("quit", t.wait() in (-3, 131, 128 + 3))
    t = start(["sh", "-c", "stty raw -echo; echo ready; dd bs=1 count=4 2>/dev/null | od -An -c; stty sane"])
    t.expect("ready")
    t.send("a\x03\r\x7f")
    say("raw", "a 003" in " ".join(t.expect(r"177").split()))
    say("status", t.wait())
    t = start(["sh", "-c", "stty -echo; printf 'secret: '; read x; stty echo; echo; echo got $x"])
    t.expect("secret: ")
    t.send("hidden\n")
    text = t.expect("got hidden")
    say("no echo", text.count("hidden"))
    say("status", t.wait())
