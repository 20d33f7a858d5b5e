"""`manage.py resume_all [--json]`: on again what `stop_all` turned off, where it can be."""

from django.core.management.base import CommandError

from sync.management.base import Exit, InstallationCommand, Report
from sync.management.commands.turn_on import turn_on
from sync.tenants import services


class Command(InstallationCommand):
    help = "Turns on again what `stop_all` turned off. What somebody turned on or off since stays as it is."

    def report(self) -> Report:
        resumed, refused = [], {}
        for tenant in services.stopped_with_all():
            try:
                turn_on(tenant, self.actor)
            except CommandError as error:
                refused[tenant.slug] = str(error)
            else:
                resumed.append(tenant.slug)
        return {"resumed": resumed, "refused": refused}

    def in_words(self, report: Report) -> str:
        resumed = f"On: {', '.join(report['resumed'])}." if report["resumed"] else "Nothing was turned on."
        return "\n".join([resumed, *report["refused"].values()])

    def exit_code(self, report: Report) -> Exit:
        return Exit.FOUND if report["refused"] else Exit.DONE
