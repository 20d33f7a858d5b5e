"""`manage.py stop_all [--json]`: provisioning off in every tenant, at once."""

from sync.management.base import InstallationCommand, Report
from sync.tenants import services


class Command(InstallationCommand):
    help = "Turns provisioning off in every tenant. `resume_all` turns on again what this turned off."

    def report(self) -> Report:
        found = services.stop_all(actor=self.actor)
        return {
            "stopped": [tenant.slug for tenant in found if tenant.stopped_with_all],
            "paused_before": [tenant.slug for tenant in found if not tenant.stopped_with_all],
        }

    def in_words(self, report: Report) -> str:
        off, paused = ", ".join(report["stopped"]), ", ".join(report["paused_before"])
        lines = [f"Off: {off}. Runs in progress stop within seconds; what is in AWS stays as it is."] if off else []
        lines += [f"Paused before, and off for good: {paused}."] if paused else []
        return "\n".join(lines) or "Nothing was on."
