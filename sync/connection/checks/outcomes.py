"""What each outcome of a check means, and what to do about it: the only table of these words."""

from dataclasses import dataclass
from typing import Literal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class CheckOutcome:
    """`title`: what happened. `meaning`: why. `steps`: what to do, in order. All take the finding's facts."""

    title: str | Promise
    meaning: str | Promise
    steps: tuple[str | Promise, ...]
    state: Literal["failed", "warning"] = "failed"
    # What the admin has to enter anew in the half's form, if that mends it.
    edit: Literal["", "values", "credential"] = ""


OPEN_APP = _("In Entra, open App registrations and select the app with the client ID you entered.")
OPEN_AWS = _("In AWS, open IAM Identity Center › Settings, and select the Identity source tab.")
MANAGE_PROVISIONING = _("Select Actions › Manage provisioning.")
TEST_AGAIN = _("Test the connection again.")
WAIT_AND_TEST = _("Wait a few minutes, then test the connection again.")

# The application policies of Entra (Graph: tenantAppManagementPolicy, appManagementPolicy).
ALLOWED_KINDS = _(
    "If Entra does not let you add one, an application policy forbids it: “Block password addition” means no client secret,"
    " and a limit to trusted certificate authorities means no certificate made here. A federated credential needs neither;"
    " or ask for an exception for this app under Enterprise apps › Application policies."
)

OUTCOMES: dict[str, CheckOutcome] = {
    "check-broke": CheckOutcome(
        _("This check broke off."),
        _("That is our fault, not yours. The server's log says more."),
        (TEST_AGAIN, _("If it happens again, send the server's log to the maintainers.")),
    ),
    # Entra, E1
    "directory-id-missing": CheckOutcome(
        _("There is no directory ID yet."),
        _("Without it we do not know which directory to read."),
        (
            _("In Entra, open the Overview page and copy Tenant ID."),
            _("Enter it as directory (tenant) ID and save."),
        ),
        edit="values",
    ),
    "directory-id-form": CheckOutcome(
        _("“%(value)s” is not the ID of a directory."),
        _("It is a GUID, like 12345678-90ab-cdef-1234-567890abcdef; a verified domain works too."),
        (
            _("In Entra, open the Overview page and copy Tenant ID."),
            _("Enter it as directory (tenant) ID and save."),
        ),
        edit="values",
    ),
    "client-id-form": CheckOutcome(
        _("The client ID is not a GUID."),
        _("We have “%(value)s”. The app's name or its secret does not work here."),
        (
            OPEN_APP,
            _("Copy Application (client) ID from the app's Overview page."),
            _("Enter it as application (client) ID and save."),
        ),
        edit="values",
    ),
    "cloud-unknown": CheckOutcome(
        _("The cloud “%(cloud)s” is not known here."),
        _("The deployment no longer names it (EXTRA_CLOUDS)."),
        (_("Choose another cloud and save, or ask whoever runs this server to name it again."), TEST_AGAIN),
        edit="values",
    ),
    # Any server, E2 and A2
    "host-unknown": CheckOutcome(
        _("The server cannot find %(host)s."),
        _("The name could not be looked up (DNS): %(detail)s."),
        (
            _("Ask whoever runs this server's network to allow DNS for %(host)s."),
            _("Check that outbound HTTPS (port %(port)s) to %(host)s is allowed."),
            TEST_AGAIN,
        ),
    ),
    "host-refused": CheckOutcome(
        _("%(host)s cannot be reached."),
        _("The connection to port %(port)s was turned away: %(detail)s."),
        (
            _("Ask whoever runs this server's network for outbound HTTPS (port %(port)s) to %(host)s."),
            TEST_AGAIN,
        ),
    ),
    "host-silent": CheckOutcome(
        _("%(host)s does not answer."),
        _("We waited for port %(port)s and no answer came. Firewalls often drop requests like this."),
        (
            _("Ask whoever runs this server's network for outbound HTTPS (port %(port)s) to %(host)s."),
            TEST_AGAIN,
        ),
    ),
    "host-certificate": CheckOutcome(
        _("The certificate of %(host)s is not trusted here."),
        _("%(detail)s. Often a proxy opens HTTPS traffic and shows a certificate of its own."),
        (
            _(
                "Ask whoever runs this server's network to let traffic to %(host)s pass unopened,"
                " or for the proxy's certificate authority, and name its file in OUTBOUND_CA_FILE."
            ),
            _("Check the server's clock and its list of trusted certificate authorities."),
            TEST_AGAIN,
        ),
    ),
    "host-tls": CheckOutcome(
        _("No secure connection to %(host)s came about."),
        _("Port %(port)s answered, but not with TLS 1.2 or newer: %(detail)s."),
        (
            _("Check that no proxy stands between this server and %(host)s."),
            TEST_AGAIN,
        ),
    ),
    "ca-file-unreadable": CheckOutcome(
        _("The file of trusted certificate authorities cannot be read."),
        _("The deployment names %(file)s for %(host)s: %(detail)s."),
        (
            _(
                "Ask whoever runs this server to correct OUTBOUND_CA_FILE, or ca_file in EXTRA_CLOUDS or EXTRA_SCIM_HOSTS."
            ),
            TEST_AGAIN,
        ),
    ),
    "proxy-unreachable": CheckOutcome(
        _("The proxy %(proxy)s cannot be reached."),
        _("All traffic to %(host)s goes through it: %(detail)s."),
        (
            _("Ask whoever runs this server's network whether the proxy is up and lets this server in."),
            _("Ask whoever runs this server to check OUTBOUND_PROXY."),
            TEST_AGAIN,
        ),
    ),
    "proxy-refused": CheckOutcome(
        _("The proxy %(proxy)s does not let us through to %(host)s."),
        _("Its answer: %(detail)s"),
        (
            _("Ask whoever runs the proxy to allow CONNECT to %(host)s, port %(port)s."),
            _("At 407, ask whoever runs this server to check name and password in OUTBOUND_PROXY."),
            TEST_AGAIN,
        ),
    ),
    # Entra, E3 and E4
    "directory-unknown": CheckOutcome(
        _("Microsoft knows no directory “%(directory)s”."),
        _("The ID has the right form, but the chosen cloud has no such directory (%(aadsts)s)."),
        (
            _("In Entra, open the Overview page and compare Tenant ID with the one entered here."),
            _("Check that the right cloud is chosen: Global, US Government or China."),
            TEST_AGAIN,
        ),
        edit="values",
    ),
    "microsoft-busy": CheckOutcome(
        _("Microsoft did not answer as it should."),
        _("The trouble is on Microsoft's side, or on the way there: %(detail)s"),
        (WAIT_AND_TEST,),
    ),
    "credential-missing": CheckOutcome(
        _("There is no credential yet."),
        _("The app needs a client secret or a certificate to sign in with."),
        (
            OPEN_APP,
            _("Open Certificates & secrets, make a client secret, and copy its Value."),
            _("Enter it here and save."),
            ALLOWED_KINDS,
        ),
        edit="credential",
    ),
    "secret-not-opened": CheckOutcome(
        _("The stored secret cannot be opened."),
        _("The key ring no longer holds the key it was sealed with, or the stored text was changed."),
        (
            _("Put the former key back into SEAL_KEYS, below the new one; or enter the secret again."),
            TEST_AGAIN,
        ),
        edit="credential",
    ),
    "secret-wrong": CheckOutcome(
        _("Entra did not accept the client secret."),
        _("It is wrong: you may have pasted the secret's ID instead of its Value (AADSTS7000215)."),
        (
            OPEN_APP,
            _("Open Certificates & secrets › Client secrets."),
            _("Select New client secret, and copy its Value at once: Entra shows it only now."),
            _("Enter the value here with Replace credential, and save."),
            ALLOWED_KINDS,
        ),
        edit="credential",
    ),
    "secret-ended": CheckOutcome(
        _("The client secret has ended."),
        _("Entra no longer takes it (AADSTS7000222)."),
        (
            OPEN_APP,
            _("Open Certificates & secrets, select New client secret, and copy its Value."),
            _("Enter the value and its end date here, and save. A certificate lasts longer."),
            ALLOWED_KINDS,
        ),
        edit="credential",
    ),
    "app-unknown": CheckOutcome(
        _("The app is not in this directory."),
        _("Entra finds no app with the client ID %(client)s in the directory %(directory)s (%(aadsts)s)."),
        (
            OPEN_APP,
            _("Compare Application (client) ID and Directory (tenant) ID with the two entered here."),
            _("If the app lives in another directory, an admin has to consent to it in this one."),
            TEST_AGAIN,
        ),
        edit="values",
    ),
    "app-disabled": CheckOutcome(
        _("The app is turned off in Entra."),
        _("Nobody, this server included, may sign in with it (AADSTS7000112)."),
        (
            _("In Entra, open Enterprise applications and select the app."),
            _("Open Properties, set Enabled for users to sign-in to Yes, and save."),
            TEST_AGAIN,
        ),
    ),
    "certificate-unknown": CheckOutcome(
        _("Entra does not know this certificate."),
        _("The certificate on the app is a different one (AADSTS700027)."),
        (
            OPEN_APP,
            _("Open Certificates & secrets › Certificates and compare the thumbprint with ours."),
            _("Upload the certificate's public part, or enter the pair that Entra knows."),
            ALLOWED_KINDS,
            TEST_AGAIN,
        ),
        edit="credential",
    ),
    # E4, signing in without a secret
    "federation-unknown": CheckOutcome(
        _("Entra does not know where our token comes from."),
        _("No federated credential of the app fits it (%(aadsts)s). Upper and lower case count."),
        (
            OPEN_APP,
            _("Open Certificates & secrets › Federated credentials, Add credential, scenario Other issuer."),
            _("Issuer: %(issuer)s"),
            _("Subject identifier: %(subject)s"),
            _("Audience: %(audience)s"),
            _("Wait some minutes after saving it, then test the connection again."),
        ),
    ),
    "token-file-unreadable": CheckOutcome(
        _("The token that stands in for a secret cannot be read."),
        _("The deployment names it in FEDERATED_TOKEN_FILE: %(detail)s"),
        (
            _("On Kubernetes, project a service account token for the audience %(audience)s into web and workers."),
            _("Check path and permissions of the file."),
            TEST_AGAIN,
        ),
    ),
    "token-form": CheckOutcome(
        _("What stands in for a secret is no token."),
        _("FEDERATED_TOKEN_FILE, or AWS STS, gave something that is no JSON web token."),
        (_("Ask whoever runs this server which file the platform writes."), TEST_AGAIN),
    ),
    "token-over": CheckOutcome(
        _("The token that stands in for a secret has ended."),
        _("The platform should renew it before: %(detail)s"),
        (
            _("Check that what renews the file runs (on Kubernetes the kubelet; the pod may need a restart)."),
            _("Turn on time synchronisation (NTP) on this server."),
            TEST_AGAIN,
        ),
    ),
    "token-audience": CheckOutcome(
        _("The token that stands in for a secret is meant for somebody else."),
        _("%(detail)s"),
        (_("Have the platform make it for the audience %(audience)s."), TEST_AGAIN),
    ),
    "sts-refused": CheckOutcome(
        _("AWS gave us no token to sign in with."),
        _("%(detail)s"),
        (
            _("In AWS, open IAM › Account settings and turn on outbound identity federation."),
            _("Allow sts:GetWebIdentityToken for this server's role."),
            TEST_AGAIN,
        ),
    ),
    "sts-unreachable": CheckOutcome(
        _("AWS STS cannot be reached."),
        _("%(detail)s"),
        (
            _("Ask for outbound HTTPS to sts.<region>.amazonaws.com; the region is FEDERATED_TOKEN_STS_REGION."),
            TEST_AGAIN,
        ),
    ),
    "aws-credentials": CheckOutcome(
        _("This server has no AWS role to ask for a token with."),
        _("%(detail)s"),
        (
            _("Give the instance, task or pod a role (EC2 instance profile, ECS task role, EKS Pod Identity)."),
            TEST_AGAIN,
        ),
    ),
    "federation-not-offered": CheckOutcome(
        _("This deployment has no token that could stand in for a secret."),
        _("Neither FEDERATED_TOKEN_FILE nor FEDERATED_TOKEN_STS_REGION is set."),
        (
            _("Ask whoever runs this server to set one of them, for web and workers alike (docs/security.md)."),
            _("Or choose a certificate, or a client secret."),
        ),
        edit="credential",
    ),
    # E10
    "credential-date-missing": CheckOutcome(
        _("Nobody said when the credential ends."),
        _("Entra tells no app when its secret ends; without the date we cannot warn you."),
        (OPEN_APP, _("Open Certificates & secrets, and enter the date under Expires here.")),
        state="warning",
        edit="values",
    ),
    "credential-ends-soon": CheckOutcome(
        _("The credential ends in %(days)s days."),
        _("From %(ends)s nothing is read from Entra any more."),
        (
            _("Select Replace credential on the Connection page: it goes over without a gap."),
            ALLOWED_KINDS,
        ),
        state="warning",
        edit="credential",
    ),
    "credential-ended": CheckOutcome(
        _("The credential ended on %(ends)s."),
        _("Entra no longer takes it, or the date that was entered here is wrong."),
        (
            _("Select Replace credential on the Connection page."),
            ALLOWED_KINDS,
            _("If it does still work, correct the end date."),
        ),
        edit="credential",
    ),
    "conditional-access": CheckOutcome(
        _("A rule in Entra stops the app from signing in."),
        _("Conditional Access blocks this workload, perhaps for its network address (AADSTS53003)."),
        (
            _("In Entra, open Protection › Conditional Access and look for rules on workload identities."),
            _("Allow this app from this server's address."),
            TEST_AGAIN,
        ),
    ),
    "sign-in-refused": CheckOutcome(
        _("Entra did not let the app sign in."),
        _("Its answer: %(detail)s"),
        (
            _("Look up %(aadsts)s on login.microsoftonline.com/error."),
            _("Compare directory ID, client ID and credential with the app in Entra."),
            TEST_AGAIN,
        ),
        edit="values",
    ),
    # E5
    "clock-wrong": CheckOutcome(
        _("The server's clock is wrong."),
        _("It differs from Microsoft's by %(minutes)s min. Certificates and tokens will be refused."),
        (
            _("Turn on time synchronisation (NTP) on this server."),
            TEST_AGAIN,
        ),
    ),
    # E6 to E9
    "may-not-read-people": CheckOutcome(
        _("Entra does not let us read people."),
        _("The permission User.Read.All is missing, or nobody has consented to it."),
        (
            OPEN_APP,
            _("Open API permissions, select Add a permission › Microsoft Graph › Application permissions."),
            _("Add User.Read.All, then select Grant admin consent."),
            _("Wait a minute, then test the connection again."),
        ),
    ),
    "may-not-read-groups": CheckOutcome(
        _("Entra does not let us read groups and their members."),
        _("The permission GroupMember.Read.All is missing, or nobody has consented to it."),
        (
            OPEN_APP,
            _("Open API permissions, select Add a permission › Microsoft Graph › Application permissions."),
            _("Add GroupMember.Read.All, then select Grant admin consent."),
            _("Wait a minute, then test the connection again."),
        ),
    ),
    "graph-refused": CheckOutcome(
        _("Microsoft Graph did not accept our sign-in."),
        _("The app could sign in, but its token was refused: %(detail)s"),
        (
            _("In Entra, open Enterprise applications and check that the app is there and turned on."),
            _("Wait a minute, then test the connection again."),
        ),
    ),
    "graph-trouble": CheckOutcome(
        _("Microsoft Graph gave an answer that we cannot use."),
        _("Its answer: %(detail)s"),
        (WAIT_AND_TEST,),
    ),
    "no-change-tracking": CheckOutcome(
        _("Entra does not tell us what changed."),
        _("Every run will read everybody, and be slower. The answer: %(detail)s"),
        (_("Nothing has to be done now. Test again when runs take long."),),
        state="warning",
    ),
    "names-missing": CheckOutcome(
        _("%(missing)s of %(sample)s people have no first, last or display name."),
        _("AWS takes nobody without these names. Among them: %(examples)s."),
        (
            _("Fill the names in Entra for people who are to be in AWS."),
            _("Or give the mappings of name.givenName and name.familyName a default."),
        ),
        state="warning",
    ),
    # AWS, A1
    "endpoint-missing": CheckOutcome(
        _("There is no SCIM endpoint yet."),
        _("Without it we do not know where to write."),
        (OPEN_AWS, MANAGE_PROVISIONING, _("Copy SCIM endpoint, enter it here, and save.")),
        edit="values",
    ),
    "endpoint-form": CheckOutcome(
        _("The stored address is not a SCIM endpoint."),
        _("%(detail)s"),
        (OPEN_AWS, MANAGE_PROVISIONING, _("Copy SCIM endpoint, enter it here, and save.")),
        edit="values",
    ),
    # A3 to A7
    "token-missing": CheckOutcome(
        _("There is no access token yet."),
        _("AWS lets nobody in without one."),
        (
            OPEN_AWS,
            MANAGE_PROVISIONING,
            _("Select Generate token, copy the whole token, enter it here, and save."),
        ),
        edit="credential",
    ),
    "token-refused": CheckOutcome(
        _("AWS did not accept the token."),
        _(
            "It may be cut off (we got %(characters)s characters; AWS tokens have about 500–620), ended,"
            " deleted in AWS, or belong to another endpoint (AWS answers the same for both)."
        ),
        (
            OPEN_AWS,
            _("Select Actions › Manage provisioning, then Generate token."),
            _("Copy the whole token and enter it here with Replace credential."),
            TEST_AGAIN,
        ),
        edit="credential",
    ),
    "endpoint-unknown": CheckOutcome(
        _("There is no SCIM service at this address."),
        _("The server answered “not found” (404). The end of the address may be cut off."),
        (OPEN_AWS, MANAGE_PROVISIONING, _("Copy SCIM endpoint again, enter it here, and save.")),
        edit="values",
    ),
    "not-scim": CheckOutcome(
        _("The server at this address does not speak SCIM 2.0."),
        _("Its answer cannot be read: %(detail)s"),
        (OPEN_AWS, MANAGE_PROVISIONING, _("Copy SCIM endpoint again, enter it here, and save.")),
        edit="values",
    ),
    "no-patch": CheckOutcome(
        _("The server does not take partial changes."),
        _("It does not support PATCH (ServiceProviderConfig): people could be created, never changed."),
        (_("Use a SCIM service that supports PATCH. AWS IAM Identity Center does."),),
    ),
    "aws-refused": CheckOutcome(
        _("AWS turned the request down."),
        _("Its answer: %(detail)s"),
        (
            _("Check that automatic provisioning is still turned on in IAM Identity Center › Settings."),
            TEST_AGAIN,
        ),
    ),
    "aws-busy": CheckOutcome(
        _("AWS did not answer as it should."),
        _("The trouble is on the side of AWS, or on the way there: %(detail)s"),
        (WAIT_AND_TEST,),
    ),
    "throttled": CheckOutcome(
        _("AWS asked us to slow down."),
        _("Somebody else may be using this endpoint now: AWS counts all requests together."),
        (WAIT_AND_TEST,),
    ),
    "no-filter": CheckOutcome(
        _("AWS does not filter on %(attribute)s."),
        _("We look for people who are already in AWS by this attribute, and cannot find them."),
        (_("In Mappings, choose userName or externalId as matching attribute."), TEST_AGAIN),
    ),
    # A9
    "token-date-missing": CheckOutcome(
        _("We do not know when the token ends."),
        _("AWS tokens last one year, and AWS tells nobody when one ends."),
        (_("Enter the date on which the token was created."),),
        state="warning",
        edit="values",
    ),
    "token-ends-soon": CheckOutcome(
        _("The token ends in %(days)s days."),
        _("AWS tokens last one year. Without a new one by %(ends)s nothing more reaches AWS."),
        (
            OPEN_AWS,
            _("Select Actions › Manage provisioning, then Generate token. The old one goes on working."),
            _("Enter the new token here, test it, then delete the old one in AWS."),
        ),
        state="warning",
        edit="credential",
    ),
    "token-ends-now": CheckOutcome(
        _("The token ends in %(days)s days."),
        _("AWS tokens last one year. From %(ends)s nothing more reaches AWS."),
        (
            OPEN_AWS,
            _("Select Actions › Manage provisioning, then Generate token. The old one goes on working."),
            _("Enter the new token here, test it, then delete the old one in AWS."),
        ),
        edit="credential",
    ),
    "token-ended": CheckOutcome(
        _("The token ended on %(ends)s."),
        _("AWS tokens last one year from the day they are made."),
        (
            OPEN_AWS,
            _("Select Actions › Manage provisioning, then Generate token."),
            _("Enter the new token and today's date here, and test it."),
            _("If the token does still work, correct the date it was created."),
        ),
        edit="credential",
    ),
}
