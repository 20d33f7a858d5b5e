"""The request as our views see it: somebody is signed in, and htmx says what it is after."""

from django.http import HttpRequest as DjangoHttpRequest
from django_htmx.middleware import HtmxDetails

from portal.models import User


class HttpRequest(DjangoHttpRequest):
    user: User
    htmx: HtmxDetails
