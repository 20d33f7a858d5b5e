"""`manage.py stop_all [--json]`: provisioning off in every tenant, at once."""

from sync.management.base import InstallationCommand, Report
from sync.tenants import services


class Command(InstallationCommand):
    help = "Turns provisioning off in every tenant. `resume_all` turns on again what this turned off."

    def report(self) -> Report:
        return {"stopped": [tenant.slug for tenant in services.stop_all(actor=self.actor)]}

    def in_words(self, report: Report) -> str:
        if not report["stopped"]:
            return "Nothing was on."
        return (
            f"Off: {', '.join(report['stopped'])}. Runs in progress stop within seconds; what is in AWS stays as it is."
        )
