"""Microsoft's synchronization schema, from a file or from Entra, as what is wanted here; and written for Entra."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.utils.translation import gettext as _

from sync.configuration.editing import problem_sentence
from sync.configuration.files import json_text, ms_schema, reading
from sync.configuration.files.json_text import NotJson
from sync.configuration.files.ms_schema import NotASchema, ReportLine, ReportNote
from sync.configuration.files.section import FileProblem, NotImported
from sync.configuration.files.writing import as_document, wanted_of
from sync.connection.clients import graph_client
from sync.directory.live import UNREADABLE, client_of
from sync.graph.client import GraphClient
from sync.graph.errors import Forbidden, NotFound
from sync.models import AttributeMapping, Configuration, Tenant
from sync.rules import aws_fields, filter_checks
from sync.rules.rows import MappingRow
from sync.rules.wanted import Wanted, WantedFilter


class CannotRead(Exception):
    """Entra did not give the schema; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class ProvisioningJob:
    """Of an enterprise application; `template` names the connector, `state` is Graph's word."""

    id: str
    template: str
    state: str

    def __str__(self) -> str:
        return " · ".join(filter(None, [self.template, self.state, self.id]))


class SeveralJobs(CannotRead):
    """One of `jobs` has to be named."""

    def __init__(self, jobs: Sequence[ProvisioningJob]) -> None:
        super().__init__(_("This enterprise application has several provisioning jobs. Choose the one to read."))
        self.jobs = jobs


@dataclass(frozen=True, slots=True)
class Incoming:
    """A file that was understood. `report` is Microsoft's alone: our own file is taken as a whole or not at all."""

    wanted: Wanted
    report: Sequence[ReportLine] = field(default=())

    @property
    def text(self) -> str:
        """In our format: what the second step of an import takes."""
        return json.dumps(as_document(self.wanted), ensure_ascii=False)


def read_text(content: bytes | str, configuration: Configuration) -> Incoming:
    """A file of either format. Raises NotImported."""
    try:
        document = json_text.read(content)
    except NotJson as error:
        raise NotImported([FileProblem("", _(error.template) % error.params)]) from error
    if ms_schema.is_of_graph(document):
        return read_schema(document, configuration)
    return Incoming(reading.parse_configuration(document, configuration))


def read_schema(document: Any, configuration: Configuration) -> Incoming:
    """What a schema cannot say stays as it is in `configuration`. Raises NotImported."""
    try:
        found = ms_schema.read(document)
    except NotASchema as error:
        raise NotImported([FileProblem("", _(error.template) % error.params)]) from error
    report = list(found.report)
    wanted = Wanted(
        mappings={kind: _merged(rules, kind, configuration, report) for kind, rules in found.mappings.items()},
        filters={kind: _with_case(filters, kind, configuration) for kind, filters in found.filters.items()},
        settings={f"{kind}_actions": actions for kind, actions in found.actions.items()},
    )
    # Every row passes the same checks as one of our own files.
    return Incoming(reading.parse_configuration(as_document(wanted), configuration), report)


def _merged(
    rules: Sequence[MappingRow], kind: str, configuration: Configuration, report: list[ReportLine]
) -> list[MappingRow]:
    rows = {row.target: row for row in configuration.mappings.filter(object_type=kind)}
    merged = [_with_row(rule, rows.get(rule.target)) for rule in rules]
    for target in sorted(aws_fields.required_targets(kind) - {rule.target for rule in rules}):
        if target in rows:
            merged.append(rows[target].rule())
            _note_kept(report, kind, target)
    return merged


def _with_row(rule: MappingRow, row: AttributeMapping | None) -> MappingRow:
    if row is None:
        return rule
    return replace(rule, when_empty=row.when_empty, default_on_update=row.default_on_update)  # type: ignore[arg-type]


def _with_case(filters: Sequence[WantedFilter], kind: str, configuration: Configuration) -> list[WantedFilter]:
    """A filter that is the same but for upper and lower case, which a schema cannot leave out of account, stays; of several
    that are so, each is its own."""
    stay = defaultdict(list)
    for row in configuration.filters.filter(object_type=kind):
        stay[row.title, _cased(row.clauses)].append(row.clauses)
    found = [stay[one.title, _cased(one.clauses)] for one in filters]
    return [
        replace(one, clauses=same.pop(0) if same else one.clauses) for one, same in zip(filters, found, strict=True)
    ]


def _cased(clauses: Sequence[Mapping[str, Any]]) -> str:
    return json.dumps([{**clause, "ignore_case": False} for clause in clauses], sort_keys=True)


def _note_kept(report: list[ReportLine], kind: str, target: str) -> None:
    for n, line in enumerate(report):
        if (line.object_type, line.part, line.name) == (kind, "mapping", target):
            report[n] = replace(line, notes=[*line.notes, ReportNote("kept-row")])
            return
    report.append(ReportLine(kind, "mapping", target, "left_out", [ReportNote("kept-row")]))


def note_sentence(note: ReportNote) -> str:
    """In the reader's language."""
    params = dict(note.params)
    if isinstance(note.problem, filter_checks.FilterProblem):
        params["problem"] = note.problem.sentence(_)
    elif note.problem is not None:
        params["problem"] = problem_sentence(note.problem)
    return _(ms_schema.MESSAGES[note.code]) % params


def export_schema(configuration: Configuration) -> tuple[dict[str, Any], list[ReportLine]]:
    """The schema, and what it cannot say."""
    return ms_schema.write(wanted_of(configuration))


def fetch(tenant: Tenant, application: str, job: str = "", *, patient: bool = False) -> dict[str, Any]:
    """The schema of a provisioning job of an enterprise application, by the object ID or application ID of that.

    `job`: its ID; not needed where there is one job. `patient`: nobody waits in front of a page. Raises CannotRead, SeveralJobs.
    """
    try:
        client = graph_client(tenant) if patient else client_of(tenant)
        return _fetch(client, application.strip().lower(), job.strip())
    except Forbidden as error:
        raise CannotRead(
            _(
                "Entra does not let us read provisioning settings. The permission Synchronization.Read.All is missing. "
                "Ask a Global Administrator to grant it, or import a file: in Entra, select Provisioning, Attribute mapping, "
                "Advanced options, Edit schema, Download."
            )
        ) from error
    except UNREADABLE as error:
        raise CannotRead(_("Entra cannot be read right now: %(error)s") % {"error": error}) from error


def _fetch(client: GraphClient, application: str, job: str) -> dict[str, Any]:
    principal, found = _jobs(client, application)
    if not found:
        raise CannotRead(_("This enterprise application has no provisioning job, so there are no mappings to read."))
    jobs = [_job(one) for one in found]
    if not job and len(jobs) > 1:
        raise SeveralJobs(jobs)
    if job and job not in {one.id for one in jobs}:
        raise CannotRead(_("This enterprise application has no provisioning job “%(job)s”.") % {"job": job[:200]})
    return client.synchronization_schema(principal, job or jobs[0].id)


def _job(found: Mapping[str, Any]) -> ProvisioningJob:
    schedule = found.get("schedule")
    state = schedule.get("state") if isinstance(schedule, dict) else None
    return ProvisioningJob(str(found.get("id") or ""), str(found.get("templateId") or ""), str(state or ""))


def _jobs(client: GraphClient, application: str) -> tuple[str, list[dict[str, Any]]]:
    try:
        return application, client.synchronization_jobs(application)
    except NotFound:
        pass
    try:
        principal = str(client.service_principal(application).get("id"))
    except NotFound as error:
        raise CannotRead(_("Entra knows no enterprise application with this ID.")) from error
    return principal, client.synchronization_jobs(principal)
