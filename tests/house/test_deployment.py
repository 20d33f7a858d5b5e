"""Image, compose file, units and Kubernetes example: what they promise, and that what they start does start."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import django
import pytest
import yaml

from sync.queue import QUICK, RUNS
from tests.house.test_keys import SEAL
from tests.house.test_settings import status
from tests.world.image import INSTALL, Image, context, ignored, instructions
from tests.world.programs import ROOT, Program, clean_environment, free_port, lint, until

pytestmark = pytest.mark.pure
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ("web", "worker", "quick", "beat", "migrate")
QUEUES = {"worker": RUNS, "quick": QUICK}
UNITS = ROOT / "deploy" / "systemd"
PODS: dict[str, dict[str, Any]] = {
    one["spec"]["template"]["metadata"]["labels"]["part"]: one["spec"]["template"]["spec"]
    for one in yaml.safe_load_all((ROOT / "deploy/kubernetes/lockstep.yaml").read_text())
    if "template" in one.get("spec", {})
}
SECRETS = ("secret_key", "seal_keys", "database_url", "broker_url")
DOCKERFILE = instructions((ROOT / "Dockerfile").read_text())


# The image


def test_the_image_holds_what_runs_and_nothing_else() -> None:
    tops = {path.parts[0] for path in context()}
    assert tops == {"locale", "manage.py", "portal", "requirements", "static", "sync", "templates"}
    assert {path.name for path in context() if path.parts[0] == "requirements"} == {"base.txt"}
    commands = {path.stem for path in context() if path.parent == Path("portal/management/commands")}
    assert not {"bench", "lab", "pass_time", "up", "welcome"} & commands


@pytest.mark.parametrize("name", ["var/seal.keys", "secrets/seal_keys", ".env", ".git/config", "lockstep.sqlite3"])
def test_nothing_that_an_installation_leaves_behind_gets_into_the_image(name: str) -> None:
    rules = (ROOT / ".dockerignore").read_text().splitlines()
    assert ignored(name, [rule for rule in rules if rule and rule[0] != "#"])


def test_the_image_installs_locked_packages_and_runs_without_rights() -> None:
    install = next(rest for name, rest in DOCKERFILE if name == "RUN" and INSTALL in rest)
    assert {"--require-hashes", "--only-binary", "--no-deps"} <= set(install.split())
    bases = [rest.split()[0] for name, rest in DOCKERFILE if name == "FROM"]
    assert all(re.search(r":\d+\.\d+\.\d+-", base) for base in bases), "an exact version"
    assert [rest for name, rest in DOCKERFILE if name == "USER"] == ["10001:10001"]
    assert "/healthz" in dict(DOCKERFILE)["HEALTHCHECK"]


def test_hadolint_has_nothing_to_say() -> None:
    assert lint("hadolint", "Dockerfile") == (0, "")


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        built = Image(Path(folder))
        built.build()
        built.environment |= {
            "SECRET_KEY": "k" * 60,
            "SEAL_KEYS": SEAL,
            "PUBLIC_URL": "https://lockstep.example",
            "DATABASE_URL": f"sqlite:///{folder}/tmp/database",
            "BROKER_URL": "memory://",
        }
        built.run(" ".join(SERVICES["migrate"]["command"]))
        yield built


@pytest.mark.nightly
@pytest.mark.process
def test_the_web_server_of_the_image_serves_pages_and_their_styles(image: Image) -> None:
    address = f"127.0.0.1:{free_port()}"
    with image.start([word.replace("0.0.0.0:8000", address) for word in image.command]) as web:
        until(lambda: status(address, "/readyz") == 200)
        assert list((image.folder / "app" / "collected").glob("css/*.css.br")), "compressed at the build"
        assert web.stop() == 0
        speaks_json(web)


@pytest.mark.nightly
@pytest.mark.process
@pytest.mark.parametrize("service", ["worker", "quick"])
def test_workers_of_the_image_start_where_only_tmp_can_be_written(image: Image, service: str) -> None:
    with image.start(SERVICES[service]["command"]) as program:
        program.line("@.* ready")
        assert program.stop() == 0
        speaks_json(program)


@pytest.mark.nightly
@pytest.mark.process
def test_beat_of_the_image_needs_no_file_of_its_own(image: Image) -> None:
    queue = image.folder / "tmp" / "lockstep" / "queue"
    image.run(f"mkdir -p {queue}")
    with image.start(SERVICES["beat"]["command"], BROKER_URL="filesystem://") as beat:
        until(lambda: list(queue.iterdir()))
        assert beat.stop() == 0
        speaks_json(beat)


def speaks_json(program: Program) -> None:
    """Whatever it says is a line of the log, no banner, and nothing of it is trouble; Celery's last words are its own."""
    said = [line for line in program.lines if line not in ("", "worker: Warm shutdown (MainProcess)")]
    levels = [json.loads(line)["level"] for line in said]
    assert set(levels) <= {"info", "warning"}, program.output
    assert not program.count("Traceback|Permission|Read-only")


# The compose file


def test_every_container_is_without_rights_and_cannot_gain_any() -> None:
    for name, service in SERVICES.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert "privileged" not in service, name


def test_only_the_web_server_is_reached_from_outside_and_only_by_this_machine() -> None:
    assert {name: service["ports"] for name, service in SERVICES.items() if "ports" in service} == {
        "web": ["127.0.0.1:8000:8000"]
    }
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    assert SERVICES["database"]["networks"] == SERVICES["broker"]["networks"] == ["inside"]


def test_secrets_are_files_and_no_environment_holds_one() -> None:
    for name, service in SERVICES.items():
        held = {f"/run/secrets/{secret}" for secret in service.get("secrets", [])}
        named = {value for variable, value in service.get("environment", {}).items() if variable.endswith("_FILE")}
        assert named <= held, name
        assert not [v for v in service.get("environment", {}) if re.search("PASSWORD$|KEYS?$|_URL$", v)], name
    assert {one for service in SERVICES.values() for one in service.get("secrets", [])} == set(COMPOSE["secrets"])


def test_nothing_starts_before_what_it_needs_is_ready() -> None:
    assert SERVICES["migrate"]["depends_on"] == {"database": {"condition": "service_healthy"}}
    for name in ("web", "worker", "quick", "beat"):
        assert SERVICES[name]["depends_on"] == {
            "migrate": {"condition": "service_completed_successfully"},
            "broker": {"condition": "service_healthy"},
        }
    assert all("test" in SERVICES[name]["healthcheck"] for name in ("database", "broker"))


def test_every_process_is_started_without_a_shell_and_gets_its_signals() -> None:
    commands = [service["command"] for service in SERVICES.values() if "command" in service]
    assert all(isinstance(command, list) and command[0] != "sh" for command in commands)
    assert all(word[0] != "sh" for name, rest in DOCKERFILE if name == "CMD" for word in [json.loads(rest)])


def test_the_compose_file_is_one_by_the_compose_specification() -> None:
    code, said = lint("check-jsonschema", "--builtin-schema", "vendor.compose-spec", "compose.yaml")
    assert code == 0, said


# Secrets


def make_secrets(*arguments: str, code: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, str(ROOT / "deploy/make_secrets.py"), *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stderr
    return done.stdout + done.stderr


def test_the_secrets_that_are_made_are_those_of_the_compose_file_and_are_never_made_twice(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    make_secrets(str(folder))
    made = {path.name: path.read_text() for path in folder.iterdir()}
    assert set(made) == set(COMPOSE["secrets"])
    assert folder.stat().st_mode & 0o077 == 0
    assert f"lockstep:{made['postgres_password'].strip()}@database/" in made["database_url"]
    broker = dict(line.split() for line in made["broker_conf"].splitlines())
    assert f"redis://:{broker['requirepass']}@broker:" in made["broker_url"]
    for name, value in {"appendonly": "yes", "maxmemory-policy": "noeviction"}.items():
        assert broker[name] == value
        assert f"`{name} {value}`" in (ROOT / "docs/operations.md").read_text(), (
            "for a broker that stands there already"
        )
    assert "nothing was made" in make_secrets(str(folder), code=1)
    assert {path.name: path.read_text() for path in folder.iterdir()} == made


def test_the_product_takes_the_secrets_that_are_made(tmp_path: Path) -> None:
    make_secrets("--host", "127.0.0.1", str(tmp_path / "secrets"))
    files = {f"{name.upper()}_FILE": str(tmp_path / "secrets" / name) for name in SECRETS}
    environment = clean_environment(PUBLIC_URL="https://lockstep.example", STATE_DIR=str(tmp_path), **files)
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if django.VERSION >= (6, 1):
        # It asks PostgreSQL for its version (GeneratedField._check_supported), and nobody listens there.
        assert done.stderr.startswith("The database cannot be used: connection failed:"), done.stderr
    else:
        assert done.returncode == 0, done.stderr


# Units, Kubernetes


def test_systemd_has_nothing_to_say_about_the_units(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not installed")
    shutil.copytree(UNITS, tmp_path, dirs_exist_ok=True)
    for unit in tmp_path.glob("*.service"):
        unit.write_text(re.sub(r"/opt/lockstep/\.venv/bin/\w+", "/bin/true", unit.read_text()))
    done = subprocess.run(
        [program, "verify", *(path.name for path in tmp_path.glob("*.service"))],
        cwd=tmp_path,
        env=os.environ | {"SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_kubernetes_example_is_one_by_its_schemas() -> None:
    code, said = lint("kubernetes-validate", "--strict", "deploy/kubernetes/lockstep.yaml")
    assert code == 0, said


def test_every_pod_is_without_rights() -> None:
    for name, pod in PODS.items():
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert pod["automountServiceAccountToken"] is False, name
        (container,) = pod["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }, name
        assert {mount["name"] for mount in container["volumeMounts"]} == {one["name"] for one in pod["volumes"]}, name


def unit_command(name: str) -> list[str]:
    line = re.findall("^ExecStart=(.*)$", (UNITS / f"lockstep-{name}.service").read_text(), re.MULTILINE)[0]
    return shlex.split(
        line.replace("/opt/lockstep/.venv/bin/", "").replace("%%", "%").replace("--pidfile=", "--pidfile ''")
    )


@pytest.mark.parametrize("name", ["worker", "quick"])
def test_workers_take_work_again_after_redis_was_away(name: str) -> None:
    """https://github.com/celery/celery/issues/8091"""
    assert {"--without-gossip", "--without-mingle"} <= set(SERVICES[name]["command"])


@pytest.mark.parametrize("name", OURS)
def test_compose_units_and_pods_start_the_same_processes(name: str) -> None:
    expected = SERVICES[name].get("command") or json.loads(dict(DOCKERFILE)["CMD"])
    assert PODS[name]["containers"][0].get("command", expected) == expected
    assert unit_command(name) == [word.replace("0.0.0.0", "127.0.0.1") for word in expected]


@pytest.mark.parametrize("name", ["worker", "quick"])
def test_workers_get_the_same_time_to_end_what_they_are_at(name: str) -> None:
    unit = (UNITS / f"lockstep-{name}.service").read_text()
    (minutes,) = re.findall(r"^TimeoutStopSec=(\d+)min$", unit, re.MULTILINE)
    assert SERVICES[name]["stop_grace_period"] == f"{minutes}m"
    assert PODS[name]["terminationGracePeriodSeconds"] == int(minutes) * 60
    words = {"1": "a minute", "3": "three minutes"}[minutes]
    assert f"one of `{QUEUES[name]}` {words}" in (ROOT / "docs/operations.md").read_text()


@pytest.mark.parametrize("name", ["web", "worker", "quick", "beat"])
def test_the_documents_name_these_processes(name: str) -> None:
    expected = SERVICES[name].get("command") or json.loads(dict(DOCKERFILE)["CMD"])
    assert shlex.join(expected).replace("'", "") in (ROOT / "docs/operations.md").read_text().replace('""', "")
