"""One run of the benchmark: what is measured, how long, and on which machine."""
import sys
import time
from dataclasses import dataclass, field

from machine import Machine
from rounds import Rounds


@dataclass
class Effort:
    """How much time is spent."""
    rounds: int
    seconds: float  # one measurement
    warm_seconds: float
    growth_calls: int

    @staticmethod
    def of(options):
        rounds, seconds, warm_seconds, growth_calls = (3, 0.5, 0.15, 100_000) if options.quick else (5, 2.0, 0.3, 1_000_000)
        return Effort(options.rounds or rounds, options.seconds or seconds, warm_seconds, growth_calls)


@dataclass
class Session:
    children: object
    programs: object
    subjects: list
    bridges: dict  # label → path
    quick: bool
    effort: Effort
    anyway: bool
    setting: dict  # of subjects.Setting
    notes: list = field(default_factory=list)  # what was left out, and why
    failed: bool = False

    def __post_init__(self):
        self.machine = Machine(self.children)
        self.rounds = Rounds(self.machine, self.anyway, self.say, self.fail)
        self.started = time.monotonic()

    def say(self, text):
        """Progress, on one line where somebody looks."""
        if sys.stderr.isatty():
            print(f"\r\033[K[{time.monotonic() - self.started:4.0f} s] {text}", end="", file=sys.stderr, flush=True)

    def fail(self, text):
        """Something did not work; the rest goes on."""
        self.failed = True
        self.notes.append(text)

    def measure(self, scenario, running, points, least_seconds=0):
        """Rows for subjects that run: see Rounds.measure."""
        return self.rounds.measure(scenario, running, points, self.effort, least_seconds)
