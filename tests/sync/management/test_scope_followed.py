"""`scope` on groups that an enterprise application assigned: refused in words, not taken and left undone."""

import pytest
from django.core.management import CommandError, call_command

from sync.models import Assignment, Tenant

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("option", ["--nested", "--no-send-group"])
def test_what_the_application_decides_is_not_changed_here(tenant: Tenant, option: str) -> None:
    row = Assignment.objects.create(
        configuration=tenant.configurations.current(),
        object_type="group",
        object_id="11111111-1111-1111-1111-111111111111",
        display_name="aws-devs",
        mirrored=True,
    )
    with pytest.raises(CommandError, match="aws-devs is assigned by the enterprise application"):
        call_command("scope", tenant.slug, option, row.object_id)
    row.refresh_from_db()
    assert (row.nested, row.send_group) == (False, True)
