"""Tenants: making one brings its two connection halves and a configuration with the default mappings."""

from django.db import transaction
from django.utils.text import slugify

from sync import audit
from sync.configuration.current import add_default_mappings
from sync.configuration.items import scope_digest
from sync.models import AwsConnection, Configuration, EntraConnection, Tenant


@transaction.atomic
def create_tenant(*, actor: str, name: str, slug: str | None = None, time_zone: str = "UTC") -> Tenant:
    tenant = Tenant.objects.create(name=name, slug=slug or free_slug(name), time_zone=time_zone)
    EntraConnection.objects.create(tenant=tenant)
    AwsConnection.objects.create(tenant=tenant)
    configuration = Configuration.objects.create(tenant=tenant, changed_by=actor)
    add_default_mappings(configuration, "user")
    add_default_mappings(configuration, "group")
    configuration.scope_digest = scope_digest(configuration)
    configuration.save(update_fields=["scope_digest"])
    audit.record(actor, "tenant.create", tenant, None, {"name": name, "slug": tenant.slug})
    return tenant


def free_slug(name: str) -> str:
    stem = slugify(name)[:50] or "tenant"
    taken = set(Tenant.objects.filter(slug__startswith=stem).values_list("slug", flat=True))
    return next(slug for slug in [stem, *(f"{stem}-{n}" for n in range(2, 10_000))] if slug not in taken)
