import gc

from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "portal"
    verbose_name = "Lockstep portal"

    def ready(self) -> None:
        # A page or a batch makes thousands of objects that end with it: after 700, Python's default, each collection
        # looks at those that are still needed, a twentieth of the time (docs.python.org/3/library/gc.html#gc.set_threshold).
        gc.set_threshold(10_000, 20, 20)
        # Makes the Celery application the default one, so that shared tasks find their broker.
        from portal import celery  # noqa: F401
        from portal.access import sealed_factors, second_factor, sessions, sign_ins  # noqa: F401 - signals, secrets
        from portal.deployment import checks, connections  # noqa: F401 - signals
