"""`simulate`: plays stories by their seeds and says which laws of the product were broken, and where."""

import argparse
import json
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from tests.world.lab import Lab


def main() -> int:
    options = arguments()
    with tempfile.TemporaryDirectory(prefix="lockstep-simulation-") as folder:
        clock = Path(folder) / "clock"
        clock.write_bytes(bytes(8))
        with Lab(Path(folder) / "lab", *LAB, "--clock", str(clock)) as lab:
            set_up(Path(folder), lab)
            return play(lab, clock, options)


WIDTH = 300
LAB = ("--people", "1", "--groups", "1", "--aws-latency-ms", "30", "--graph-latency-ms", "60")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="run.py simulate", description=__doc__)
    parser.add_argument("--seeds", type=int, default=20, help="how many stories")
    parser.add_argument("--seed", type=int, default=1, help="the first one's; each next one's is one more")
    parser.add_argument("--steps", type=int, default=25, help="acts of a story")
    parser.add_argument("--tell", action="store_true", help="print every act, request and state")
    return parser.parse_args()


def set_up(folder: Path, lab: Lab) -> None:
    """A database of its own, in the folder."""
    os.environ |= {
        "STATE_DIR": str(folder),
        "SECRET_KEY": "simulation-" + "k" * 60,
        "SEAL_KEYS": "simulation:" + "A" * 43 + "=",
        "BROKER_URL": "memory://",
        "EXTRA_CLOUDS": json.dumps(lab.clouds),
        "EXTRA_SCIM_HOSTS": json.dumps(lab.scim_hosts),
        "LOG_LEVEL": "CRITICAL",
        "DJANGO_SETTINGS_MODULE": "portal.settings",
    }
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def play(lab: Lab, path: Path, options: argparse.Namespace) -> int:
    from tests.simulation.acts import ACTS, OUTSIDE
    from tests.simulation.clock import Clock
    from tests.simulation.ending import ending
    from tests.simulation.machine import Simulation
    from tests.world.database import empty

    clock, began = Clock(path), time.monotonic()
    counts, broken = Counter[str](), 0
    for seed in range(options.seed, options.seed + options.seeds):
        empty()
        story = Simulation(lab, clock, seed, ACTS, OUTSIDE, ending).play(options.steps)
        counts += story.counts
        if options.tell:
            print("\n".join(line[:WIDTH] for line in story.lines))
        for violation in story.violations:
            print(f"seed {seed}: {violation}", flush=True)
        broken += bool(story.violations)
    seconds = time.monotonic() - began
    told = ", ".join(f"{number:,} {name}" for name, number in counts.items())
    print(f"{options.seeds:,} stories of {options.steps} steps in {seconds:.0f} s: {told}; {broken} broke a law")
    return 1 if broken else 0


if __name__ == "__main__":
    raise SystemExit(main())
