import os

from django.core.wsgi import get_wsgi_application

from portal.deployment.starting import HALT_GUNICORN, failing_in_words, keep_memory_off_the_disk, require_ready

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
keep_memory_off_the_disk()
with failing_in_words(HALT_GUNICORN):
    application = get_wsgi_application()
    # Without its tables it says so under /readyz and on every page.
    require_ready(migrated=False)
