"""A channel: where it goes, and what it hears of."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from sync.models import Channel
from sync.notifications.queries import KINDS

# Of each kind of channel: the address's label, and where one gets it.
ADDRESSES = {
    Channel.Kind.EMAIL: (_("E-mail address"), _("Of a person or a team.")),
    Channel.Kind.WEBHOOK: (
        _("Address (URL)"),
        _("Messages are signed as Standard Webhooks. The secret is shown once, after saving."),
    ),
    Channel.Kind.SLACK: (
        _("Address of the incoming webhook (URL)"),
        _("In Slack: an app of yours, Incoming Webhooks, Add New Webhook to Workspace."),
    ),
    Channel.Kind.TEAMS: (
        _("Address of the workflow (URL)"),
        _("In Teams: Workflows, When a Teams webhook request is received, then Post card in a chat or channel."),
    ),
}


class ChannelForm(forms.Form):
    """`stored`: where it goes already; an address on the web is a secret and is not shown again."""

    name = forms.CharField(
        label=_("Name"), max_length=100, required=False, help_text=_("Left empty, it is named for its address.")
    )
    to = forms.CharField(max_length=1000)
    kinds = forms.MultipleChoiceField(
        choices=[(kind.name, kind.label) for kind in KINDS], required=False, widget=forms.CheckboxSelectMultiple
    )
    on = forms.BooleanField(label=_("On"), required=False)

    def __init__(self, *args: Any, kind: str, stored: Channel | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["to"]
        field.label, field.help_text = ADDRESSES[Channel.Kind(kind)]
        if kind == Channel.Kind.EMAIL:
            field.widget = forms.EmailInput(attrs={"autocomplete": "off", "maxlength": 254})
            return
        field.widget = forms.URLInput(attrs={"autocomplete": "off", "maxlength": 1000})
        if stored is not None:
            field.required = False
            field.help_text = _("One at %(host)s is stored. Left empty, it stays.") % {"host": stored.host}
