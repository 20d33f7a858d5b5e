"""The forms of *Import JSON*: a file or a pasted text, or the application to read from; then the confirmation."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import FileExtensionValidator
from django.utils.translation import gettext_lazy as _

from sync.configuration.files.json_text import LIMIT
from sync.configuration.files.microsoft import ProvisioningJob
from sync.configuration.files.section import FileProblem
from sync.directory.live import is_guid


class FileForm(forms.Form):
    file = forms.FileField(
        label=_("File"),
        required=False,
        help_text=_("Lockstep's own JSON, or Microsoft's schema. At most 5 MB."),
        widget=forms.FileInput(attrs={"accept": ".json,.txt,application/json,text/plain"}),
        # What a script saved may end in .txt; what is in it is read strictly, whatever its name.
        validators=[FileExtensionValidator(["json", "txt"], _("Choose a file that ends in .json or .txt."))],
    )
    text = forms.CharField(
        label=_("Or paste the JSON"),
        required=False,
        strip=False,
        max_length=LIMIT,
        widget=forms.Textarea(attrs={"rows": 10, "spellcheck": "false", "autocomplete": "off", "class": "ls-mono"}),
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not self.errors and not data.get("file") and not (data.get("text") or "").strip():
            self.add_error("file", _("Choose a file, or paste its text."))
        elif data.get("file") and data["file"].size > LIMIT:
            self.add_error("file", _("The file is larger than 5 MB."))
        return data

    @property
    def content(self) -> bytes | str:
        file, text = self.cleaned_data["file"], self.cleaned_data["text"]
        return file.read() if file else str(text)

    def refuse(self, problems: list[FileProblem]) -> None:
        """Everything that is wrong, each with its place in the file; at the input itself when it is one thing."""
        place = "file" if self.cleaned_data["file"] else "text"
        if len(problems) == 1:
            self.add_error(place, str(problems[0]))
            return
        for problem in problems:
            self.add_error(None, str(problem))
        self.add_error(place, _("Nothing was imported. The reasons are listed at the top of the page."))


class EntraSchemaForm(forms.Form):
    application = forms.CharField(
        label=_("Object ID or application ID of the enterprise application"),
        max_length=36,
        help_text=_("In Entra: Enterprise applications, your AWS application, Properties."),
        error_messages={"required": _("Enter the ID of the enterprise application.")},
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    job = forms.CharField(
        label=_("Provisioning job"),
        required=False,
        max_length=200,
        help_text=_("This enterprise application has several. Choose the one to read."),
        widget=forms.RadioSelect,
    )

    def offer(self, jobs: Sequence[ProvisioningJob]) -> None:
        self.fields["job"].widget.choices = [(one.id, str(one)) for one in jobs]

    @property
    def has_jobs(self) -> bool:
        return bool(self.fields["job"].widget.choices)

    def clean_application(self) -> str:
        value = str(self.cleaned_data["application"]).lower()
        if not is_guid(value):
            raise ValidationError(_("This is not an ID. Copy Object ID or Application ID from the application's page."))
        return value


class TakeForm(forms.Form):
    """What the check showed: the file in our format, and what was configured then."""

    document = forms.CharField(max_length=LIMIT, strip=False, widget=forms.HiddenInput)
    seen = forms.CharField(max_length=64, widget=forms.HiddenInput)
