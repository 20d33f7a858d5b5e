"""Settings of Lockstep: one file, every value that differs between installations from the environment."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from portal.deployment import addresses, environ, extra_hosts, limits, microsoft

BASE_DIR = Path(__file__).resolve().parent.parent
VERSION = "1.0.0"

STATE_DIR = Path(environ.text("STATE_DIR", str(BASE_DIR / "var")))
environ.recall(STATE_DIR)
PUBLIC_URL = addresses.origin("PUBLIC_URL", "http://localhost:8000")
SERVED_BY_HTTPS = PUBLIC_URL.startswith("https://")
# Served to others without TLS all the same (portal/deployment/checks.py).
INSECURE = environ.flag("INSECURE")

# Both are required (portal/deployment/checks.py); only building the image goes without them.
SECRET_KEY = environ.secret("SECRET_KEY", STATE_DIR / "secret.key")
# Key ring for stored secrets: lines of `id:base64 of 32 bytes`; the first seals, all of them open.
SEAL_KEYS = environ.secret("SEAL_KEYS", STATE_DIR / "seal.keys")
DEBUG = environ.flag("DEBUG")
# `up --demo` sets it: see portal/access/demo.py.
DEMO = environ.flag("DEMO")
ALLOWED_HOSTS = [
    *environ.allowed_hosts("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]"),
    addresses.host_of(PUBLIC_URL),
]
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]

INSTALLED_APPS = [
    "portal.apps.PortalConfig",
    "sync.apps.SyncConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "csp",
    "django_htmx",
    "template_partials",
]

MIDDLEWARE = [
    "portal.deployment.health.HealthMiddleware",
    "portal.frame.middleware.ContextMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "portal.frame.middleware.HeadersMiddleware",
    "portal.frame.middleware.StaticMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "portal.frame.middleware.InputMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "portal.frame.middleware.RequestMiddleware",
    "portal.access.middleware.SignInMiddleware",
]

ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.frame.context.frame",
            ],
            "builtins": ["portal.templatetags.lockstep", "django.templatetags.i18n"],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

DATABASES = {
    "default": {
        **addresses.database("DATABASE_URL", STATE_DIR / "lockstep.sqlite3"),
        # A pooler that hands out a connection for one transaction only loses them in between (Django's documentation,
        # "Transaction pooling and server-side cursors").
        "DISABLE_SERVER_SIDE_CURSORS": environ.flag("DISABLE_SERVER_SIDE_CURSORS"),
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "portal.User"
# Who can approve, and who is an Owner: asked by sync, which knows of no people.
PEOPLE = "portal.access.approvers"
AUTHENTICATION_BACKENDS = ["portal.access.backend.Backend"]
# The first one makes, all of them check; whoever signs in with an older one gets the first.
PASSWORD_HASHERS = ["portal.access.passwords.Argon2id", "django.contrib.auth.hashers.PBKDF2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "portal.access.passwords.ContextValidator"},
    {"NAME": "portal.access.passwords.BreachedValidator"},
]
# Seconds until the link with which somebody chooses a password ends, and a first password that was not changed.
PASSWORD_RESET_TIMEOUT = 3 * 24 * 60 * 60
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "tenants"
ACCOUNT_ADAPTER = "portal.access.allauth_adapter.ClosedAccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_SESSION_REMEMBER = False
# Tries are counted in portal/access/throttle.py, so that nobody is locked out by somebody else.
ACCOUNT_RATE_LIMITS = {"login": None, "login_failed": None}
MFA_RATE_LIMITS = {"webauthn_login": None}
# Seconds for which whoever has just signed in is not asked again.
ACCOUNT_REAUTHENTICATION_TIMEOUT = 15 * 60

MFA_ADAPTER = "portal.access.allauth_adapter.SealedMFAAdapter"
MFA_FORMS = {
    "authenticate": "portal.access.allauth_adapter.CodeForm",
    "reauthenticate": "portal.access.allauth_adapter.CodeAgainForm",
    "authenticate_webauthn": "portal.access.passkey_forms.SecondStepForm",
    "reauthenticate_webauthn": "portal.access.passkey_forms.AgainForm",
    "login_webauthn": "portal.access.passkey_forms.SignInForm",
}
MFA_SUPPORTED_TYPES = ["webauthn", "totp", "recovery_codes"]
# A passkey signs in by itself, so it has to check who holds it: a PIN, a finger, a face (WebAuthn level 3, section 1.2).
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_USER_VERIFICATION = "required"
# An Owner made the account for this address: nobody can take somebody else's by claiming it first.
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_TOTP_ISSUER = "Lockstep"
MFA_TOTP_PERIOD = 30
# In periods, to each side (RFC 6238 section 5.2).
MFA_TOTP_TOLERANCE = 1
MFA_RECOVERY_CODES_SHOW_ONCE = True

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "/static/"
# An image holds them beside the code: its state begins empty.
STATIC_ROOT = Path(environ.text("STATIC_DIR", str(STATE_DIR / "static")))
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
# Pages name no other: half as many to compress at the first start.
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
# No other site has a use for our styles and scripts.
WHITENOISE_ALLOW_ALL_ORIGINS = False

BODY_BYTES, FILE_BODY_BYTES = limits.BODY_BYTES, limits.FILE_BODY_BYTES
DATA_UPLOAD_MAX_MEMORY_SIZE = FILE_UPLOAD_MAX_MEMORY_SIZE = FILE_BODY_BYTES
# Nothing of it is written to the disk.
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}
# portal/access/sessions.py keeps both.
SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_IDLE_SECONDS = 30 * 60
# Browsers send a host's cookies to all its ports (RFC 6265 section 8.5): two installations keep apart by name.
COOKIE_END = f"-{port}" if (port := urlsplit(PUBLIC_URL).port) else ""
SESSION_COOKIE_NAME = ("__Host-session" if SERVED_BY_HTTPS else "session") + COOKIE_END
SESSION_COOKIE_SECURE = SERVED_BY_HTTPS
# Which browsers somebody has signed in with (portal/access/throttle.py).
DEVICE_COOKIE_NAME = ("__Host-device" if SERVED_BY_HTTPS else "device") + COOKIE_END
CSRF_COOKIE_NAME = ("__Host-csrf" if SERVED_BY_HTTPS else "csrf") + COOKIE_END
CSRF_COOKIE_SECURE = SERVED_BY_HTTPS
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "portal.frame.errors.csrf_failure"
SECURE_SSL_REDIRECT = SERVED_BY_HTTPS
# Of other hosts under this name, and of lists that browsers ship, only the owner of the domain can decide.
SECURE_HSTS_SECONDS = environ.number("HSTS_SECONDS", 365 * 24 * 3600) if SERVED_BY_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = environ.flag("HSTS_SUBDOMAINS")
SECURE_HSTS_PRELOAD = environ.flag("HSTS_PRELOAD")
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
# In the session: a cookie could be forged with the signing key, and it would name people.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
CSRF_COOKIE_AGE = None
BEHIND_PROXY = environ.flag("BEHIND_PROXY")
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
# Each of them adds an address to X-Forwarded-For; so many of its last ones are believed (portal/access/throttle.py).
PROXIES = environ.number("PROXIES", 1, least=1) if BEHIND_PROXY else 0
X_FRAME_OPTIONS = "DENY"

BROKER_URL = addresses.broker("BROKER_URL", f"redis+socket://{STATE_DIR / 'run' / 'valkey.sock'}")


def _cache(broker: str) -> dict[str, Any]:
    """Sign-in throttling needs counters that all web processes share: the broker's server where it is Redis."""
    if broker.startswith("redis+socket://"):
        broker = "unix://" + broker.removeprefix("redis+socket://") + "?db=1"
    if not broker.startswith(("unix://", "redis://", "rediss://")):
        return {"BACKEND": "portal.deployment.cache.SealedFileCache", "LOCATION": str(STATE_DIR / "cache")}
    return {
        "BACKEND": "portal.deployment.redis_cache.PatientRedisCache",
        "LOCATION": broker,
        "OPTIONS": {
            "serializer": "portal.deployment.cache.SealedJson",
            # Seconds: a page waits no longer for a server that keeps silent.
            "socket_connect_timeout": 2,
            "socket_timeout": 2,
        },
    }


CACHES = {"default": _cache(BROKER_URL)}

EMAIL_BACKEND = (
    "django.core.mail.backends.smtp.EmailBackend"
    if environ.text("SMTP_HOST")
    else "portal.deployment.json_logs.MailBackend"
)
EMAIL_HOST = environ.host("SMTP_HOST", "localhost")
EMAIL_PORT = environ.number("SMTP_PORT", 587, most=65535)
EMAIL_HOST_USER = environ.text("SMTP_USER")
EMAIL_HOST_PASSWORD = environ.secret("SMTP_PASSWORD")
EMAIL_USE_SSL = environ.flag("SMTP_TLS", EMAIL_PORT == 465)
EMAIL_USE_TLS = environ.flag("SMTP_STARTTLS", bool(EMAIL_HOST_USER) and not EMAIL_USE_SSL)
if EMAIL_USE_SSL and EMAIL_USE_TLS:
    raise ImproperlyConfigured("SMTP_TLS and SMTP_STARTTLS are both on: a mail server takes one of them. Set one to 0.")
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = environ.mail_address("MAIL_FROM", "Lockstep <lockstep@localhost>")

# With which app of Entra people sign in, and what it makes them here (portal/deployment/microsoft.py).
MICROSOFT_SIGN_IN = microsoft.parse(environ.text("MICROSOFT_SIGN_IN"))
MICROSOFT_SIGN_IN_SECRET = environ.secret("MICROSOFT_SIGN_IN_SECRET")
EXTRA_CLOUDS = extra_hosts.clouds("EXTRA_CLOUDS")
EXTRA_SCIM_HOSTS = extra_hosts.scim_hosts("EXTRA_SCIM_HOSTS")
# Where the rehearsal lab's console is, as `up --lab` says it: pages link to it and offer its values.
LAB_CONSOLE = extra_hosts.lab_console("LAB_CONSOLE")

# The way out to Microsoft, AWS and the hosts above. The proxy's URL may hold a password: Django's error page hides SECRET.
OUTBOUND_PROXY_SECRET = addresses.proxy("OUTBOUND_PROXY")
OUTBOUND_CA_FILE = environ.ca_file("OUTBOUND_CA_FILE")

# Hosts, with their port where the address has one, that webhooks may reach though they are not public.
NOTIFY_HOSTS = environ.words("NOTIFY_HOSTS")

# Where lines of the audit log go to (sync/worker/audit_shipping.py). The URL may hold a secret, as does the token.
AUDIT_SHIP_TO = addresses.audit_destination("AUDIT_SHIP_TO")
AUDIT_SHIP_TOKEN = environ.secret("AUDIT_SHIP_TOKEN")

# Workload identity federation: where a token of this workload comes from, with which apps sign in to Entra without a
# secret. A file that the platform renews (AKS and the Azure workload identity webhook name theirs), or AWS STS.
FEDERATED_TOKEN_FILE = environ.text("FEDERATED_TOKEN_FILE") or environ.text("AZURE_FEDERATED_TOKEN_FILE")
FEDERATED_TOKEN_STS_REGION = environ.text("FEDERATED_TOKEN_STS_REGION")

# Requests a second of a run. AWS allows 20 for all clients together; a support case raises that (quotas page).
# Below AWS's 20 requests a second: tests and live reads take 2 of them.
SCIM_RATE = environ.number("SCIM_RATE", 18)
# Whoever has it may read /metrics; without one, only this machine.
METRICS_TOKEN = environ.secret("METRICS_TOKEN")
# For how many days rows are kept; 0: for ever (sync/retention).
KEEP_BODIES_DAYS = environ.number("KEEP_BODIES_DAYS", 30, least=0)
KEEP_LOG_DAYS = environ.number("KEEP_LOG_DAYS", 400, least=0)
KEEP_LEAVERS_DAYS = environ.number("KEEP_LEAVERS_DAYS", 0, least=0)
KEEP_IDLE_DAYS = environ.number("KEEP_IDLE_DAYS", 7, least=0)
KEEP_PLANS_DAYS = environ.number("KEEP_PLANS_DAYS", 30, least=0)
KEEP_FINDINGS_DAYS = environ.number("KEEP_FINDINGS_DAYS", 90, least=0)
KEEP_DELIVERIES_DAYS = environ.number("KEEP_DELIVERIES_DAYS", 90, least=0)
KEEP_SNAPSHOTS_DAYS = environ.number("KEEP_SNAPSHOTS_DAYS", 30, least=0)
LEASE_SECONDS = environ.number("LEASE_SECONDS", 25)
LOG_LEVEL = environ.choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"))
LOGGING_CONFIG = "portal.deployment.json_logs.configure"
LOGGING = {"level": LOG_LEVEL}
