"""The configuration that runs follow."""

from django.db.models import QuerySet

from sync.configuration.items import MAPPING_FIELDS, facts_of
from sync.models import AttributeMapping, Configuration, ScopingFilter, Tenant
from sync.rules.rows import MappingRow
from sync.rules.template import DEFAULT_GROUP_MAPPINGS, DEFAULT_USER_MAPPINGS


def configuration_of(tenant: Tenant) -> Configuration:
    """The configuration that runs use."""
    return tenant.configurations.current()


def filter_titles(tenant: Tenant, object_type: str = "user") -> list[str]:
    """Of the filters that runs use."""
    rows = ScopingFilter.objects.filter(configuration__in=tenant.configurations.in_use(), object_type=object_type)
    return list(rows.values_list("title", flat=True))


def mappings_in_use(tenant: Tenant) -> QuerySet[AttributeMapping]:
    """Those that runs use."""
    return AttributeMapping.objects.filter(configuration__in=tenant.configurations.in_use())


def add_default_mappings(configuration: Configuration, object_type: str) -> None:
    rules = DEFAULT_USER_MAPPINGS if object_type == "user" else DEFAULT_GROUP_MAPPINGS
    AttributeMapping.objects.bulk_create(row_of(configuration, object_type, rule) for rule in rules)


def row_of(configuration: Configuration, object_type: str, rule: MappingRow) -> AttributeMapping:
    return AttributeMapping(
        configuration=configuration,
        object_type=object_type,
        position=rule.position,
        from_template=True,
        **facts_of(rule, MAPPING_FIELDS),
    )
