"""The catalogue of problems: every code with its words, and how a run's problems are grouped.

Words follow one form: what happened, why, what to do. `%(name)s`-like facts come from the group they stand for.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

Words = str | Promise


AWS_SAID, AWS_RULE, HELD_BY = _("AWS said:"), _("The rule of AWS:"), _("Held in AWS by:")


@dataclass(frozen=True, slots=True)
class RefusalWords:
    """`foreseen`: by AWS's rules, before it was asked; `answered`: by an answer that came."""

    foreseen: Words
    answered: Words


OF_PERSON = RefusalWords(_("AWS would refuse the person."), _("AWS refused the person."))
OF_OBJECT = RefusalWords(_("AWS would refuse the object."), _("AWS refused the object."))


@dataclass(frozen=True, slots=True)
class ProblemWords:
    title: Words
    reason: Words
    remedy: Words
    # Warnings settle by themselves; problems wait for a person.
    warning: bool = False
    # What an operation's `error` is, where AWS has not said it.
    quoted: Words = ""
    # What AWS does about it, or has done.
    refusal: RefusalWords | None = None

    @property
    def meaning(self) -> Words:
        """As long as nobody knows of an answer of AWS."""
        return self.told(answered=False)

    def told(self, *, answered: bool) -> Words:
        """What happened, and why."""
        if self.refusal is None:
            return self.reason
        return f"{self.refusal.answered if answered else self.refusal.foreseen} {self.reason}"

    def quote(self, answered: bool) -> Words:
        """Introduces an operation's `error`; before AWS was asked (not `answered`) that is AWS's rule."""
        return self.quoted or (AWS_SAID if answered else AWS_RULE)


PROBLEMS: dict[str, ProblemWords] = {
    # One person or group
    "too-many-values": ProblemWords(
        _("More than one value, AWS takes one"),
        _("There is more than one value for a field that takes a single one."),
        _("Remove all but one of the mappings named here, or empty the other values in Entra."),
        refusal=OF_PERSON,
    ),
    "missing-family-name": ProblemWords(
        _("Last name is missing"),
        _("Last name is empty and AWS requires it."),
        _("Fill Last name in Entra, or map a default for name.familyName."),
        refusal=OF_PERSON,
    ),
    "missing-given-name": ProblemWords(
        _("First name is missing"),
        _("First name is empty and AWS requires it."),
        _("Fill First name in Entra, or map a default for name.givenName."),
        refusal=OF_PERSON,
    ),
    "missing-display-name": ProblemWords(
        _("Display name is missing"),
        _("Display name is empty and AWS requires it."),
        _("Fill Display name in Entra, or map a default for displayName."),
        refusal=OF_OBJECT,
    ),
    "missing-user-name": ProblemWords(
        _("User name is missing"),
        _("The user name is empty and AWS requires it."),
        _("Map userName from an attribute that every person has, such as userPrincipalName."),
        refusal=OF_PERSON,
    ),
    "bad-characters": ProblemWords(
        _("Characters that AWS does not take"),
        _("A value contains a space in the user name, or a control or invisible character."),
        _("Change the value in Entra, or map an expression that replaces those characters."),
        refusal=OF_OBJECT,
    ),
    "too-long": ProblemWords(
        _("A value is too long"),
        _("A value is longer than AWS allows (128 for the user name, 256 for the external id, 1,024 elsewhere)."),
        _("Shorten the value in Entra, or map Left(…) of it."),
        refusal=OF_OBJECT,
    ),
    "empty-value": ProblemWords(
        _("A value is empty"),
        _("A value is an empty text, and AWS takes a text or nothing."),
        _("Fill the value in Entra, or remove its mapping."),
        refusal=OF_OBJECT,
    ),
    "reserved-name": ProblemWords(
        _("A name that AWS keeps for itself"),
        _("No person and no group may be called Administrator or AWSAdministrators."),
        _("Change the name in Entra, or map another one."),
        refusal=OF_OBJECT,
    ),
    "not-one-mail": ProblemWords(
        _("Not exactly one primary e-mail"),
        _("AWS takes a single e-mail, and it must be the primary one."),
        _("Map one attribute to emails, such as mail."),
        refusal=OF_PERSON,
    ),
    "missing-mail": ProblemWords(
        _("E-mail is missing"),
        _(
            "AWS may refuse the person. Its guide asks for an e-mail that nobody else has; its endpoint takes people without."
        ),
        _("Fill the e-mail in Entra, or map a default for emails."),
    ),
    "maybe-refused-characters": ProblemWords(
        _("Characters that AWS may refuse"),
        _(
            "A value contains a tab, a line break, one of < > ; : % or a very new character. The sources disagree on them."
        ),
        _("Nothing to do while AWS takes it. If AWS refuses it, change the value in Entra or map an expression."),
    ),
    "name-id-differs": ProblemWords(
        _("User name and sign-in name differ"),
        _(
            "AWS takes the person, but sign-in fails. AWS compares the user name with the SAML NameID, letter case included."
        ),
        _("Map userName from the attribute that the NameID claim is made of, or change the claim in Entra."),
    ),
    "name-id-empty": ProblemWords(
        _("Sign-in name is missing"),
        _("AWS takes the person, but sign-in fails. The attribute that the SAML NameID claim is made of is empty."),
        _("Fill the attribute in Entra, or make the NameID claim of another one."),
    ),
    "guest-name-id": ProblemWords(
        _("A guest's sign-in name is not known"),
        _("Sign-in may fail. What Entra sends as a guest's user principal name depends on how the guest signs in."),
        _("Make the NameID claim of mail for guests in Entra, and map userName from mail for them."),
    ),
    "already-exists": ProblemWords(
        _("AWS already has this value"),
        _(
            "AWS holds another person or group with the value of the field named here: user names, e-mail addresses, external "
            "ids and group names are there once."
        ),
        _(
            "Compare the two. If they are the same, link them under Approvals or with the command adopt; where that is not "
            "proposed, the other one belongs to somebody else: change the value of one of the two."
        ),
        quoted=HELD_BY,
    ),
    "two-matches": ProblemWords(
        _("Two matches in AWS"),
        _("Two objects in AWS match. We changed nothing."),
        _("Decide which one is right and rename or remove the other in AWS."),
    ),
    "not-found-link": ProblemWords(
        _("Gone from AWS"),
        _("The linked object is gone from AWS. Someone deleted it there."),
        _(
            "What a sync met, the next one mends: it looks for a match, and creates the object anew if there is none. What a "
            "comparison found is repaired under Compare with AWS."
        ),
    ),
    "aws-contradicts": ProblemWords(
        _("AWS contradicts itself"),
        _("AWS answered that the person or group is not there, and showed it when it was asked. We forgot nothing."),
        _("Nothing to do; the next run tries again. If it lasts, ask AWS support with the request id."),
        warning=True,
    ),
    "never-touch": ProblemWords(
        _("On the never-touch list"),
        _("AWS holds an object that is on the never-touch list and that is not ours. We sent nothing."),
        _("Nothing to do if that is right. Else take it off the list, or rename the object in Entra."),
    ),
    "quota-reached": ProblemWords(
        _("AWS's quota is used up"),
        _("AWS holds as many people or groups as its quota allows. Changes and removals go on; nothing new is made."),
        _("Ask AWS for a higher quota under Service Quotas, or take people out of scope."),
    ),
    "expression-error": ProblemWords(
        _("An expression cannot be computed"),
        _("The expression of a mapping stops on this person's values. Nothing of this person was written."),
        _("Open the mapping and try the expression with this person."),
    ),
    "ignored-by-rule": ProblemWords(
        _("Left alone by rule"),
        _("The expression of a mapping says IgnoreObjectFlow for this person or group. Nothing of it was written."),
        _("Nothing to do, if that is what the mapping is for. Otherwise open the mapping and try it with this person."),
        warning=True,
    ),
    "create-off": ProblemWords(
        _("Nobody is created"),
        _("AWS does not hold this person or group, and creating is turned off under Mappings."),
        _("Turn on Create under Mappings, or create the person in AWS: then they are linked."),
        warning=True,
    ),
    "stays-active": ProblemWords(
        _("Stays active in AWS after leaving"),
        _(
            "The mapping of active does not become false for whoever leaves this way, so AWS keeps them active: they keep "
            "their access."
        ),
        _("Select Disable leavers under Mappings, or use the command disable_leavers; then preview and publish."),
    ),
    "disable-off": ProblemWords(
        _("Nobody is disabled"),
        _("Disabling is turned off under Mappings, so AWS keeps whoever leaves active: they keep their access."),
        _("Select Disable leavers under Mappings, or use the command disable_leavers; then preview and publish."),
        warning=True,
    ),
    "members-replace": ProblemWords(
        _("AWS changes members one by one only"),
        _("AWS refused to replace a whole member list. This is our fault, not yours."),
        _("Send the request id to the maintainers."),
    ),
    "rejected": ProblemWords(
        _("AWS refused the request"),
        _("AWS refused what we sent and did not say more than what is quoted here."),
        _("Look at the request in the log entry. AWS CloudTrail, event source identitystore-scim, may say more."),
    ),
    "manager-not-in-aws": ProblemWords(
        _("The manager is not in AWS"),
        _("The person was written without a manager, since AWS does not hold the manager."),
        _("Nothing to do. The manager is set once AWS holds that person."),
        warning=True,
    ),
    "manager-outside-scope": ProblemWords(
        _("The manager is outside scope"),
        _("The person is written without a manager, since the manager is not to be in AWS."),
        _("Nothing to do, or assign the manager too."),
        warning=True,
    ),
    "waits-for-object": ProblemWords(
        _("Waits for another object"),
        _("This depends on a person or group that could not be written in this run, or whose change is held."),
        _("Solve the problem of that person or group first, or decide under Approvals. The next run then goes on."),
        warning=True,
    ),
    "answer-lost": ProblemWords(
        _("An answer got lost"),
        _("The sync was interrupted before AWS's answer was recorded. We read what became of it and went on."),
        _("Nothing to do."),
        warning=True,
    ),
    "exists-unlinked": ProblemWords(
        _("AWS already has this object"),
        _(
            "AWS holds a person or group with this name or address that nobody has linked. Permission sets and assignments "
            "hang on its AWS id. We changed nothing."
        ),
        _("Compare both. If they are the same, link them under Approvals or with the command adopt."),
        quoted=HELD_BY,
    ),
    "left-alone": ProblemWords(
        _("Left alone by rule"),
        _(
            "AWS holds an object with this name that we did not make, and the never-touch list names it. We changed nothing."
        ),
        _(
            "If they are the same, link them under Approvals or with the command adopt; then the list does not matter. If "
            "not, rename one of the two."
        ),
        quoted=HELD_BY,
    ),
    "same-value": ProblemWords(
        _("Two objects for one value"),
        _("Two objects of Entra would get the same user name, e-mail, external id or group name. AWS takes it once."),
        _("Change the value of one of them in Entra, or map another attribute."),
        quoted=_("The other one:"),
    ),
    "taken-by-leaver": ProblemWords(
        _("The name belongs to a leaver"),
        _(
            "A person who left still holds this user name or e-mail in AWS, with the accounts and permission sets that hang "
            "on the AWS id. The newcomer is somebody else to us."
        ),
        _(
            "If it is the same person, made anew in Entra, link them under Approvals or with the command adopt. If not, let "
            "the names of leavers be freed under Provisioning: that waits for the leaver to be disabled. Or rename the old "
            "user in AWS, then compare with AWS."
        ),
        quoted=HELD_BY,
    ),
    "group-made-anew": ProblemWords(
        _("AWS holds a group of this name"),
        _(
            "It belonged to a group of Entra that is deleted or out of scope. Permission sets and account assignments hang "
            "on its AWS id, so we neither made a second group nor renamed it."
        ),
        _(
            "If the group was made anew in Entra, link the two under Approvals or with the command adopt: the AWS id stays, "
            "and all that hangs on it. If it is another group, rename one of the two; after one in AWS, compare with AWS."
        ),
        quoted=HELD_BY,
    ),
    "unknown-to-entra": ProblemWords(
        _("Entra does not know this id"),
        _("Neither Entra nor our last reading of it has a person or group with this id."),
        _("Search for the name again. Whoever was deleted more than 30 days ago is gone from Entra."),
    ),
    "not-in-entra": ProblemWords(
        _("Only in AWS"),
        _("AWS holds people or groups whom nobody in Entra claims. We never touch them."),
        _(
            "Look at them under Compare with AWS, Only in AWS: link each with whom it is, or leave it alone with the reason."
        ),
    ),
    "differs": ProblemWords(
        _("AWS holds something else"),
        _("AWS holds other values than were written last: somebody may have changed them there."),
        _(
            "Look at the fields named here in AWS, and repair or leave them under Compare with AWS, or run it once more."
        ),
    ),
    "members-differ": ProblemWords(
        _("AWS holds other members"),
        _("A group in AWS has other members than were written last: somebody may have changed them there."),
        _("Look at the members under Compare with AWS, and repair or leave them there."),
    ),
    # The whole run, or what it holds back
    "cancelled": ProblemWords(
        _("Cancelled"),
        _("Somebody cancelled it. Changes already written stay."),
        _("Start it again when it is wanted."),
    ),
    "interrupted": ProblemWords(
        _("It was interrupted too often"),
        _("The worker stopped three times in the middle of it. What became of its requests was read from AWS."),
        _("Look at the server log, then start it again."),
    ),
    "restored": ProblemWords(
        _("The database was restored from a backup"),
        _(
            "AWS may hold people and groups that it does not know of. Nothing is written before somebody compared the two."
        ),
        _("Compare with AWS, look at what only AWS holds, then turn provisioning on."),
    ),
    "not-confirmed": ProblemWords(
        _("The plan waits for a yes"),
        _("Who is assigned, or how people are matched, has changed. The plan is made; nothing was written."),
        _("Open the run, read what it would do, and confirm it."),
    ),
    "held-people": ProblemWords(
        _("Removals of people are held"),
        _("More people would lose access than your limit allows. We held them all and wrote everything else."),
        _("Look at the names under Approvals: remove them, or keep them."),
    ),
    "held-members": ProblemWords(
        _("Removals of members are held"),
        _("More members would leave a group than your limit allows. We held them all and wrote everything else."),
        _("Look at the names under Approvals: remove them, or keep them."),
    ),
    "held-groups": ProblemWords(
        _("Deletions of groups are held"),
        _("Account assignments hang on a group's id and are lost with it, so every deletion waits for a person."),
        _("Look at the names under Approvals: delete them, or keep them."),
    ),
    "held-creates": ProblemWords(
        _("Many new people are held"),
        _("More people and groups would be created than your limit allows. A scope mistake can do that."),
        _("Look at the names under Approvals: create them, or keep them out."),
    ),
    "held-keys": ProblemWords(
        _("Many changed names are held"),
        _(
            "More user names, e-mail addresses or ids would change than your limit allows. A mapping mistake can do that."
        ),
        _("Look at the names under Approvals: change them, or keep them."),
    ),
    "source-shrunk": ProblemWords(
        _("Entra returned far fewer than before"),
        _("The reading brought much less than the last one. We believe no absence: nobody was removed."),
        _("Check in Entra that the app still sees everything. If it is right, accept it under Approvals."),
    ),
    "too-many-failures": ProblemWords(
        _("Too many changes failed"),
        _("AWS refused so many changes that something general is wrong. We stopped writing and try again later."),
        _("Look at the problems of the run. A try that goes well ends the quarantine by itself."),
    ),
    "endpoint-gone": ProblemWords(
        _("The SCIM endpoint does not exist"),
        _("AWS answered that there is nothing at this address. Automatic provisioning may have been turned off there."),
        _("Copy the SCIM endpoint from AWS again under Connection and press Test connection."),
    ),
    "throttled": ProblemWords(
        _("AWS asked us to slow down"),
        _("AWS limits requests per second, and we waited longer than we may wait."),
        _("Nothing to do. The next run goes on where this one stopped."),
        warning=True,
    ),
    "members-unread": ProblemWords(
        _("Members of the group cannot be read"),
        _("Entra tells who the members are only in part, so nobody was removed from the group in AWS."),
        _("Give the app registration User.Read.All and GroupMember.Read.All. The next run reads the group again."),
    ),
    "members-conflict": ProblemWords(
        _("AWS was changing the group at the same moment"),
        _("AWS answered twice that our change of members met another change of the same group."),
        _("Nothing to do. The next run tries again."),
        warning=True,
    ),
    "aws-down": ProblemWords(
        _("AWS did not answer"),
        _("AWS could not be reached or answered with an error of its own. Nobody lost access."),
        _("Nothing to do; we try again with the next run. If it lasts, press Test connection."),
    ),
    "token-refused": ProblemWords(
        _("AWS refused the access token"),
        _("AWS no longer accepts the access token. It may have ended or been deleted."),
        _("Create a new token in AWS and replace it under Connection. Syncs wait until then."),
    ),
    "secret-ended": ProblemWords(
        _("The client secret ended"),
        _("Microsoft no longer accepts the app's client secret: it has ended."),
        _("Create a new secret or, better, use a certificate, and replace it under Connection."),
    ),
    "graph-sign-in": ProblemWords(
        _("Microsoft refused our sign-in"),
        _("The app could not sign in to Entra. Nothing was read and nothing was changed."),
        _("Press Test connection: it names what is wrong with the app or its credential."),
    ),
    "graph-denied": ProblemWords(
        _("Entra does not let us read"),
        _("A permission is missing or not consented. Nothing was changed."),
        _("Ask a Global Administrator to grant User.Read.All and GroupMember.Read.All."),
    ),
    "graph-down": ProblemWords(
        _("Entra did not answer"),
        _("Microsoft Graph could not be reached or answered with an error of its own. Nobody lost access."),
        _("Nothing to do; the next run reads again from where the last one ended."),
    ),
    "graph-throttled": ProblemWords(
        _("Microsoft asked us to slow down"),
        _("Microsoft Graph limits requests, and we waited longer than we may wait. Nobody lost access."),
        _("Nothing to do; the next run reads again from where the last one ended."),
        warning=True,
    ),
    "source-empty": ProblemWords(
        _("Entra returned nobody"),
        _("A full reading of Entra brought no people at all, although we know some. We changed nothing."),
        _("Check in Entra that the app still sees the directory, then start a full sync."),
    ),
    "aws-list-incomplete": ProblemWords(
        _("AWS did not list everybody"),
        _("AWS holds people or groups that its own list did not name, so the comparison proves nothing."),
        _("Nothing to do; compare again later. If it happens again, ask AWS support. Nothing was changed."),
    ),
    "aws-many-gone": ProblemWords(
        _("Very many are gone from AWS"),
        _("More people or groups are gone from AWS than we look up one by one. Nobody was forgotten because of it."),
        _("Check that Connection points to the right AWS endpoint, then compare again."),
    ),
    "aws-members-unsure": ProblemWords(
        _("AWS did not list all members"),
        _("AWS holds members of groups that its own list did not name. Those groups were left out of the comparison."),
        _("Nothing to do; compare again later. Nothing was changed."),
    ),
    "app-assignments-shrunk": ProblemWords(
        _("Far fewer assignments in the enterprise application"),
        _(
            "The enterprise application lists far fewer people and groups than before. We kept its assignments and removed nobody."
        ),
        _("Check the application's users and groups in Entra. If they really are that few, accept it once."),
    ),
    "app-assignments-unread": ProblemWords(
        _("The enterprise application cannot be read"),
        _(
            "We could not read who is assigned to the enterprise application. We kept its assignments and removed nobody."
        ),
        _("Check that the application still exists, and grant Application.Read.All to the app that reads Entra."),
    ),
    "not-connected": ProblemWords(
        _("The connection is not complete"),
        _("Credentials for Entra or AWS are missing or cannot be opened. Nothing was read or changed."),
        _("Open Connection, enter them again and press Test connection."),
    ),
    "credential-ends": ProblemWords(
        _("The Entra credential ends"),
        _("Entra takes a secret or certificate until its end date only; after it nothing is read and syncs fail."),
        _("Open Connection and press Replace credential: the next one takes over without a gap."),
    ),
    "token-ends": ProblemWords(
        _("The AWS access token ends"),
        _("AWS tokens last one year; after it nothing more reaches AWS. People stay as they are, leavers included."),
        _("Open Connection and press Replace credential: AWS takes two tokens at a time, so there is no gap."),
    ),
    "nobody-works": ProblemWords(
        _("Nobody works"),
        _(
            "No worker is running, or nothing starts by itself. People and groups stay as they are in AWS, leavers included."
        ),
        _("Start what is missing on the server: System health, on the page Tenants, says what, and how."),
    ),
    "overdue": ProblemWords(
        _("A sync is overdue"),
        _(
            "It should have started minutes ago. Until it does, people and groups stay as they are in AWS, leavers included."
        ),
        _("See System health on the page Tenants: a worker or its slots are missing, or another run takes very long."),
    ),
    "no-finished-run": ProblemWords(
        _("No sync finishes"),
        _(
            "Provisioning is on, and no sync has come to an end for three intervals. What it has not reached yet stays as it is."
        ),
        _("Open Sync history: a sync that takes very long, or starts again and again, says why in its phases."),
    ),
    "stayed-off": ProblemWords(
        _("Provisioning stayed off after a pause"),
        _(
            "The pause is over, and something is missing that turning on needs. Nothing is written; people and groups stay as they are in AWS, leavers included."
        ),
        _("Open Provisioning, Turn on: it says what is missing. Turn it on there."),
    ),
    "engine-error": ProblemWords(
        _("The sync stopped on an error of its own"),
        _("This is our fault, not yours. What is written stays; nothing else was changed."),
        _("Send the run's number and the server log to the maintainers."),
    ),
}

# Of the end dates, whether runs go well or not.
OF_CREDENTIALS = ("credential-ends", "token-ends")

# Of the installation, not of any run.
OF_INSTALLATION = ("nobody-works", "overdue", "no-finished-run")
# Of a pause whose end could not turn provisioning on.
STAYED_OFF = "stayed-off"
NOT_OF_RUNS = (*OF_CREDENTIALS, *OF_INSTALLATION, STAYED_OFF)

# Met by comparisons with AWS only, and over when a later comparison does not meet them.
OF_COMPARISONS = ("aws-list-incomplete", "aws-many-gone", "aws-members-unsure")

SCOPE_REASONS: dict[str, Words] = {
    "assigned": _("Assigned directly"),
    "through-group": _("Through a group"),
    "through-nested-group": _("Through a group inside an assigned group"),
    "everybody": _("All people are in scope"),
    "not-assigned": _("Not assigned"),
    "outside-filter": _("Outside scope"),
    "guest-left-out": _("Guest left out"),
    "account-disabled": _("Account disabled in Entra"),
    "deleted": _("Deleted in Entra"),
    "people-only": _("Assigned only to bring its people: the group itself is not sent"),
}


@dataclass(frozen=True, slots=True)
class ScopeWords:
    """What a scope reason means, and what changes it: "" where it is as it should be."""

    meaning: Words
    remedy: Words = ""


SCOPE_HELP: dict[str, ScopeWords] = {
    "assigned": ScopeWords(_("The person or group itself is on the list of Assignments, and no filter keeps it out.")),
    "through-group": ScopeWords(_("An assigned group lists this person, and no filter keeps the person out.")),
    "through-nested-group": ScopeWords(
        _("A group that is inside an assigned group lists this person, and the assignment takes nested groups along.")
    ),
    "everybody": ScopeWords(_("Scope is set to all people of the directory, so nobody has to be assigned.")),
    "not-assigned": ScopeWords(
        _("No assignment brings this person: neither the person nor a group that lists the person is assigned."),
        _("Assign the person, or a group that lists the person, under Assignments."),
    ),
    "outside-filter": ScopeWords(
        _("Somebody or something is assigned, but no scoping filter lets it pass."),
        _("Change the filter under Scope, or the value in Entra."),
    ),
    "guest-left-out": ScopeWords(
        _("The account is a guest in Entra, and guests are left out under Scope."), _("Let guests in under Scope.")
    ),
    "account-disabled": ScopeWords(
        _("Sign-in is blocked in Entra, so AWS keeps the person disabled, or never gets them."),
        _("Enable the account in Entra."),
    ),
    "deleted": ScopeWords(
        _("The person or group is deleted in Entra. People can be restored there for 30 days."),
        _("Restore the person in Entra, under Deleted users, within 30 days."),
    ),
    "people-only": ScopeWords(
        _("The group's people are in scope. AWS gets no group of that name, so nothing can hang on it there."),
        _("Under Assignments, let the group itself be sent too, if AWS is to have it."),
    ),
}


def scope_words(reason: str, filters: Sequence[str]) -> str:
    """Why somebody is in or out, in a few words. `filters`: the titles of those that one of them would have to let pass."""
    if reason == "outside-filter" and filters:
        return gettext("Outside scope: %(filter)s") % {"filter": ", ".join(filters)}
    return str(SCOPE_REASONS.get(reason, reason))
