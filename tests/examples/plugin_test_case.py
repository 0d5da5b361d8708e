"""What the tests of the Python examples share: a plugin's process at a fake bridge."""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

FOLDER = pathlib.Path(__file__).parents[2] / "examples/python-echo"
PATIENCE = 30  # Seconds until a test gives up on the plugin.


def patient_arguments(module):
    """What Python is to be given to run an example whose tool works until somebody writes to the FIFO that `text` names."""
    return ["-B", "-c", "\n".join([
        "import sys", f"sys.path.insert(0, {str(FOLDER)!r})", f"import {module} as plugin",
        "plugin.echo = lambda parameters: open(parameters['text']).read()", "plugin.main()"])]


class PluginTestCase(unittest.TestCase):
    """Sets up `bridge`, and `plugin` once it is served. A subclass says what `module` it is, and makes the bridge."""

    module = None

    def make_bridge(self):
        raise NotImplementedError

    def wait_until_served(self):
        raise NotImplementedError

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.gate = f"{folder.name}/gate"
        os.mkfifo(self.gate)
        self.socket = f"{folder.name}/bridge.sock"
        self.log = f"{folder.name}/log"
        self.bridge = self.make_bridge()
        self.start_plugin()

    def tearDown(self):
        self.bridge.stop()

    def start_plugin(self, arguments=(), address=None):
        environment = {**os.environ, "ATOMEMO_BRIDGE_SOCKET": address or self.socket}
        command = [sys.executable, *(arguments or ["-B", FOLDER / f"{self.module}.py"])]
        with open(self.log, "a") as log:
            self.plugin = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        self.addCleanup(self.plugin.wait)
        self.addCleanup(self.plugin.kill)
        self.wait_until_served()

    def output(self):
        """What the plugins of this test have printed."""
        with open(self.log) as log:
            return log.read()

    def start_patient_plugin(self):
        """As of patient_arguments; `gate` is a FIFO."""
        self.plugin.kill()
        self.start_plugin(patient_arguments(self.module))
