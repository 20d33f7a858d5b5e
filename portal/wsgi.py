import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
application = get_wsgi_application()

from portal.deployment.checks import require_safe_settings  # noqa: E402 - it needs the settings

require_safe_settings()
