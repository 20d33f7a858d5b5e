"""The wired tenant and its lab serve commands too."""

from tests.sync.engine.conftest import lab, lab_process, wired

__all__ = ["lab", "lab_process", "wired"]
