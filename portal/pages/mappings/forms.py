"""The forms of the mapping pages. What AWS and the mapping language allow is decided by the service, not here."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from sync.models import AttributeMapping, Configuration
from sync.rules import aws_fields
from sync.rules.rows import MappingRow

Kind = AttributeMapping.Kind


class MappingForm(forms.Form):
    """`source` and `expression` are two inputs for one column: a line, and room for an expression."""

    target = forms.ChoiceField(label=_("AWS field"))
    kind = forms.ChoiceField(label=_("Type"), choices=Kind, widget=forms.RadioSelect)
    source = forms.CharField(
        label=_("Source"),
        required=False,
        max_length=1024,
        strip=False,
        help_text=_("The attribute of Entra; for Constant, the value itself."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    expression = forms.CharField(
        label=_("Expression"),
        required=False,
        max_length=10_000,
        strip=False,
        help_text=_('Attributes stand in brackets, like Join(" ", [givenName], [surname]).'),
        widget=forms.Textarea(
            attrs={
                "rows": 4,
                "spellcheck": "false",
                "autocapitalize": "off",
                "autocomplete": "off",
                "data-expression": "",
            }
        ),
    )
    apply = forms.ChoiceField(label=_("When"), choices=AttributeMapping.Apply)
    when_empty = forms.ChoiceField(
        label=_("If the source becomes empty"), choices=AttributeMapping.WhenEmpty, required=False
    )
    default = forms.CharField(label=_("Default"), required=False, max_length=1024, strip=False)
    default_on_update = forms.ChoiceField(
        label=_("The default is"),
        required=False,
        choices=[
            ("", _("Used when the person or group is created; not on updates")),
            ("1", _("Used on updates too")),
        ],
        widget=forms.RadioSelect,
    )
    matching = forms.IntegerField(
        label=_("Match on this field"),
        required=False,
        min_value=1,
        max_value=9,
        help_text=_("The order in which fields are tried, 1 first. Empty: not for matching."),
    )

    def __init__(
        self, *args: object, key: str, targets: Iterable[tuple[str, str]], object_type: str, **options: object
    ) -> None:
        """`targets`: (path, label) of the fields to choose from; an existing row has only its own.

        `key` keeps the ids apart when several rows are open.
        """
        super().__init__(*args, **options | {"auto_id": f"id_{key}_%s"})  # type: ignore[arg-type]
        self.fields["source"].widget.attrs["data-combobox"] = f"attributes-{key}"
        choices = list(targets)
        self._choices("target").choices = choices
        if len(choices) == 1:
            self.fields["target"].widget = forms.HiddenInput()
            self._choices("kind").choices = kinds_of(choices[0][0])
        # AWS can be searched by two fields only: nowhere else is there anything to match on.
        if not any(target in aws_fields.FILTERABLE[object_type] for target, _label in choices):
            del self.fields["matching"]

    def _choices(self, name: str) -> Any:
        return self.fields[name]

    def rule(self) -> MappingRow:
        """The row that the cleaned form describes."""
        data = self.cleaned_data
        kind = data["kind"]
        source = "" if kind == Kind.NONE else data["expression"] if kind == Kind.EXPRESSION else data["source"]
        return MappingRow(
            target=data["target"],
            kind=kind,
            source=source if kind == Kind.CONSTANT else source.strip(),
            default=data["default"],
            default_on_update=bool(data["default_on_update"]),
            apply=data["apply"],
            matching=data.get("matching"),
            when_empty="keep" if data["when_empty"] == AttributeMapping.WhenEmpty.KEEP else "clear",
        )

    def refuse(self, problems: Iterable[tuple[str, str]]) -> None:
        """Puts the service's reasons at the inputs that they are about."""
        is_expression = self.cleaned_data.get("kind") == Kind.EXPRESSION
        for name, text in problems:
            place = "expression" if name == "source" and is_expression else name
            field = self.fields.get(place)
            self.add_error(place if field and not field.widget.is_hidden else None, text)


def kinds_of(target: str) -> list[tuple[str, Any]]:
    """A field that points to another object takes nothing else."""
    reference = target in aws_fields.REFERENCES
    return [(kind.value, kind.label) for kind in Kind if (kind == Kind.REFERENCE) == reference]


def form_values(rule: MappingRow) -> dict[str, object]:
    """What the form shows at first for a row."""
    is_expression = rule.kind == "expression"
    return {
        "target": rule.target,
        "kind": rule.kind,
        "source": "" if is_expression else rule.source,
        # Whoever turns to an expression begins with what the row reads now.
        "expression": rule.source if is_expression else f"[{rule.source}]" if rule.kind == "direct" else "",
        "default": rule.default,
        "default_on_update": "1" if rule.default_on_update else "",
        "apply": rule.apply,
        "matching": rule.matching,
        "when_empty": rule.when_empty,
    }


USER_ACTIONS = [
    ("create", _("Create people who are not in AWS yet")),
    ("update", _("Update their fields, and the link to their manager")),
    ("disable", _("Disable people who leave, and enable them when they come back")),
    ("delete", _("Delete people who are gone from Entra for good, after the days set under Provisioning")),
]
GROUP_ACTIONS = [
    ("create", _("Create groups that are not in AWS yet")),
    ("update", _("Update their fields and members")),
    ("delete", _("Delete groups that are gone from Entra for good, where Provisioning allows it")),
]


class PeopleActionsForm(forms.Form):
    user_actions = forms.MultipleChoiceField(
        label=_("What we may do to people in AWS"),
        choices=USER_ACTIONS,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    guest_user_name = forms.ChoiceField(
        label=_("userPrincipalName of a guest stands for"), choices=Configuration.GuestName, widget=forms.RadioSelect
    )


class GroupActionsForm(forms.Form):
    group_actions = forms.MultipleChoiceField(
        label=_("What we may do to groups in AWS"),
        choices=GROUP_ACTIONS,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
