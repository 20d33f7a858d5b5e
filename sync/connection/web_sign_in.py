"""People's sign-in with Microsoft, as the deployment sets it up."""

from django.conf import settings

from sync.connection.clients import clouds
from sync.graph.errors import GraphError
from sync.graph.web_sign_in import App, Person, address, new_flow, redeem

__all__ = ["App", "GraphError", "Person", "address", "app", "new_flow", "redeem"]


def app(redirect_uri: str) -> App | None:
    """None where nobody signs in with Microsoft."""
    facts = settings.MICROSOFT_SIGN_IN
    cloud = clouds().get(facts["cloud"]) if facts else None
    if facts is None or cloud is None:
        return None
    return App(cloud, facts["directory_id"], facts["client_id"], settings.MICROSOFT_SIGN_IN_SECRET, redirect_uri)
