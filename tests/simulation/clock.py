"""The time of a simulation, shared with the lab through a file: it moves only when somebody waits, and on its own by a hair."""

import datetime
import mmap
import struct
from pathlib import Path

# A Monday morning.
START = datetime.datetime(2026, 3, 2, 8, tzinfo=datetime.UTC).timestamp()
# Between two looks at the clock some time passes, so that no two events have one moment.
HAIR = 1e-5


class Clock:
    def __init__(self, path: Path) -> None:
        path.write_bytes(struct.pack("d", START))
        with path.open("r+b") as file:
            self.bytes = mmap.mmap(file.fileno(), 8)

    def now(self) -> float:
        """Seconds since 1970."""
        moment: float = struct.unpack("d", self.bytes[:8])[0]
        return moment

    def set(self, moment: float) -> None:
        self.bytes[:8] = struct.pack("d", moment)

    def sleep(self, seconds: float) -> None:
        self.set(self.now() + max(0.0, seconds))

    def moment(self) -> datetime.datetime:
        """As it is noted: later than the last one."""
        self.sleep(HAIR)
        return datetime.datetime.fromtimestamp(self.now(), datetime.UTC)
