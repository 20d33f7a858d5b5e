"""The engine against a lab that misbehaves: the same world as the engine's own tests."""

from tests.sync.engine.conftest import lab, lab_process, wired

__all__ = ["lab", "lab_process", "wired"]
