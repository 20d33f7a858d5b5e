"""`manage.py users [--json]`: everybody who has an account, and what each may do."""

from portal.models import Role, RoleGrant, User
from portal.pages.users.rows import UserRow, rows_of
from sync.management.base import InstallationCommand, Report


class Command(InstallationCommand):
    help = "Lists the people who have an account: their roles, whether they have a second factor, when they signed in."

    def report(self) -> Report:
        return {"users": [user_facts(row) for row in rows_of(User.objects.order_by("email"))]}

    def in_words(self, report: Report) -> str:
        return "\n".join(map(line_of, report["users"])) or "Nobody has an account yet: user_add makes the first one."


def user_facts(row: UserRow) -> Report:
    """Moments are ISO 8601; a role without a tenant is one for all of them."""
    user = row.user
    return {
        "email": user.email,
        "name": user.name,
        "active": user.is_active,
        "roles": [role_facts(grant) for grant in row.grants],
        "second_factor": bool(row.factors),
        "signed_in_at": user.last_login.isoformat() if user.last_login else None,
    }


def role_facts(grant: RoleGrant) -> Report:
    return {"role": grant.role, "tenant": grant.tenant.slug if grant.tenant else None}


def line_of(facts: Report) -> str:
    roles = [
        f"{Role(one['role']).label} of {one['tenant']}" if one["tenant"] else str(Role(one["role"]).label)
        for one in facts["roles"]
    ]
    parts = [
        ", ".join(roles) or "no role",
        "second factor" if facts["second_factor"] else "no second factor",
        f"signed in {facts['signed_in_at'][:10]}" if facts["signed_in_at"] else "never signed in",
        *([] if facts["active"] else ["deactivated"]),
    ]
    return f"{facts['email']}: {'; '.join(parts)}"
