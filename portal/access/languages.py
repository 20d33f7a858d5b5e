"""In which language a request is answered: the person's own, else what the browser asks for (LocaleMiddleware)."""

from django.conf import settings
from django.http import HttpRequest
from django.utils import translation

from portal.access.request import is_api


def speak(request: HttpRequest) -> None:
    """Programs go by words: they get the same ones everywhere."""
    language = settings.LANGUAGE_CODE if is_api(request) else getattr(request.user, "language", "")
    if language in dict(settings.LANGUAGES):
        translation.activate(language)
        request.LANGUAGE_CODE = language
