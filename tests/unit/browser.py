"""A headless Chromium, spoken to over two pipes: no driver, no port, no other package."""

import fcntl
import json
import os
import select
import shutil
import subprocess
import sys
import time

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
    "--no-first-run", "--disable-background-networking", "--remote-debugging-pipe",
)  # fmt: skip
PATIENCE_S = 60.0
# Chromium reads commands from descriptor 3 and writes answers to 4.
LAUNCH = "import os, sys; r, w, *c = sys.argv[1:]; os.dup2(int(r), 3); os.dup2(int(w), 4); "
LAUNCH += "os.execv(c[0], c)"


def path():
    """Return where a Chromium is, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    """One browser with one page; `problems` collects what its console says."""

    def __init__(self, folder):
        (read, self._write), (self._read, write) = os.pipe(), os.pipe()
        theirs = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (read, write)]
        command = [path(), *FLAGS, f"--user-data-dir={folder}", "about:blank"]
        self._process = subprocess.Popen(
            [sys.executable, "-S", "-c", LAUNCH, *map(str, theirs), *command],
            pass_fds=theirs, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        for end in (read, write, *theirs):
            os.close(end)
        self._rest, self._number, self._session = b"", 0, None
        self.events, self.problems, self.asked_for = [], [], []
        target = self.do("Target.createTarget", url="about:blank")["targetId"]
        attached = self.do("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.do(f"{domain}.enable")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()
        os.close(self._write)
        os.close(self._read)

    def do(self, method, **params):
        """Send a command and return its answer."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, (method, answer["error"])
                return answer["result"]

    def open(self, file, width, scheme="light"):
        """Load a file as wide as told, in a colour scheme; wait until it is there."""
        self.do(
            "Emulation.setDeviceMetricsOverride", width=width, height=800,
            deviceScaleFactor=1, mobile=False,
        )  # fmt: skip
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.do("Emulation.setEmulatedMedia", features=features)
        self.events, self.problems, self.asked_for = [], [], []
        self.do("Page.navigate", url=file.resolve().as_uri())
        while "Page.loadEventFired" not in self.events:
            self._next()

    def value(self, script):
        """Return what an expression is on the page."""
        found = self.do("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def press(self, key):
        """Press and release a key."""
        for kind in ("keyDown", "keyUp"):
            self.do(
                "Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=9
            )

    def _next(self):
        """Return the next message; note what it tells of the page."""
        until = time.monotonic() + PATIENCE_S
        while b"\0" not in self._rest:
            ready = select.select([self._read], [], [], until - time.monotonic())[0]
            part = os.read(self._read, 1 << 16) if ready else b""
            assert part, f"{path()} says nothing"
            self._rest += part
        text, self._rest = self._rest.split(b"\0", 1)
        message = json.loads(text)
        self._note(message.get("method", ""), message.get("params", {}))
        return message

    def _note(self, method, params):
        self.events.append(method)
        if method in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"):
            self.problems.append(params)
        if method == "Network.requestWillBeSent":
            self.asked_for.append(params["request"]["url"][:60])
