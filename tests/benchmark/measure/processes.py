"""Processes that do not outlive the benchmark, whatever happens to it."""
import os
import pathlib
import subprocess
import tempfile
import time

KILOBYTE = 1024


class Child:
    """A process. The kernel kills it when this process ends, should nobody else have done so."""

    def __init__(self, command, log, environment=None, talks=False):
        """`talks`: its stdin and stdout are pipes; otherwise its output goes to the file `log`."""
        self.log = log
        self.name = pathlib.Path(command[0]).name
        with open(log, "ab") as sink:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "--", *map(str, command)],
                stdin=subprocess.PIPE if talks else subprocess.DEVNULL,
                stdout=subprocess.PIPE if talks else sink, stderr=sink, cwd=log.parent,
                env=clean_environment() | (environment or {}), start_new_session=True)
        self.pid = self.process.pid

    def is_running(self):
        return self.process.poll() is None

    def cpu_seconds(self):
        """What it has used of a processor; 0 once it is gone."""
        try:
            return time.clock_gettime((~self.pid << 3) | 2)  # clock_getcpuclockid's formula
        except OSError:
            return 0.0

    def memory_kb(self, field):
        """A field of /proc/PID/status such as VmRSS, or VmHWM for the peak."""
        for line in pathlib.Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1])
        return 0

    def forget_peak_memory(self):
        pathlib.Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    def stop(self, patience=30):
        """SIGTERM; SIGKILL if that does not end it. For what shall write its figures at its end."""
        self.process.terminate()
        try:
            self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self):
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                pipe.close()

    def last_words(self, lines=5):
        text = self.log.read_text(errors="replace").splitlines()
        return "\n".join(text[-lines:])


class Children:
    """All processes of the benchmark, and a folder for their files; both go with the `with` block."""

    def __init__(self, keep_logs=False):
        self.running = []
        self.count = 0
        self.keep_logs = keep_logs

    def __enter__(self):
        # A short path: a Unix socket's may have 107 bytes.
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="atomemo-benchmark-", dir="/tmp"))
        return self

    def __exit__(self, *_):
        self.kill(list(self.running))
        if self.keep_logs:
            print(f"logs: {self.folder}")
        else:
            subprocess.run(["rm", "-rf", self.folder], check=False)

    def start(self, command, environment=None, talks=False):
        self.count += 1
        log = self.folder / f"{self.count}-{pathlib.Path(command[0]).name}.log"
        child = Child(command, log, environment, talks)
        self.running.append(child)
        return child

    def new_path(self, suffix):
        self.count += 1
        return self.folder / f"{self.count}{suffix}"

    def kill(self, children):
        for child in children:
            child.kill()
            if child in self.running:
                self.running.remove(child)

    def cpu_seconds(self):
        """What this process and all its running children have used of the processors."""
        return time.process_time() + sum(child.cpu_seconds() for child in self.running)


def clean_environment():
    """Nothing of the caller's own settings of the bridge reaches what is measured."""
    return {name: value for name, value in os.environ.items()
            if not name.startswith(("ATOMEMO_", "HUB_")) and not name.lower().endswith("_proxy")}
