"""`manage.py up`: the whole product on one machine, with its embedded parts; the rehearsal lab only where it is asked for."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal.deployment import environ
from portal.deployment.embedded import Address, locked, make_keys, start_product
from portal.deployment.processes import CannotStart, StopRequested, Supervisor, say


class Command(BaseCommand):
    help = "Runs Lockstep with its embedded parts."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--demo", action="store_true", help="make an Owner and a tenant that is wired to the lab")
        parser.add_argument("--lab", action="store_true", help="with the rehearsal lab, and allow tenants to use it")
        parser.add_argument(
            "--insecure", action="store_true", help="listen for others without TLS: passwords and secrets can be read"
        )
        parser.add_argument("--bind", default="127.0.0.1:8000", help="address and port of the web server")
        parser.add_argument("--state", help="folder of everything that is kept (default: var/)")

    def handle(self, *args: Any, **options: Any) -> None:
        address = Address.parse(options["bind"])
        address.check_reach(insecure=options["insecure"])
        state = Path(options["state"] or settings.STATE_DIR).resolve()
        with locked(state) as lock:
            address.check_free()
            supervisor = Supervisor(say, settings.BASE_DIR, kept_open=[lock])
            make_keys(state)
            try:
                start_product(
                    supervisor,
                    state,
                    address,
                    lab=options["lab"] or options["demo"],
                    demo=options["demo"],
                    insecure=options["insecure"],
                )
                supervisor.watch()
            except StopRequested:
                pass
            except CannotStart as error:
                raise CommandError(str(error)) from error
            finally:
                say("up", "stopping")
                supervisor.stop()
                environ.remembered(state).unlink(missing_ok=True)
