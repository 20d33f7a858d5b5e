"""Plays random stories by their seeds against the product, and says which law was broken in which step.

The real engine on a database of its own, the lab as Entra and AWS, time and chance from outside: a seed's story is the
same to the letter every time. See tests/simulation/machine.py.
"""

import argparse
import json
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.world.lab import Lab


def main() -> int:
    options = arguments()
    # Whatever ends this ends the lab too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with tempfile.TemporaryDirectory(prefix="lockstep-simulation-") as folder:
        clock = Path(folder) / "clock"
        clock.write_bytes(bytes(8))
        with Lab(Path(folder) / "lab", *LAB, "--clock", str(clock)) as lab:
            set_up(Path(folder), lab)
            return play(lab, clock, options)


# So many stories take a minute or two.
PROGRESS = 20
LAB = ("--people", "1", "--groups", "1", "--aws-latency-ms", "30", "--graph-latency-ms", "60")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="run.py simulate", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=20, help="how many stories")
    parser.add_argument("--seed", type=int, default=1, help="the first one's; each next one's is one more")
    parser.add_argument("--steps", type=int, default=25, help="acts of a story")
    parser.add_argument("--ledger", action="store_true", help="print every act, request and state")
    return parser.parse_args()


def set_up(folder: Path, lab: Lab) -> None:
    """Whatever database the environment names: this one is emptied before each story."""
    os.environ |= {
        "STATE_DIR": str(folder),
        "DATABASE_URL": f"sqlite:///{folder / 'simulation.sqlite3'}",
        "SECRET_KEY": "simulation-" + "k" * 60,
        "SEAL_KEYS": "simulation:" + "A" * 43 + "=",
        "BROKER_URL": "memory://",
        "EXTRA_CLOUDS": json.dumps(lab.clouds),
        "EXTRA_SCIM_HOSTS": json.dumps(lab.scim_hosts),
        "LOG_LEVEL": "CRITICAL",
        "DJANGO_SETTINGS_MODULE": "portal.settings",
    }
    import django
    from django.apps import apps
    from django.conf import settings
    from django.core.management import call_command

    django.setup()
    # From the models as they are: the way there takes as long as two stories.
    settings.MIGRATION_MODULES = dict.fromkeys((app.label for app in apps.get_app_configs()), None)
    call_command("migrate", run_syncdb=True, verbosity=0)


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
        if options.ledger:
            print("\n".join(story.ledger))
        for violation in story.violations:
            print(f"seed {seed}: {violation}", flush=True)
        broken += bool(story.violations)
        if (number := seed - options.seed + 1) % PROGRESS == 0:
            print(f"{number:,} stories, {broken} broke a law", file=sys.stderr, flush=True)
    seconds = time.monotonic() - began
    totals = ", ".join(f"{number:,} {name}" for name, number in counts.items())
    summary = f"{options.seeds:,} stories of {options.steps} steps in {seconds:.0f} s: {totals}; {broken} broke a law"
    print(summary, file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    raise SystemExit(main())
