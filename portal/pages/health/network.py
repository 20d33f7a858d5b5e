"""How this installation is reached, and whom it reaches: what stands in the environment, and the hosts that tenants need."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from sync.connection.clients import NotEntered, cloud_of
from sync.directory import subscriptions
from sync.models import Channel, Tenant

Words = str | Promise


@dataclass(frozen=True, slots=True)
class Row:
    """`setting`: what of the environment decides. `value`: never a secret."""

    title: Words
    value: Words
    setting: str
    note: Words = ""


def way_in() -> list[Row]:
    others = [host for host in settings.ALLOWED_HOSTS if host != urlsplit(settings.PUBLIC_URL).hostname]
    heard = subscriptions.address() if subscriptions.is_open() else ""
    unheard = _("Microsoft cannot reach this: changes in Entra are found at each tenant's interval.")
    return [
        Row(_("Address that people use"), settings.PUBLIC_URL, "PUBLIC_URL"),
        Row(_("Other hosts that requests may name"), ", ".join(others), "ALLOWED_HOSTS"),
        Row(_("Proxies in front"), str(settings.PROXIES or ""), "BEHIND_PROXY, PROXIES"),
        Row(_("Change notifications of Microsoft"), heard, "PUBLIC_URL", "" if heard else unheard),
    ]


def way_out() -> list[Row]:
    mail = f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}" if "smtp" in settings.EMAIL_BACKEND else ""
    no_mail, no_copies = _("A mail is a line of the log."), _("The audit log stands in the database alone.")
    copies = _place(settings.AUDIT_SHIP_TO)
    return [
        Row(_("Forward proxy"), _place(settings.OUTBOUND_PROXY_SECRET), "OUTBOUND_PROXY"),
        Row(_("Certificate authorities"), settings.OUTBOUND_CA_FILE or _("the public ones"), "OUTBOUND_CA_FILE"),
        Row(_("Mail server"), mail, "SMTP_HOST, SMTP_PORT", "" if mail else no_mail),
        Row(_("Copies of the audit log"), copies, "AUDIT_SHIP_TO", "" if copies else no_copies),
        Row(_("Hosts for webhooks that are not public"), ", ".join(settings.NOTIFY_HOSTS), "NOTIFY_HOSTS"),
    ]


def _place(url: str | None) -> str:
    """Without what may be a secret: name, password and path; of a file its path."""
    parts = urlsplit(url or "")
    if not parts.hostname:
        return parts.path
    return f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")


def hosts() -> list[tuple[str, list[str]]]:
    """What a firewall has to let out, and the tenants that need it."""
    found: dict[str, set[str]] = defaultdict(set)
    for tenant in Tenant.objects.select_related("entra", "aws").prefetch_related("channels"):
        for host in filter(None, _hosts_of(tenant)):
            found[host].add(tenant.name)
    return [(host, sorted(names)) for host, names in sorted(found.items())]


def _hosts_of(tenant: Tenant) -> Iterable[str]:
    if tenant.entra.directory_id:
        try:
            cloud = cloud_of(tenant.entra)
            yield from (urlsplit(cloud.authority).netloc, urlsplit(cloud.graph).netloc)
        except NotEntered:
            # A cloud that the deployment no longer names.
            pass
    yield urlsplit(tenant.aws.endpoint).netloc
    yield from (channel.host for channel in tenant.channels.all() if channel.kind != Channel.Kind.EMAIL)
