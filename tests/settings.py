"""Test settings: the product's own, with throw-away keys, in-memory mail and no waiting for password hashes."""

import os
import tempfile

# One folder per test process: parallel ones must not meet in it.
os.environ["STATE_DIR"] = tempfile.mkdtemp(prefix="lockstep-test-")
os.environ.setdefault("SECRET_KEY", "test-" + "k" * 60)
os.environ.setdefault("SEAL_KEYS", "test:" + "A" * 43 + "=")
os.environ.setdefault("BROKER_URL", "memory://")

from portal.settings import *
from portal.settings import DATABASES, STATE_DIR

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # A file, as in the product: threads with connections of their own meet in it.
    DATABASES["default"]["TEST"] = {"NAME": str(STATE_DIR / "test.sqlite3")}

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
# As in the product: what is no JSON shows itself.
CACHES = {"default": {"BACKEND": "portal.deployment.cache.SealedFileCache", "LOCATION": str(STATE_DIR / "cache")}}
(STATE_DIR / "static").mkdir(parents=True, exist_ok=True)
