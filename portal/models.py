"""People who sign in, and what they may do. A person signs in by e-mail; there is no user name."""

from datetime import timedelta
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from sync.models import Tenant


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username)


class User(AbstractBaseUser):
    class Appearance(models.TextChoices):
        SYSTEM = "system", _("As the system")
        LIGHT = "light", _("Light")
        DARK = "dark", _("Dark")

    class Density(models.TextChoices):
        COMFORTABLE = "comfortable", _("Comfortable")
        COMPACT = "compact", _("Compact")

    email = models.EmailField(_("e-mail"), unique=True)
    name = models.CharField(_("name"), max_length=200, blank=True)
    is_active = models.BooleanField(default=True)
    # A password that somebody else set: then it stops working, and until then it has to be changed first. None: chosen.
    password_ends_at = models.DateTimeField(null=True, blank=True)
    # Empty: as the browser asks.
    language = models.CharField(_("language"), max_length=10, blank=True, default="")
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC")
    # Directory and object id of Entra, of whoever signs in with Microsoft.
    microsoft_key = models.CharField(max_length=80, unique=True, null=True, blank=True)
    # What Entra says at each sign-in decides the roles; else Owners do.
    roles_from_microsoft = models.BooleanField(default=False)
    appearance = models.CharField(_("appearance"), max_length=6, choices=Appearance, default=Appearance.SYSTEM)
    # How close the rows of tables stand.
    density = models.CharField(_("density of tables"), max_length=11, choices=Density, default=Density.COMFORTABLE)
    shortcuts = models.BooleanField(_("keyboard shortcuts"), default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    # Of whoever asks for a page, as of its beginning (portal/access/backend.py).
    has_second_factor: bool

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_any_case")]

    def __str__(self) -> str:
        return self.name or self.email

    @cached_property
    def roles(self) -> "dict[int | None, Role]":
        """By tenant; None: for all of them. As of the request that the person makes."""
        return {grant.tenant_id: Role(grant.role) for grant in self.grants.all()}

    def forget_roles(self) -> None:
        """They are others now."""
        self.__dict__.pop("roles", None)

    def check_password(self, raw_password: str | None) -> bool:
        ended = self.password_ends_at is not None and self.password_ends_at <= timezone.now()
        # Both are asked, so that an ended password takes as long as any other.
        return super().check_password(raw_password) and not ended


class SignedIn(models.Model):
    """A session, as its person knows it: where it began, and when something was done last."""

    user = models.ForeignKey(User, models.CASCADE, related_name="signed_in")
    session_key = models.CharField(max_length=40, unique=True)
    address = models.GenericIPAddressField()
    browser = models.CharField(max_length=300, blank=True)
    began_at = models.DateTimeField(auto_now_add=True)
    seen_at = models.DateTimeField(auto_now=True)


class TryCount(models.Model):
    """Tries at sign-in: of one account at one place, and misses of an account or of a place (portal/access/throttle.py)."""

    key = models.CharField(max_length=32, unique=True)
    tries = models.PositiveIntegerField(default=0)
    waits_until = models.DateTimeField(null=True)
    misses = models.PositiveIntegerField(default=0)
    since = models.DateTimeField(auto_now_add=True, db_index=True)


class Role(models.TextChoices):
    VIEWER = "viewer", _("Viewer")
    HELPDESK = "helpdesk", _("Helpdesk")
    OPERATOR = "operator", _("Operator")
    CONFIGURATOR = "configurator", _("Configurator")
    APPROVER = "approver", _("Approver")
    OWNER = "owner", _("Owner")


class RoleGrant(models.Model):
    """A role of a person: for one tenant, or (tenant empty) for all of them. Owners are always for all."""

    user = models.ForeignKey(User, models.CASCADE, related_name="grants")
    tenant = models.ForeignKey(Tenant, models.CASCADE, null=True, blank=True, related_name="grants")
    role = models.CharField(max_length=12, choices=Role)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "tenant"], name="one_role_per_tenant"),
            models.UniqueConstraint(fields=["user"], condition=models.Q(tenant=None), name="one_role_for_all"),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.get_role_display()}"


class Scope(models.TextChoices):
    """What an API token is for, at most: its person's roles still decide (portal/access/api_tokens.py)."""

    READ = "read", _("Read status, runs, people, groups and what is held")
    SYNC = "sync", _("Start syncs and previews")
    PREVIEW = "preview", _("Preview a draft")
    DECIDE = "decide", _("Approve or keep what is held")


# Whoever has left is known by Entra, and here at the next sign-in only, which never comes.
ENTRA_SAID_SO = timedelta(days=30)


class ApiToken(models.Model):
    """Of a script that acts for a person. Only a hash is kept; `start` is what one recognises it by."""

    user = models.ForeignKey(User, models.CASCADE, related_name="tokens")
    # None: all tenants that the person sees.
    tenant = models.ForeignKey(Tenant, models.CASCADE, null=True, blank=True, related_name="tokens")
    name = models.CharField(max_length=100)
    start = models.CharField(max_length=20)
    digest = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list)
    made_at = models.DateTimeField(auto_now_add=True)
    ends_at = models.DateTimeField()
    # So many days before the end its person was told last; at first those with which it began.
    told_days = models.PositiveSmallIntegerField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    last_used_from = models.GenericIPAddressField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.name

    @property
    def ended(self) -> bool:
        return self.ends_at <= timezone.now()

    @property
    def rests(self) -> bool:
        """Its person's roles follow Entra, which was not asked for long: until the person signs in again."""
        asked_at = self.user.last_login or self.user.created_at
        return self.user.roles_from_microsoft and asked_at < timezone.now() - ENTRA_SAID_SO

    @property
    def scopes_held(self) -> list[Scope]:
        """In their order."""
        return [scope for scope in Scope if scope in self.scopes]
