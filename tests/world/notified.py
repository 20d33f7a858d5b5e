"""Who hears of a tenant's incidents."""

from sync.models import Channel, Tenant
from sync.notifications import services
from tests.world.tenant import ACTOR


def mail_to(tenant: Tenant, email: str = "ops@acme.example") -> Channel:
    """Of everything."""
    channel, _secret = services.add_channel(tenant=tenant, actor=ACTOR, kind=Channel.Kind.EMAIL, to=email)
    return channel
