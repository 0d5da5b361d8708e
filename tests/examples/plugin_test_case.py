"""What the tests of the Python examples share: a plugin's process at a fake bridge."""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

FOLDER = pathlib.Path(__file__).parents[2] / "examples/python-echo"
PATIENCE = 30  # Seconds until a test gives up on the plugin.


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
        self.bridge = self.make_bridge()
        self.start_plugin()

    def tearDown(self):
        self.bridge.stop()

    def start_plugin(self, arguments=(), address=None):
        environment = {**os.environ, "ATOMEMO_BRIDGE_SOCKET": address or self.socket}
        command = [sys.executable, "-B", *(arguments or [FOLDER / f"{self.module}.py"])]
        self.plugin = subprocess.Popen(command, env=environment)
        self.addCleanup(self.plugin.wait)
        self.addCleanup(self.plugin.kill)
        self.wait_until_served()

    def start_patient_plugin(self):
        """The plugin, but its tool works until somebody writes to the FIFO that `text` names, such as `gate`."""
        self.plugin.kill()
        self.start_plugin(["-c", "\n".join([
            "import sys", f"sys.path.insert(0, {str(FOLDER)!r})", f"import {self.module} as plugin",
            "plugin.echo = lambda parameters: open(parameters['text']).read()", "plugin.main()"])])
