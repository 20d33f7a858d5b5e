"""Lists to choose from are drawn by a template of ours, for speed: what comes out is what Django draws."""

import pytest
from django import forms
from django.forms.renderers import DjangoTemplates, TemplatesSetting
from django.test.html import parse_html

CHOICES = [("", "Reason"), ("a", 'A "word" & <more>'), ("Group", [("b", "B"), (3, "Three")])]


class Disabled(forms.Select):
    def create_option(self, name: str, value: object, *args: object, **kwargs: object) -> dict[str, object]:
        option = super().create_option(name, value, *args, **kwargs)
        return option | {"attrs": option["attrs"] | {"disabled": value == "a", "data-n": 1}}


@pytest.mark.parametrize("value", [None, "", "a", "3", "unknown"])
@pytest.mark.parametrize("widget", [forms.Select, Disabled, forms.SelectMultiple])
def test_it_is_drawn_as_django_draws_it(widget: type[forms.Select], value: str | None) -> None:
    drawn = widget(attrs={"id": "reason", "required": True}, choices=CHOICES)
    ours, theirs = (drawn.render("reason", value, renderer=one()) for one in (TemplatesSetting, DjangoTemplates))
    assert parse_html(ours) == parse_html(theirs)
    assert ours != theirs, "it is the template of ours"
