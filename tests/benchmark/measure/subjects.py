"""What is measured: the floors, bridges with their plugins, and what one would use instead."""
import pathlib
import time
from dataclasses import dataclass, field
from typing import Callable

from driver import Driver, MeasurementError

PLUGINS_PER_PROCESS = 100
SOCKET_PATIENCE = 60.0


@dataclass
class Programs:
    """Where everything is."""
    build: pathlib.Path

    def load(self, name):
        return self.build / "tests/benchmark/load" / name

    @property
    def sdk_plugin(self):
        return self.build / "tests/benchmark/load_plugin"

    @property
    def bridge(self):
        return self.build / "bridge/atomemo-bridge"


@dataclass
class Setting:
    """How what is measured is started."""
    plugins: int = 1
    content: str = "text"
    heartbeat_delay_ms: int = 0
    serve_flags: list = field(default_factory=list)
    # Changes how the process of a role is started: (role, command) -> (command, environment).
    wrap: Callable = lambda role, command: (command, {})


class Running:
    """The processes of one subject, by role: the hub that calls, what stands between, the plugins."""

    def __init__(self, children, setting):
        self.children = children
        self.setting = setting
        self.roles = {}
        self.topics = []
        self.driver = None
        self.driver_role = "hub"
        self.seconds_to_register = None

    def start(self, role, command, talks=False):
        command, environment = self.setting.wrap(role, [str(word) for word in command])
        child = self.children.start(command, environment, talks)
        self.roles.setdefault(role, []).append(child)
        return child

    def drive(self, role, command):
        self.driver_role = role
        self.driver = Driver(self.start(role, command, talks=True))
        return self.driver.hello

    def start_hub(self, programs):
        hello = self.drive("hub", [programs.load("load_hub"), "--content", self.setting.content,
                                   "--heartbeat-delay-ms", self.setting.heartbeat_delay_ms])
        return hello["port"]

    def start_bridge(self, binary, port):
        """The socket of a bridge that is up."""
        socket = self.children.new_path(".sock")
        bridge = self.start("bridge", [
            binary, "serve", "--hub-ws-url", f"ws://127.0.0.1:{port}", "--debug-api-key", "key",
            "--socket", socket, "--log-level", "warning", *self.setting.serve_flags])
        wait_for_socket(socket, bridge)
        return socket

    def start_lean_plugins(self, programs, socket, prefix="bench", first=0, count=None):
        end = first + (self.setting.plugins if count is None else count)
        for begin in range(first, end, PLUGINS_PER_PROCESS):
            self.start("plugin", [programs.load("lean_plugin"), socket, prefix, begin,
                                  min(PLUGINS_PER_PROCESS, end - begin)])

    def start_sdk_plugins(self, binary, socket):
        for i in range(self.setting.plugins):
            self.start("plugin", [binary, socket, f"bench-{i}", "echo"])

    def wait_registered(self, topics):
        self.topics = topics
        self.seconds_to_register = self.driver.wait(len(topics))

    def run(self, loads, **options):
        """One measurement; each load is (topics, bytes, in_flight, per_second)."""
        watched = [(role, child) for role, children in self.roles.items() for child in children
                   if child is not self.driver.child]
        figures = self.driver.run(loads, [child.pid for _, child in watched], **options)
        cpu = {self.driver_role: figures.pop("own_cpu_us")}
        for (role, child), used in zip(watched, figures.pop("watched_cpu_us")):
            if used < 0:
                raise MeasurementError(f"{child.name} ended:\n{child.last_words()}")
            cpu[role] = cpu.get(role, 0.0) + used
        return figures | {"cpu_us": cpu}

    def memory_mb(self, field):
        """By role; see Child.memory_kb."""
        return {role: sum(child.memory_kb(field) for child in children) / 1024 for role, children in self.roles.items()}

    def all(self):
        return [child for children in self.roles.values() for child in children]

    def stop(self):
        self.children.kill(self.all())


def wait_for_socket(path, child):
    deadline = time.monotonic() + SOCKET_PATIENCE
    while not path.exists():
        if not child.is_running() or time.monotonic() > deadline:
            raise MeasurementError(f"{child.name} does not come up:\n{child.last_words()}")
        time.sleep(0.01)


@dataclass
class Subject:
    name: str
    kind: str  # floor, bridge or other
    begin: Callable  # (running) -> topics; starts the processes
    most_plugins: int = 1
    paced: bool = True  # can be called at a fixed rate

    def start(self, children, setting):
        running = Running(children, setting)
        try:
            running.wait_registered(self.begin(running))
        except BaseException:
            running.stop()
            raise
        return running


def names(running):
    return [f"bench-{i}" for i in range(running.setting.plugins)]


def phoenix_topics(running):
    return [f"debug_plugin:{name}" for name in names(running)]


def websocket_floor(programs):
    def begin(running):
        port = running.start_hub(programs)
        running.start("bridge", [programs.load("websocket_floor"), port, *names(running)])
        return names(running)
    return Subject("websocket", "floor", begin, most_plugins=1000)


def grpc_floor(programs):
    def begin(running):
        socket = running.children.new_path(".sock")
        running.drive("bridge", [programs.load("grpc_floor"), socket, running.setting.content])
        running.start_lean_plugins(programs, socket)
        return names(running)
    return Subject("grpc", "floor", begin, most_plugins=1000, paced=False)


def chain_floor(programs):
    def begin(running):
        port = running.start_hub(programs)
        socket = running.children.new_path(".sock")
        chain = running.start("bridge", [programs.load("chain_floor"), port, socket])
        wait_for_socket(socket, chain)
        running.start_lean_plugins(programs, socket)
        return names(running)
    return Subject("chain", "floor", begin, most_plugins=1000)


def bridge_with_lean_plugin(programs, label, binary):
    def begin(running):
        port = running.start_hub(programs)
        running.start_lean_plugins(programs, running.start_bridge(binary, port))
        return phoenix_topics(running)
    return Subject(f"{label}+lean", "bridge", begin, most_plugins=1000)


def bridge_with_sdk_plugin(programs, label, binary, plugin):
    def begin(running):
        port = running.start_hub(programs)
        running.start_sdk_plugins(plugin, running.start_bridge(binary, port))
        return phoenix_topics(running)
    return Subject(f"{label}+sdk", "bridge", begin, most_plugins=10)


def phoenix_js(programs, plugin_folder):
    """`plugin_folder`: where the plugin and the packages that it needs are."""
    def begin(running):
        port = running.start_hub(programs)
        running.start("plugin", ["node", plugin_folder / "phoenix_js_plugin.mjs", port, *names(running)])
        return phoenix_topics(running)
    return Subject("phoenix.js", "other", begin, most_plugins=1000)
