"""gated runs the entrances and exits of car parks."""

from importlib.metadata import version

__version__ = version("gated")
