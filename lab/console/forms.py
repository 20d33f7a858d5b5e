"""Buttons of the console's page: each a form of its own, which comes back to what the page shows now."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from html import escape

from lab.console.state import PageState


def form(state: PageState, action: str, label: str, control: str = "", **fields: str) -> str:
    """A button, its hidden fields, and perhaps a control before it."""
    back = replace(state, message="").query
    hidden = "".join(_hidden(name, value) for name, value in {**fields, "back": back}.items() if value)
    button = f"<button>{escape(label)}</button>"
    return f'<form method="post" action="/actions/{action}">{hidden}{control}{button}</form>'


def _hidden(name: str, value: str) -> str:
    return f'<input type="hidden" name="{name}" value="{escape(value, quote=True)}">'


def text_field(label: str, value: str = "", *, required: bool = True) -> str:
    needed = " required" if required else ""
    return f'<input name="name" value="{escape(value, quote=True)}" aria-label="{escape(label, quote=True)}"{needed}>'


def choice(name: str, label: str, options: Mapping[str, str], chosen: str = "") -> str:
    """`options`: value -> what is shown."""
    rows = "".join(
        f'<option value="{escape(value, quote=True)}"{" selected" if value == chosen else ""}>{escape(text)}</option>'
        for value, text in options.items()
    )
    return f'<select name="{name}" aria-label="{escape(label, quote=True)}">{rows}</select>'


def link(address: str, text: str, more: str = "") -> str:
    """`more`: attributes."""
    return f'<a href="{escape(address, quote=True)}"{more}>{escape(text)}</a>'


def name_of(text: str) -> str:
    """A name of any length and script: cut to two lines, whole on demand, and without effect on what stands around it."""
    return f'<bdi class="name" title="{escape(text, quote=True)}">{escape(text) or "–"}</bdi>'


def row(cells: Iterable[tuple[str, str]], picked: bool = False) -> str:
    """(label, content): the first is the head of the row."""
    (_label, first), *others = cells
    rest = "".join(f'<td data-label="{escape(label)}">{content}</td>' for label, content in others)
    css = ' class="picked"' if picked else ""
    return f'<tr{css}><th scope="row">{first}</th>{rest}</tr>'


def table(caption: str, heads: Iterable[str], rows: Iterable[str], none: str, css: str = "") -> str:
    heads, body = list(heads), "".join(rows)
    body = body or f'<tr><td colspan="{len(heads)}">{escape(none)}</td></tr>'
    head = "".join(f'<th scope="col">{escape(one)}</th>' for one in heads)
    return (
        f'<table class="{css}"><caption>{escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )
