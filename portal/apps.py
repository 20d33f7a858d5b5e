from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "portal"
    verbose_name = "Lockstep portal"

    def ready(self) -> None:
        # Makes the Celery application the default one, so that shared tasks find their broker.
        from portal import celery  # noqa: F401
        from portal.access import sealed_factors, second_factor, sessions, sign_ins  # noqa: F401 - signals, secrets
        from portal.deployment import checks, connections  # noqa: F401 - signals
