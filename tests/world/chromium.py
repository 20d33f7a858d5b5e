"""The Chromium that tests drive: CHROMIUM, or Debian's; the one without windows needs a third of the processor's time."""

import os
from pathlib import Path
from typing import Literal, TypedDict

PLACES = ("/usr/bin/chromium-headless-shell", "/usr/bin/chromium")
CHROMIUM = Path(os.environ.get("CHROMIUM") or next((place for place in PLACES if Path(place).exists()), PLACES[-1]))
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)


class Still(TypedDict):
    reduced_motion: Literal["reduce"]


# Of every context: what scrolls smoothly is drawn sixty times a second, a sixth of the processor's time of these tests.
STILL: Still = {"reduced_motion": "reduce"}
