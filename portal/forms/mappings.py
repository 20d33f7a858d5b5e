"""The form of one mapping. What AWS and the mapping language allow is decided by the service, not here."""

from collections.abc import Iterable

from django import forms
from django.utils.translation import gettext_lazy as _

from sync import mapping
from sync.models import AttributeMapping

EXPRESSION = AttributeMapping.Kind.EXPRESSION


class MappingForm(forms.Form):
    """`source` and `expression` are two inputs for one column: a line, and room for an expression."""

    target = forms.ChoiceField(label=_("AWS field"))
    kind = forms.ChoiceField(label=_("Type"), choices=AttributeMapping.Kind, widget=forms.RadioSelect)
    source = forms.CharField(
        label=_("Source"),
        required=False,
        max_length=1024,
        strip=False,
        help_text=_("The attribute of Entra; for Constant, the value itself."),
        widget=forms.TextInput(attrs={"list": "attributes", "autocomplete": "off", "spellcheck": "false"}),
    )
    expression = forms.CharField(
        label=_("Expression"),
        required=False,
        max_length=10_000,
        strip=False,
        help_text=_('Attributes stand in brackets, like Join(" ", [givenName], [surname]).'),
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
    )
    default = forms.CharField(
        label=_("If the source is empty"),
        required=False,
        max_length=1024,
        help_text=_("Used when the person or group is created; not on updates."),
    )
    apply = forms.ChoiceField(label=_("When"), choices=AttributeMapping.Apply)
    when_empty = forms.ChoiceField(
        label=_("When the source becomes empty"), choices=AttributeMapping.WhenEmpty, required=False
    )
    matching = forms.IntegerField(
        label=_("Match on this field"),
        required=False,
        min_value=1,
        max_value=9,
        help_text=_("The order in which fields are tried, 1 first. Empty: not for matching."),
    )

    def __init__(self, *args: object, targets: Iterable[tuple[str, str]], **options: object) -> None:
        """`targets`: (path, label) of the fields to choose from; an existing row has only its own."""
        super().__init__(*args, **options)  # type: ignore[arg-type]
        choices = list(targets)
        self.fields["target"].choices = choices  # type: ignore[attr-defined]
        if len(choices) == 1:
            self.fields["target"].widget = forms.HiddenInput()

    def rule(self) -> mapping.Mapping:
        """The row that the cleaned form describes."""
        data = self.cleaned_data
        source = data["expression"] if data["kind"] == EXPRESSION else data["source"]
        return mapping.Mapping(
            target=data["target"],
            kind=data["kind"],
            source=source if data["kind"] == AttributeMapping.Kind.CONSTANT else source.strip(),
            default=data["default"],
            apply=data["apply"],
            matching=data["matching"],
            when_empty="keep" if data["when_empty"] == AttributeMapping.WhenEmpty.KEEP else "clear",
        )

    def refuse(self, problems: Iterable[tuple[str, str]]) -> None:
        """Puts the service's reasons at the inputs that they are about."""
        is_expression = self.cleaned_data.get("kind") == EXPRESSION
        for name, text in problems:
            place = "expression" if name == "source" and is_expression else name
            field = self.fields.get(place)
            self.add_error(place if field and not field.widget.is_hidden else None, text)


def values_of(rule: mapping.Mapping) -> dict[str, object]:
    """What the form shows at first for a row."""
    is_expression = rule.kind == EXPRESSION
    return {
        "target": rule.target,
        "kind": rule.kind,
        "source": "" if is_expression else rule.source,
        "expression": rule.source if is_expression else "",
        "default": rule.default,
        "apply": rule.apply,
        "matching": rule.matching,
        "when_empty": rule.when_empty,
    }
