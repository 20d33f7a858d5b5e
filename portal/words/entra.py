"""Where a person or group is shown in Microsoft's admin center."""

from urllib.parse import quote

PAGES = {
    "user": "Microsoft_AAD_UsersAndTenants/UserProfileMenuBlade/~/overview/userId/",
    "group": "Microsoft_AAD_IAM/GroupDetailsMenuBlade/~/Overview/groupId/",
}


def entra_address(object_type: str, object_id: str) -> str:
    """`object_type`: a membership is its group's."""
    page = PAGES["user" if object_type == "user" else "group"]
    return f"https://entra.microsoft.com/#view/{page}{quote(object_id)}"
