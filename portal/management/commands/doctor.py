"""`manage.py doctor [--json]`: what is the matter with this installation, and what to do."""

from collections.abc import Iterator

from django.conf import settings
from django.core.checks import Error

from portal.deployment.checks import check_keys, check_reach
from sync.health.queries.checks import Check, Outcome, checks, passed, worst
from sync.management.base import Exit, InstallationCommand, Report


class Command(InstallationCommand):
    help = "Checks the installation: settings, processes, storage, and what is around it."
    # It says itself what is wrong.

    def report(self) -> Report:
        found = [*settings_checks(), *checks()]
        return {
            "state": worst(found),
            "checks": [
                {
                    "check": check.name,
                    "title": str(check.title),
                    "state": check.outcome.state,
                    "says": check.outcome.says,
                    "figure": check.outcome.figure or None,
                    "remedy": str(check.outcome.remedy) or None,
                }
                for check in found
            ],
        }

    def in_words(self, report: Report) -> str:
        return "\n".join(
            f"{check['state']:8}{check['title']}: {check['says']}"
            + (f"\n{'':8}-> {check['remedy']}" if check["remedy"] else "")
            for check in report["checks"]
        )

    def exit_code(self, report: Report) -> Exit:
        return Exit.FOUND if report["state"] == "failed" else Exit.DONE


def settings_checks() -> Iterator[Check]:
    """What keeps other processes from starting, and what pages lack."""
    problems: list[Error] = [*check_keys(), *check_reach()]
    yield Check("settings", "storage", "Settings", _of_problems(problems))
    manifest = settings.STATIC_ROOT / "staticfiles.json"
    collected = passed(f"{settings.STATIC_ROOT} has them.")
    missing = Outcome("failed", f"{manifest} is not there.", remedy="Call manage.py collectstatic --noinput.")
    yield Check("static", "storage", "Static files", collected if manifest.exists() or settings.DEBUG else missing)


def _of_problems(problems: list[Error]) -> Outcome:
    if not problems:
        return passed("Keys and address are in order.")
    says, remedies = " ".join(one.msg for one in problems), " ".join(str(one.hint) for one in problems)
    return Outcome("failed", says, remedy=remedies)
