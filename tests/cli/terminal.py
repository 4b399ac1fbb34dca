# terminal.py - runs a command on a terminal of 80 columns and 24 lines of its own, and plays a script on it. A step is
#   see TEXT     wait until it is shown (of one line)
#   type KEYS    press these; \r enter, \e escape
#   run COMMAND
# terminal.py STEP... -- COMMAND...     Exit: that of the command; 99: a text did not come, and what was shown is printed.
import fcntl, os, pty, select, struct, subprocess, sys, termios, time

WIDTH, HEIGHT = 80, 24


class Screen:
    """What ncurses of TERM=ansi draws, as far as it is used: text, moves, erasures; attributes are dropped."""

    def __init__(self):
        self.clear()
        self.x = self.y = 0
        self.rest = ""

    def clear(self):
        self.cells = [[" "] * WIDTH for _ in range(HEIGHT)]

    def text(self):
        return "\n".join("".join(line).rstrip() for line in self.cells)

    def csi(self, numbers, final):
        n = int(numbers.split(";")[0] or 0) if numbers.replace(";", "").isdigit() or not numbers else 0
        if final == "H":
            y, _, x = numbers.partition(";")
            self.y, self.x = int(y or 1) - 1, int(x or 1) - 1
        elif final == "J":
            self.cells[self.y][self.x:] = [" "] * (WIDTH - self.x)
            self.cells[self.y + 1:] = [[" "] * WIDTH for _ in range(HEIGHT - self.y - 1)]
        elif final == "K":
            area = range(0, self.x + 1) if n == 1 else range(self.x, WIDTH)
            for x in area:
                self.cells[self.y][x] = " "
        elif final in "ABCD":
            step = max(n, 1)
            self.y += {"A": -step, "B": step}.get(final, 0)
            self.x += {"C": step, "D": -step}.get(final, 0)
        elif final == "d":
            self.y = max(n, 1) - 1
        elif final == "G":
            self.x = max(n, 1) - 1
        elif final == "X":
            for x in range(self.x, min(WIDTH, self.x + max(n, 1))):
                self.cells[self.y][x] = " "
        elif final == "@":
            line = self.cells[self.y]
            self.cells[self.y] = (line[:self.x] + [" "] * max(n, 1) + line[self.x:])[:WIDTH]
        elif final == "P":
            line = self.cells[self.y]
            self.cells[self.y] = line[:self.x] + line[self.x + max(n, 1):] + [" "] * max(n, 1)
        elif final == "L":
            self.cells[self.y:] = ([[" "] * WIDTH for _ in range(max(n, 1))] + self.cells[self.y:])[:HEIGHT - self.y]
        elif final == "M":
            rest = self.cells[self.y + max(n, 1):]
            self.cells[self.y:] = rest + [[" "] * WIDTH for _ in range(HEIGHT - self.y - len(rest))]
        elif final == "b":
            for _ in range(max(n, 1)):
                self.put(self.last)

    def put(self, c):
        if self.x >= WIDTH:
            self.x, self.y = 0, min(self.y + 1, HEIGHT - 1)
        self.cells[self.y][self.x] = self.last = c
        self.x += 1

    def feed(self, text):
        text, at = self.rest + text, 0
        self.rest = ""
        while at < len(text):
            c = text[at]
            if c == "\033":
                end = at + 2
                if text[at + 1:at + 2] == "[":
                    while end < len(text) and not "@" <= text[end] <= "~":
                        end += 1
                elif text[at + 1:at + 2] in "()":
                    end = at + 2
                if end >= len(text):
                    self.rest = text[at:]
                    return
                if text[at + 1] == "[":
                    self.csi(text[at + 2:end].lstrip("?"), text[end])
                at = end + 1
                continue
            if c == "\r":
                self.x = 0
            elif c == "\n":
                self.y = min(self.y + 1, HEIGHT - 1)
            elif c == "\b":
                self.x = max(self.x - 1, 0)
            elif c >= " ":
                self.put(c)
            at += 1


def main():
    split = sys.argv.index("--")
    steps, command = sys.argv[1:split], sys.argv[split + 1:]
    pid, terminal = pty.fork()
    if pid == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
        os.environ["TERM"] = "ansi"
        os.execvp(command[0], command)
    screen = Screen()

    def read(seconds):
        if not select.select([terminal], [], [], seconds)[0]:
            return False
        try:
            screen.feed(os.read(terminal, 65536).decode("utf-8", "replace"))
            return True
        except OSError:  # it has ended
            return False

    for step in steps:
        what, _, text = step.partition(" ")
        if what == "type":
            os.write(terminal, text.replace("\\r", "\r").replace("\\e", "\033").encode())
            continue
        if what == "run":
            subprocess.run(text.split(), check=True)
            continue
        until = time.monotonic() + 20
        while text not in screen.text():
            if not read(max(0, until - time.monotonic())) and (time.monotonic() >= until or os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)):
                print(f"not seen: {text}\n{screen.text()}")
                os.kill(pid, 9)
                sys.exit(99)
    while read(20):
        pass
    status = os.waitpid(pid, 0)[1]
    sys.exit(os.waitstatus_to_exitcode(status) & 255)


main()
