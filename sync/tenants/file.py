"""A tenant as one JSON file (docs/tenant-file.md): read and checked as a whole, then applied; and exported.

The file says how things shall be: what it names is made so, sections that it leaves out stay as they are.
Importing the same file twice changes nothing the second time. Secrets come in and never go out.
"""

import unicodedata
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email, validate_slug
from django.db import transaction
from django.utils.translation import gettext as _

from sync.configuration.current import configuration_of
from sync.configuration.drafts import draft_or_current
from sync.configuration.files import reading
from sync.configuration.files.applying import put_into_draft
from sync.configuration.files.section import FileProblem, NotImported, Section
from sync.configuration.files.writing import given, sections, wanted_of
from sync.connection import services
from sync.connection.clients import clouds, scim_endpoint
from sync.models import Adoption, AuditEntry, Configuration, EntraConnection, Interval, NameId, Tenant
from sync.notifications.services import mail_channel, set_mail_address
from sync.rules.wanted import Wanted
from sync.tenants.queries import FLAGS, RANGES, check_safety, safety_of
from sync.tenants.services import (
    NameTaken,
    create_tenant,
    name_is_taken,
    rename_tenant,
    save_provisioning,
    save_safety,
)

VERSION = 1


@dataclass(slots=True)
class TenantFile:
    """The file, checked. None means: the file does not say, leave as it is."""

    name: str = ""
    slug: str = ""
    time_zone: str | None = None
    entra: dict[str, Any] | None = None
    aws: dict[str, Any] | None = None
    wanted: Wanted = field(default_factory=Wanted)
    interval: int | None = None
    notification_email: str | None = None
    notify_on_failure: bool | None = None
    safety: dict[str, Any] = field(default_factory=dict)


def parse(document: Any, environment: Mapping[str, str]) -> TenantFile:
    """Checks everything and raises NotImported with all that is wrong."""
    if not isinstance(document, dict):
        raise NotImported([FileProblem("", _("The file must hold one object in { }."))])
    problems: list[FileProblem] = []
    top = Section(document, "", problems)
    file = TenantFile()
    reading.parse_version(top, VERSION)
    _parse_tenant(top, file)
    _parse_entra(top.section("entra"), file, environment)
    _parse_aws(top.section("aws"), file, environment)
    file.wanted = reading.parse_sections(top, _configuration_of_now(file))
    _parse_schedule(top.section("schedule"), file)
    _parse_notification(top.section("notification"), file)
    _parse_safety(top.section("safety"), file)
    top.finish()
    if problems:
        raise NotImported(problems)
    return file


def _parse_tenant(top: Section, file: TenantFile) -> None:
    file.name = top.text("name", required=True) or ""
    file.slug = top.text("slug") or ""
    file.time_zone = top.text("time_zone")
    if len(file.name) > 100:
        top.wrong("name", _("must have at most 100 characters"))
    if any(unicodedata.category(letter) == "Cc" for letter in file.name):
        top.wrong("name", _("must be one line, without control characters"))
    top.check("slug", file.slug, validate_slug)
    if file.time_zone and file.time_zone not in zoneinfo.available_timezones():
        top.wrong("time_zone", _("is not a time zone of the IANA database, like Europe/Berlin"))


def _parse_entra(entra: Section | None, file: TenantFile, environment: Mapping[str, str]) -> None:
    if entra is None:
        return
    secret = _secret(entra, "secret", environment)
    certificate = _secret(entra, "certificate", environment)
    if secret and certificate:
        entra.wrong("certificate", _("stands beside a secret; give one of them"))
    kind = entra.one_of("credential", EntraConnection.CredentialKind.values)
    file.entra = {
        "cloud": entra.one_of("cloud", clouds()) or "global",
        "directory_id": entra.text("directory_id", required=True) or "",
        "client_id": entra.text("client_id", required=True) or "",
        "credential_kind": kind or ("certificate" if certificate else "secret"),
        "credential": certificate or secret,
        "ends_on": entra.day("ends_on"),
    }
    entra.finish()


def _parse_aws(aws: Section | None, file: TenantFile, environment: Mapping[str, str]) -> None:
    if aws is None:
        return
    file.aws = {
        "endpoint": aws.text("endpoint", required=True) or "",
        "token": _secret(aws, "token", environment),
        "token_created_on": aws.day("token_created_on"),
    }
    if file.aws["endpoint"]:
        try:
            scim_endpoint(file.aws["endpoint"])
        except ValueError as error:
            aws.wrong("endpoint", str(error))
    aws.finish()


def _secret(section: Section, key: str, environment: Mapping[str, str]) -> str | None:
    """The secret itself, or the value of the environment variable that `<key>_env` names."""
    inline, name = section.text(key), section.text(f"{key}_env")
    if name and not environment.get(name):
        section.wrong(f"{key}_env", _("names %(name)s, which is not set in the environment") % {"name": name})
    return inline or (environment.get(name) if name else None) or None


def _parse_schedule(schedule: Section | None, file: TenantFile) -> None:
    if schedule is None:
        return
    file.interval = schedule.number("interval_minutes")
    if file.interval is not None and file.interval not in Interval.values:
        minutes = ", ".join(str(value) for value in Interval.values)
        schedule.wrong("interval_minutes", _("must be one of: %(all)s") % {"all": minutes})
    schedule.finish()


def _parse_notification(notification: Section | None, file: TenantFile) -> None:
    if notification is None:
        return
    file.notification_email = notification.text("email")
    file.notify_on_failure = notification.flag("on_failure")
    notification.check("email", file.notification_email or "", validate_email)
    if file.notify_on_failure and not file.notification_email:
        notification.wrong("email", _("is required when on_failure is true"))
    notification.finish()


def _parse_safety(section: Section | None, file: TenantFile) -> None:
    """What the section does not name stays as it is."""
    if section is None:
        return
    values: dict[str, Any] = {
        "delete_after_days": section.number("delete_after_days"),
        "adoption": section.one_of("adoption", Adoption.values),
        "name_id": section.one_of("name_id", NameId.values),
        "never_touch": section.texts("never_touch"),
        **{name: section.flag(name) for name in FLAGS},
    }
    limits = section.section("limits")
    found = {name: limits.number(name) for name in RANGES} if limits else {}
    values["limits"] = {name: value for name, value in found.items() if value is not None}
    file.safety = {name: value for name, value in values.items() if value is not None}
    for name, reason in check_safety(file.safety).items():
        (limits if limits and name in RANGES else section).wrong(name, reason)
    if limits:
        limits.finish()
    section.finish()


@transaction.atomic
def import_tenant(*, actor: str, document: Any, environment: Mapping[str, str]) -> tuple[Tenant, list[AuditEntry]]:
    """Makes the tenant as the file says, its configuration in the draft; all or nothing. Returns the audit entries of what changed.

    Raises NotImported with every problem that the file has.
    """
    file = parse(document, environment)
    last = AuditEntry.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    tenant = _tenant(file, actor)
    _apply_connections(tenant, file, actor)
    put_into_draft(tenant=tenant, actor=actor, wanted=file.wanted)
    _apply_provisioning(tenant, file, actor)
    return tenant, list(AuditEntry.objects.filter(pk__gt=last, tenant=tenant, actor=actor).order_by("pk"))


def _tenant(file: TenantFile, actor: str) -> Tenant:
    tenant = _known_tenant(file)
    if tenant is None:
        if name_is_taken(file.name):
            raise _taken(file)
        return create_tenant(actor=actor, name=file.name, slug=file.slug or None, time_zone=file.time_zone or "UTC")
    try:
        rename_tenant(tenant=tenant, actor=actor, name=file.name, time_zone=file.time_zone or tenant.time_zone)
    except NameTaken:
        raise _taken(file) from None
    return tenant


def _known_tenant(file: TenantFile) -> Tenant | None:
    """Found by slug, or by name when the file gives no slug."""
    known = Tenant.objects.select_for_update()
    return known.filter(slug=file.slug).first() if file.slug else known.filter(name=file.name).first()


def _configuration_of_now(file: TenantFile) -> Configuration | None:
    tenant = _known_tenant(file)
    return draft_or_current(tenant) if tenant else None


def _taken(file: TenantFile) -> NotImported:
    reason = _("“%(name)s” is the name of a tenant with another slug") % {"name": file.name}
    return NotImported([FileProblem("name", reason)])


def _apply_connections(tenant: Tenant, file: TenantFile, actor: str) -> None:
    if file.entra:
        try:
            services.save_entra(tenant=tenant, actor=actor, **file.entra)
        except ValidationError as error:
            raise NotImported([FileProblem("entra", text) for text in error.messages]) from error
    if file.aws:
        try:
            services.save_aws(tenant=tenant, actor=actor, **file.aws)
        except ValidationError as error:
            raise NotImported([FileProblem("aws.token", text) for text in error.messages]) from error
        except ValueError as error:
            raise NotImported([FileProblem("aws", str(error))]) from error


def _apply_provisioning(tenant: Tenant, file: TenantFile, actor: str) -> None:
    if file.interval is not None:
        save_provisioning(tenant=tenant, actor=actor, interval=file.interval)
    _apply_notification(tenant, file, actor)
    if file.safety:
        _apply_safety(tenant, file.safety, actor)


def _apply_notification(tenant: Tenant, file: TenantFile, actor: str) -> None:
    now = _notification(tenant)
    email = now["email"] if file.notification_email is None else file.notification_email
    on = now["on_failure"] if file.notify_on_failure is None else file.notify_on_failure
    if (email, on) != (now["email"], now["on_failure"]):
        set_mail_address(tenant=tenant, actor=actor, email=email, on=on)


def _notification(tenant: Tenant) -> dict[str, Any]:
    """The first e-mail channel; others are made on their page."""
    channel = mail_channel(tenant)
    return {"email": channel.email if channel else "", "on_failure": bool(channel and channel.on)}


def _apply_safety(tenant: Tenant, values: dict[str, Any], actor: str) -> None:
    """A limit may fit the file alone but not the tenant's other limits."""
    try:
        save_safety(tenant=tenant, actor=actor, **values)
    except ValidationError as error:
        problems = [FileProblem(f"safety.{name}", " ".join(texts)) for name, texts in error.message_dict.items()]
        raise NotImported(problems) from error


def export_tenant(tenant: Tenant) -> dict[str, Any]:
    """The file of a tenant, without its secrets; importing it again changes nothing."""
    return {
        "version": VERSION,
        "name": tenant.name,
        "slug": tenant.slug,
        "time_zone": tenant.time_zone,
        **_exported_connections(tenant),
        **sections(wanted_of(configuration_of(tenant))),
        "schedule": {"interval_minutes": tenant.interval},
        "notification": _notification(tenant),
        "safety": safety_of(tenant),
    }


def _exported_connections(tenant: Tenant) -> dict[str, Any]:
    parts: dict[str, Any] = {}
    entra, aws = tenant.entra, tenant.aws
    if entra.directory_id:
        parts["entra"] = given(
            cloud=entra.cloud,
            directory_id=entra.directory_id,
            client_id=entra.client_id,
            credential=entra.credential_kind,
            ends_on=_day(entra.credential_ends_on),
        )
    if aws.endpoint:
        parts["aws"] = given(endpoint=aws.endpoint, token_created_on=_day(aws.token_created_on))
    return parts


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None
