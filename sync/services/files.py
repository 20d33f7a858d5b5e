"""A tenant as one JSON file (docs/tenant-file.md): read and checked as a whole, then applied; and exported.

The file says how things shall be: what it names is made so, sections that it leaves out stay as they are.
Importing the same file twice changes nothing the second time. Secrets come in and never go out.
"""

import uuid
import zoneinfo
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError
from django.core.validators import validate_email, validate_slug
from django.db import transaction
from django.utils.translation import gettext as _

from sync import audit, mapping
from sync.clients import clouds, scim_endpoint
from sync.directory import Found
from sync.models import Adoption, AttributeMapping, AuditEntry, Interval, NameId, Tenant
from sync.services import configurations, connections, runs, safety, tenants
from sync.services.tenants import configuration_of

VERSION = 1
# The file says "people", the rows say "user".
OBJECTS = {"people": "user", "groups": "group"}
KINDS = tuple(AttributeMapping.Kind.values)
APPLIES = {"always": "always", "only when created": "create"}
EMPTIES = {"clear": "clear", "keep": "keep"}


class Problem(NamedTuple):
    """What is wrong at which place of the file: path like `mappings.people[3].source`."""

    path: str
    reason: str

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}" if self.path else self.reason


class NotImported(Exception):
    """Nothing was changed; `problems` says why, all of it at once."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


@dataclass(slots=True)
class TenantFile:
    """The file, checked. None means: the file does not say, leave as it is."""

    name: str = ""
    slug: str = ""
    time_zone: str | None = None
    entra: dict[str, Any] | None = None
    aws: dict[str, Any] | None = None
    mappings: dict[str, list[mapping.Mapping]] = field(default_factory=dict)
    assignments: list[Found] | None = None
    interval: int | None = None
    notification_email: str | None = None
    notify_on_failure: bool | None = None
    safety: dict[str, Any] = field(default_factory=dict)


class Section:
    """One object of the file while it is read: hands out typed values, notes what is wrong and where."""

    def __init__(self, data: Mapping[str, Any], path: str, problems: list[Problem]) -> None:
        self.data, self.path, self.problems = dict(data), path, problems
        self.seen: set[str] = set()

    def at(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key

    def wrong(self, key: str, reason: str) -> None:
        self.problems.append(Problem(self.at(key) if key else self.path, reason))

    def take(self, key: str, kind: type | tuple[type, ...], must: str) -> Any:
        """The value, or None when it is missing, null or of another type (which is noted)."""
        self.seen.add(key)
        value = self.data.get(key)
        # bool is an int in Python, but not in JSON.
        if value is None or (isinstance(value, kind) and not (kind is int and isinstance(value, bool))):
            return value
        self.wrong(key, must)
        return None

    def text(self, key: str, required: bool = False) -> str | None:
        value = self.take(key, str, _("must be text in quotes"))
        if required and not value and self.at(key) not in {problem.path for problem in self.problems}:
            self.wrong(key, _("is required"))
        return value if value is None else str(value).strip()

    def number(self, key: str) -> int | None:
        value: int | None = self.take(key, int, _("must be a whole number"))
        return value

    def flag(self, key: str) -> bool | None:
        value: bool | None = self.take(key, bool, _("must be true or false"))
        return value

    def day(self, key: str) -> date | None:
        text = self.text(key)
        try:
            return date.fromisoformat(text) if text else None
        except ValueError:
            self.wrong(key, _("must be a date like 2026-11-23"))
            return None

    def one_of(self, key: str, allowed: Iterable[str]) -> str | None:
        value, choices = self.text(key), list(allowed)
        if value is None or value in choices:
            return value
        words = {"value": value, "all": ", ".join(choices)}
        self.wrong(key, _("is “%(value)s”; must be one of: %(all)s") % words)
        return None

    def texts(self, key: str) -> list[str] | None:
        values: list[Any] | None = self.take(key, list, _("must be a list in [ ]"))
        if values is not None and not all(isinstance(value, str) for value in values):
            self.wrong(key, _("must be a list of texts in quotes"))
            return None
        return values

    def section(self, key: str) -> "Section | None":
        value = self.take(key, dict, _("must be an object in { }"))
        return None if value is None else Section(value, self.at(key), self.problems)

    def rows(self, key: str) -> "list[Section] | None":
        values = self.take(key, list, _("must be a list in [ ]"))
        if values is None:
            return None
        good = [(n, value) for n, value in enumerate(values) if isinstance(value, dict)]
        for n in sorted(set(range(len(values))) - {n for n, _value in good}):
            self.wrong(f"{key}[{n}]", _("must be an object in { }"))
        return [Section(value, self.at(f"{key}[{n}]"), self.problems) for n, value in good]

    def finish(self) -> None:
        known = ", ".join(sorted(self.seen))
        for key in sorted(self.data.keys() - self.seen):
            self.wrong(key, _("is not known; this place takes: %(keys)s") % {"keys": known})


def parse(document: Any, environment: Mapping[str, str]) -> TenantFile:
    """Checks everything and raises NotImported with all that is wrong."""
    if not isinstance(document, dict):
        raise NotImported([Problem("", _("The file must hold one object in { }."))])
    problems: list[Problem] = []
    top = Section(document, "", problems)
    file = TenantFile()
    _parse_version(top)
    _parse_tenant(top, file)
    _parse_entra(top.section("entra"), file, environment)
    _parse_aws(top.section("aws"), file, environment)
    _parse_mappings(top.section("mappings"), file)
    _parse_assignments(top.rows("assignments"), file)
    _parse_schedule(top.section("schedule"), file)
    _parse_notification(top.section("notification"), file)
    _parse_safety(top.section("safety"), file)
    top.finish()
    if problems:
        raise NotImported(problems)
    return file


def _parse_version(top: Section) -> None:
    if (version := top.number("version")) not in {None, VERSION}:
        top.wrong("version", _("is %(version)s; this Lockstep reads version %(known)s") % {
            "version": version, "known": VERSION,
        })  # fmt: skip


def _parse_tenant(top: Section, file: TenantFile) -> None:
    file.name = top.text("name", required=True) or ""
    file.slug = top.text("slug") or ""
    file.time_zone = top.text("time_zone")
    if len(file.name) > 100:
        top.wrong("name", _("must have at most 100 characters"))
    _check(top, "slug", file.slug, validate_slug)
    if file.time_zone and file.time_zone not in zoneinfo.available_timezones():
        top.wrong("time_zone", _("is not a time zone of the IANA database, like Europe/Berlin"))


def _parse_entra(entra: Section | None, file: TenantFile, environment: Mapping[str, str]) -> None:
    if entra is None:
        return
    secret = _secret(entra, "secret", environment)
    certificate = _secret(entra, "certificate", environment)
    if secret and certificate:
        entra.wrong("certificate", _("stands beside a secret; give one of them"))
    kind = entra.one_of("credential", ["secret", "certificate"])
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


def _parse_mappings(mappings: Section | None, file: TenantFile) -> None:
    if mappings is None:
        return
    for plural, object_type in OBJECTS.items():
        rows = mappings.rows(plural)
        if rows is not None:
            file.mappings[object_type] = [_parse_row(row, n) for n, row in enumerate(rows, start=1)]
            _check_rules(rows, object_type, file.mappings[object_type])
    mappings.finish()


def _parse_row(row: Section, position: int) -> mapping.Mapping:
    rule = mapping.Mapping(
        target=row.text("target", required=True) or "",
        kind=row.one_of("type", KINDS) or "direct",  # type: ignore[arg-type]
        source=row.text("source") or "",
        default=row.text("default") or "",
        apply=APPLIES[row.one_of("when", APPLIES) or "always"],  # type: ignore[arg-type]
        matching=row.number("match"),
        when_empty=EMPTIES[row.one_of("if_emptied", EMPTIES) or "clear"],  # type: ignore[arg-type]
        position=position,
    )
    row.finish()
    return rule


def _check_rules(rows: list[Section], object_type: str, rules: list[mapping.Mapping]) -> None:
    """The template's own rows pass, as they do on the page, even where AWS would refuse their result."""
    template = {configurations.facts_key(rule) for rule in configurations.template(object_type)}
    for row, rule in zip(rows, rules, strict=True):
        others = [other for other in rules if other is not rule]
        twice = any(other.target == rule.target for other in others)
        if configurations.facts_key(rule) in template and not twice:
            continue
        for problem in mapping.check_mapping(rule, others, object_type):
            row.wrong(FILE_NAMES.get(problem.field, problem.field), configurations.sentence(problem))
    missing = mapping.required_targets(object_type) - {rule.target for rule in rules}
    if rows and missing:
        text = _("AWS requires a mapping for: %(fields)s") % {"fields": ", ".join(sorted(missing))}
        rows[0].problems.append(Problem(rows[0].path.rpartition("[")[0], text))


FILE_NAMES = {"kind": "type", "apply": "when", "matching": "match", "when_empty": "if_emptied"}


def _parse_assignments(rows: list[Section] | None, file: TenantFile) -> None:
    if rows is None:
        return
    file.assignments = []
    for row in rows:
        object_type = row.one_of("type", ["group", "user"]) or "group"
        object_id = (row.text("id", required=True) or "").lower()
        _check(row, "id", object_id, _is_object_id)
        name, detail = row.text("name") or "", row.text("detail") or ""
        kind = "group" if object_type == "group" else "person"
        if (object_type, object_id) in {(one.object_type, one.object_id) for one in file.assignments}:
            row.wrong("id", _("stands twice in the list"))
        file.assignments.append(Found(object_type, object_id, name, detail, kind))
        row.finish()


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
    _check(notification, "email", file.notification_email or "", validate_email)
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
        **{name: section.flag(name) for name in safety.FLAGS},
    }
    limits = section.section("limits")
    found = {name: limits.number(name) for name in safety.RANGES} if limits else {}
    values["limits"] = {name: value for name, value in found.items() if value is not None}
    file.safety = {name: value for name, value in values.items() if value is not None}
    for name, reason in safety.check_safety(file.safety).items():
        (limits if limits and name in safety.RANGES else section).wrong(name, reason)
    if limits:
        limits.finish()
    section.finish()


def _check(section: Section, key: str, value: str, validator: Callable[[str], None]) -> None:
    if not value:
        return
    try:
        validator(value)
    except ValidationError as error:
        section.wrong(key, " ".join(error.messages))


def _is_object_id(value: str) -> None:
    try:
        uuid.UUID(value)
    except ValueError as error:
        reason = _("must be the object ID of Entra: 32 hexadecimal digits in five groups")
        raise ValidationError(reason) from error


@transaction.atomic
def import_tenant(*, actor: str, document: Any, environment: Mapping[str, str]) -> tuple[Tenant, list[AuditEntry]]:
    """Makes the tenant as the file says; all or nothing. Returns the audit entries of what changed.

    Raises NotImported with every problem that the file has.
    """
    file = parse(document, environment)
    last = AuditEntry.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    tenant = _tenant(file, actor)
    _apply_connections(tenant, file, actor)
    for object_type, rules in file.mappings.items():
        configurations.replace_mappings(actor=actor, tenant=tenant, object_type=object_type, rules=rules)
    if file.assignments is not None:
        _apply_assignments(tenant, file.assignments, actor)
    _apply_provisioning(tenant, file, actor)
    return tenant, list(AuditEntry.objects.filter(pk__gt=last, tenant=tenant, actor=actor).order_by("pk"))


def _tenant(file: TenantFile, actor: str) -> Tenant:
    """Found by slug, or by name when the file gives no slug; else made."""
    known = Tenant.objects.select_for_update()
    tenant = known.filter(slug=file.slug).first() if file.slug else known.filter(name=file.name).first()
    if tenant is None:
        _refuse_taken(file)
        return tenants.create_tenant(
            actor=actor, name=file.name, slug=file.slug or None, time_zone=file.time_zone or "UTC"
        )
    before = {"name": tenant.name, "time_zone": tenant.time_zone}
    after = {"name": file.name, "time_zone": file.time_zone or tenant.time_zone}
    if before != after:
        if after["name"] != before["name"]:
            _refuse_taken(file)
        tenant.name, tenant.time_zone = after["name"], after["time_zone"]
        tenant.save(update_fields=["name", "time_zone"])
        audit.record(actor, "tenant.change", tenant, before, after)
    return tenant


def _refuse_taken(file: TenantFile) -> None:
    if Tenant.objects.filter(name=file.name).exists():
        reason = _("“%(name)s” is the name of a tenant with another slug") % {"name": file.name}
        raise NotImported([Problem("name", reason)])


def _apply_connections(tenant: Tenant, file: TenantFile, actor: str) -> None:
    if file.entra:
        try:
            connections.save_entra(tenant=tenant, actor=actor, **file.entra)
        except ValidationError as error:
            raise NotImported([Problem("entra", text) for text in error.messages]) from error
    if file.aws:
        try:
            connections.save_aws(tenant=tenant, actor=actor, **file.aws)
        except ValidationError as error:
            raise NotImported([Problem("aws.token", text) for text in error.messages]) from error
        except ValueError as error:
            raise NotImported([Problem("aws", str(error))]) from error


def _apply_assignments(tenant: Tenant, wanted: list[Found], actor: str) -> None:
    """The file's list replaces the tenant's; who is in both keeps the name that was read from Entra."""
    keys = {(one.object_type, one.object_id) for one in wanted}
    for row in configuration_of(tenant).assignments.all():
        if (row.object_type, row.object_id) not in keys:
            configurations.unassign(actor=actor, tenant=tenant, assignment=row)
    configurations.assign(actor=actor, tenant=tenant, chosen=wanted)


def _apply_provisioning(tenant: Tenant, file: TenantFile, actor: str) -> None:
    wanted: dict[str, Any] = {
        "interval": tenant.interval if file.interval is None else file.interval,
        "notification_email": (
            tenant.notification_email if file.notification_email is None else file.notification_email
        ),
        "notify_on_failure": (tenant.notify_on_failure if file.notify_on_failure is None else file.notify_on_failure),
    }
    if wanted != {name: getattr(tenant, name) for name in wanted}:
        runs.save_provisioning(tenant=tenant, actor=actor, **wanted)
    if file.safety:
        _apply_safety(tenant, file.safety, actor)


def _apply_safety(tenant: Tenant, values: dict[str, Any], actor: str) -> None:
    """A limit may fit the file alone but not the tenant's other limits."""
    try:
        safety.save_safety(tenant=tenant, actor=actor, **values)
    except ValidationError as error:
        problems = [Problem(f"safety.{name}", " ".join(texts)) for name, texts in error.message_dict.items()]
        raise NotImported(problems) from error


def export_tenant(tenant: Tenant) -> dict[str, Any]:
    """The file of a tenant, without its secrets; importing it again changes nothing."""
    configuration = configuration_of(tenant)
    return {
        "version": VERSION,
        "name": tenant.name,
        "slug": tenant.slug,
        "time_zone": tenant.time_zone,
        **_exported_connections(tenant),
        "mappings": {
            plural: [_row(row.rule()) for row in configuration.mappings.filter(object_type=object_type)]
            for plural, object_type in OBJECTS.items()
        },
        "assignments": [
            _given(type=row.object_type, id=row.object_id, name=row.display_name, detail=row.detail)
            for row in configuration.assignments.order_by("object_type", "display_name", "object_id")
        ],
        "schedule": {"interval_minutes": tenant.interval},
        "notification": {"email": tenant.notification_email, "on_failure": tenant.notify_on_failure},
        "safety": safety.safety_of(tenant),
    }


def _exported_connections(tenant: Tenant) -> dict[str, Any]:
    parts: dict[str, Any] = {}
    entra, aws = tenant.entra, tenant.aws
    if entra.directory_id:
        parts["entra"] = _given(
            cloud=entra.cloud,
            directory_id=entra.directory_id,
            client_id=entra.client_id,
            credential=entra.credential_kind,
            ends_on=_day(entra.credential_ends_on),
        )
    if aws.endpoint:
        parts["aws"] = _given(endpoint=aws.endpoint, token_created_on=_day(aws.token_created_on))
    return parts


def _row(rule: mapping.Mapping) -> dict[str, Any]:
    return _given(
        target=rule.target,
        type=rule.kind,
        source=rule.source,
        default=rule.default,
        match=rule.matching,
        when="" if rule.apply == "always" else "only when created",
        if_emptied="" if rule.when_empty == "clear" else "keep",
    )


def _given(**facts: Any) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if value not in (None, "")}


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None
