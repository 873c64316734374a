"""The embedded services and `run`, with real processes, real signals and a stand-in for the applications."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg2
import pytest
import redis

from creditplatform.embedded import ServiceError, ephemeral
from creditplatform.embedded.location import make_socket_directories, own_directory
from creditplatform.embedded.platform import Platform
from creditplatform.embedded.processes import alive, nothing, processes_marked, wait_until

REPOSITORY = Path(__file__).resolve().parents[2]
POSTGRES_15 = Path("/usr/lib/postgresql/15/bin")
AWKWARD = Path("a path with spaces", "信用平台", *["long-directory-name-" * 4] * 3)
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="shows what happens for root")
needs_proc = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks at processes in /proc")

WSGI = """
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"ready"]
"""
CELERY = """
import os
from celery import Celery
app = Celery("stand-in", broker=os.environ["REDIS_URL"])
"""
MANAGE = """
import os
import psycopg2
connection = psycopg2.connect(os.environ.get("DATABASE_OWNER_URL") or os.environ["DATABASE_URL"])
with connection, connection.cursor() as cursor:
    cursor.execute("CREATE TABLE IF NOT EXISTS starts (number serial)")
    cursor.execute("INSERT INTO starts DEFAULT VALUES")
    cursor.execute("SELECT count(*) FROM starts")
    print("starts so far:", cursor.fetchone()[0])
"""


def make_clone(root: Path) -> Path:
    """A directory with the real embedded part and a stand-in for everything that it starts."""
    package = root / "creditplatform"
    package.mkdir(parents=True)
    hidden = shutil.ignore_patterns("__pycache__")
    shutil.copytree(REPOSITORY / "creditplatform" / "embedded", package / "embedded", ignore=hidden)
    (package / "__init__.py").write_text("")
    (package / "wsgi.py").write_text(WSGI)
    (package / "celery.py").write_text(CELERY)
    (root / "manage.py").write_text(MANAGE)
    return root


class Start:
    """One `python -m creditplatform.embedded run`, with the lines it has printed."""

    def __init__(self, root: Path, *words: str, **variables: str) -> None:
        hidden = ("DATABASE_", "REDIS_", "CREDIT_", "DJANGO_", "SECRET_KEY")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
        self.output = root / f"output-{time.monotonic_ns()}"
        with self.output.open("w") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "creditplatform.embedded", "run", *words],
                cwd=root,
                env={**kept, **variables},
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def text(self) -> str:
        return self.output.read_text()

    def wait_for(self, words: str, seconds: float = 40) -> None:
        """Wait for words in the output; fails with the whole output."""

        def said() -> bool:
            return words in self.text or self.process.poll() is not None

        wait_until(said, seconds=seconds)
        assert words in self.text, self.text

    @property
    def address(self) -> str:
        self.wait_for("Ready: ")
        found = re.search(r"^Ready: (http://127\.0\.0\.1:\d+/)$", self.text, re.MULTILINE)
        assert found, self.text
        return found[1]

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal; the exit code."""
        self.process.send_signal(number)
        return self.process.wait(20)


def platform_of(root: Path) -> Platform:
    return Platform(root, root / "var", lambda _: None, nothing)


def programs_of(platform: Platform) -> dict[str, list[int]]:
    """Numbers of a clone's running programs, leaders first, by what they are."""
    found: dict[str, list[int]] = {"gunicorn": [], "worker": [], "beat": []}
    for process in sorted(processes_marked(platform.mark)):
        words = Path(f"/proc/{process}/cmdline").read_bytes().decode(errors="replace").split("\0")
        for name, numbers in found.items():
            if name in words:
                numbers.append(process)
    return found


def every_process(platform: Platform) -> list[int]:
    """All living processes of a clone: programs, and both servers."""
    assert platform.postgres
    assert platform.valkey
    servers = [platform.postgres.process(), platform.valkey.process()]
    return [*processes_marked(platform.mark), *(number for number in servers if number)]


@pytest.fixture
def without_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget the servers that the test run itself uses."""
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "CREDIT_VAR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def platforms(without_addresses: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Platform]]:
    """Makes platforms in fresh directories within everybody's reach; ends what they have started."""
    base = Path(subprocess.check_output(["mktemp", "-d", "/tmp/credit-test-XXXXXX"], text=True).strip())
    base.chmod(0o755)
    made: list[Platform] = []

    def make(*parts: str | Path) -> Platform:
        made.append(platform_of(make_clone(base.joinpath(*parts))))
        return made[-1]

    yield make
    for platform in made:
        for process in processes_marked(platform.mark):
            os.kill(process, signal.SIGKILL)
        platform.stop_services()
        assert not platform.places.postgres_sockets.exists()
        assert not platform.places.valkey_sockets.exists()
        if platform.places.outside != platform.var:
            shutil.rmtree(platform.places.outside)
    shutil.rmtree(base)


def kept_number(platform: Platform) -> str:
    assert platform.postgres
    return platform.postgres.run_sql("SELECT number FROM kept", "credit")


def test_temporary_services_listen_on_sockets_only_and_know_chinese_letters() -> None:
    with ephemeral() as services:
        top = services.postgres.data.parent
        assert services.postgres.run_sql("SHOW listen_addresses") == ""
        assert services.postgres.run_sql("SELECT '惠州市' ~ '^\\w+$'", "credit") == "t"
        assert (services.postgres.data.stat().st_mode & 0o777) == 0o700
        assert services.postgres.run_sql("SHOW fsync") == "off"
        assert redis.from_url(services.valkey.url.replace("redis+socket", "unix")).config_get("port") == {"port": "0"}
        numbers = [services.postgres.process(), services.valkey.process()]
    assert all(number and not alive(number) for number in numbers)
    assert not top.exists()


def test_application_role_owns_nothing_and_needs_its_password() -> None:
    with ephemeral() as services:
        with (
            psycopg2.connect(services.application_url) as connection,
            connection.cursor() as cursor,
            pytest.raises(psycopg2.errors.InsufficientPrivilege),
        ):
            cursor.execute("CREATE TABLE public.mine (number int)")
        with psycopg2.connect(services.owner_url) as connection, connection.cursor() as cursor:
            cursor.execute(
                "SELECT rolname, rolsuper, rolcreatedb FROM pg_roles WHERE rolname LIKE 'credit%' ORDER BY 1"
            )
            assert cursor.fetchall() == [("credit", False, True), ("credit_app", False, False)]
            cursor.execute("SET ROLE credit_app")
        wrong = services.application_url.replace("credit_app:", "credit_app:x")
        with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
            psycopg2.connect(wrong)


def test_temporary_services_end_with_a_killed_process() -> None:
    code = (
        "import time\nfrom creditplatform.embedded import ephemeral\n"
        "with ephemeral() as services:\n"
        "    server, broker = services.postgres, services.valkey\n"
        "    print(server.process(), broker.process(), server.data.parent, flush=True)\n"
        "    time.sleep(600)\n"
    )
    starter = subprocess.Popen([sys.executable, "-c", code], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
    assert starter.stdout
    postgres, valkey, directory = starter.stdout.readline().split()
    assert alive(int(postgres))
    starter.kill()
    starter.communicate()
    assert wait_until(lambda: not (alive(int(postgres)) or alive(int(valkey))), seconds=10)
    assert wait_until(lambda: not Path(directory).exists(), seconds=10)


@pytest.mark.skipif(not (POSTGRES_15 / "initdb").exists(), reason="no PostgreSQL 15 on this machine")
def test_other_programs_may_serve() -> None:
    with ephemeral(bin_dir=POSTGRES_15) as services:
        assert services.postgres.run_sql("SHOW server_version_num").startswith("15")
        assert services.postgres.run_sql("SELECT '惠州市' ~ '^\\w+$'", "credit") == "t"


def test_data_survive_a_killed_server_in_a_long_path_with_spaces_and_chinese(
    platforms: Callable[..., Platform],
) -> None:
    platform = platforms(AWKWARD)
    assert len(str(platform.var)) > 200
    platform.start_services()
    assert platform.postgres
    assert platform.valkey
    platform.postgres.run_sql("CREATE TABLE kept AS SELECT 42 AS number", "credit")
    broker = redis.from_url(platform.valkey.url.replace("redis+socket", "unix"))
    broker.set("kept", "42")
    time.sleep(1.1)  # the append-only file reaches the disk every second
    numbers = [platform.postgres.process(), platform.valkey.process()]
    for number in numbers:
        assert number
        os.kill(number, signal.SIGKILL)
    assert wait_until(lambda: not any(alive(number) for number in numbers if number), seconds=5)
    platform.start_services()
    assert kept_number(platform) == "42"
    assert broker.get("kept") == b"42"
    assert platform.postgres.process() not in numbers


def test_a_lock_file_with_the_number_of_a_foreign_process_harms_nobody(
    platforms: Callable[..., Platform],
) -> None:
    platform = platforms("clone")
    platform.start_services()
    server, broker = platform.postgres, platform.valkey
    assert server
    assert broker
    server.run_sql("CREATE TABLE kept AS SELECT 7 AS number", "credit")
    lock = (server.data / "postmaster.pid").read_text()
    platform.stop_services()
    foreign = subprocess.Popen(["sleep", "600"])
    try:
        make_socket_directories(platform.places)
        stale = "\n".join([str(foreign.pid), *lock.splitlines()[1:], ""])
        (server.data / "postmaster.pid").write_text(stale)
        (server.sockets / ".s.PGSQL.5432.lock").write_text(stale)
        (broker.data / "valkey.pid").write_text(str(foreign.pid))
        assert server.process() is None
        platform.stop_services()
        platform.start_services()
        assert kept_number(platform) == "7"
        platform.stop_services()
        assert foreign.poll() is None
    finally:
        foreign.kill()
        foreign.wait()


def test_an_interrupted_first_start_is_begun_anew(platforms: Callable[..., Platform]) -> None:
    platform = platforms("clone")
    half = platform.places.postgres_data.with_name("postgres.part")
    half.mkdir()
    (half / "PG_VERSION").write_text("18")
    platform.start_services()
    assert not half.exists()


def test_data_of_another_version_are_refused_with_advice(platforms: Callable[..., Platform]) -> None:
    platform = platforms("clone")
    platform.start_services()
    platform.stop_services()
    (platform.places.postgres_data / "PG_VERSION").write_text("9\n")
    with pytest.raises(ServiceError, match="written by PostgreSQL 9"):
        platform.start_services()


@needs_root
def test_root_in_a_directory_of_its_own_leaves_its_rights_alone(platforms: Callable[..., Platform]) -> None:
    platform = platforms("closed", "clone")
    closed = platform.root.parent
    closed.chmod(0o700)
    platform.start_services()
    assert platform.postgres
    assert platform.postgres.process()
    assert closed not in platform.places.postgres_data.parents
    assert (closed.stat().st_mode & 0o777, closed.stat().st_uid) == (0o700, 0)
    data = platform.places.postgres_data.stat()
    assert (data.st_mode & 0o777, data.st_uid == platform.places.account.uid) == (0o700, True)
    again = platform_of(platform.root)
    assert again.places == platform.places


def test_a_trap_laid_in_a_shared_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o755)
    (tmp_path / "trap").symlink_to(tmp_path / "real")
    with pytest.raises(ServiceError, match="not a directory of ours"):
        own_directory(tmp_path / "trap")
    assert ((tmp_path / "real").stat().st_mode & 0o777) == 0o755


@needs_proc
def test_two_clones_run_side_by_side_and_leave_nothing(platforms: Callable[..., Platform]) -> None:
    first, second = platforms("first"), platforms(AWKWARD)
    starts = [Start(first.root), Start(second.root)]
    addresses = [start.address for start in starts]
    assert len(set(addresses)) == 2
    assert all(all(programs_of(platform).values()) for platform in (first, second))

    for numbers in programs_of(first).values():
        variables = Path(f"/proc/{numbers[0]}/environ").read_text().split("\0")
        assert first.mark in variables
        assert [word for word in variables if word.startswith("DATABASE_URL=postgresql://credit_app:")]
        assert not [word for word in variables if word.startswith("DATABASE_OWNER_URL")]

    third = Start(first.root)
    assert third.process.wait(20) == 1
    assert f"already running (process {starts[0].process.pid}, {addresses[0]})" in third.text

    numbers = [*every_process(first), *every_process(second)]
    began = time.monotonic()
    assert starts[0].end(signal.SIGINT) == 0
    assert time.monotonic() - began < 10
    assert starts[1].end(signal.SIGTERM) == 0
    assert not list(filter(alive, numbers))
    assert not [*every_process(first), *every_process(second)]


@needs_proc
def test_what_dies_is_started_again_and_what_is_orphaned_is_ended(platforms: Callable[..., Platform]) -> None:
    platform = platforms("clone")
    start = Start(platform.root, "--port", "0")
    address = start.address
    before = programs_of(platform)
    assert platform.postgres
    assert platform.valkey
    servers = [platform.postgres.process(), platform.valkey.process()]
    for number in [*(numbers[0] for numbers in before.values()), *servers]:
        assert number
        os.kill(number, signal.SIGKILL)
    for words in ("web ended", "worker ended", "beat ended", "PostgreSQL runs again", "Valkey runs again"):
        start.wait_for(words)
    assert wait_until(lambda: all(programs_of(platform).values()), seconds=20)
    assert platform.postgres.run_sql("SELECT count(*) FROM starts", "credit") == "1"
    assert not set(filter(alive, (number for numbers in before.values() for number in numbers)))

    start.end(signal.SIGKILL)
    again = Start(platform.root, "--port", address.rstrip("/").rpartition(":")[2])
    assert again.address == address
    assert "starts so far: 2" in again.text
    assert all(numbers for numbers in programs_of(platform).values())
    assert again.end() == 0
    assert not every_process(platform)


def test_a_taken_port_is_said_before_anything_starts(platforms: Callable[..., Platform]) -> None:
    platform = platforms("clone")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        start = Start(platform.root, "--port", str(taken.getsockname()[1]))
        assert start.process.wait(20) == 1
    assert "Name another: make run PORT=" in start.text
    assert not platform.places.postgres_data.exists()


@needs_proc
def test_named_servers_replace_the_embedded_ones(platforms: Callable[..., Platform]) -> None:
    platform = platforms("clone")
    with ephemeral() as services:
        start = Start(platform.root, "--port", "0", **services.environment)
        assert start.address
        assert start.end() == 0
        assert services.postgres.run_sql("SELECT count(*) FROM starts", "credit") == "1"
    assert "PostgreSQL" not in start.text
    assert not platform.places.postgres_data.exists()
