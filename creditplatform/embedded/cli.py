"""Command line of the embedded services and the set-up: `python -m creditplatform.embedded …`."""

import argparse
import os
import secrets
import signal
import subprocess
import sys
from pathlib import Path

from creditplatform.embedded.errors import ServiceError, StopRequested
from creditplatform.embedded.installation import install
from creditplatform.embedded.launch import StopSignals, run
from creditplatform.embedded.location import clone_root, remove_data, var_directory
from creditplatform.embedded.platform import Lock, Platform, given
from creditplatform.embedded.processes import nothing, send, wait_until
from creditplatform.embedded.temporary import ephemeral

STOP_SECONDS = 20


def say(line: str) -> None:
    """One line to the terminal, at once; a reader who has left is no mistake."""
    try:
        print(line, flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _environment(options: argparse.Namespace) -> int:
    locks = ["requirements.lock", "requirements-fonts.lock"]
    if options.dev:
        locks.append("requirements-dev.lock")
    install(clone_root(), locks, say)
    return 0


def _run(options: argparse.Namespace) -> int:
    signals = StopSignals(follow_parent=options.follow_parent)
    run(Platform(clone_root(), var_directory(), say, signals.check), signals, options.port)
    return 0


def _stop(_options: argparse.Namespace) -> int:
    """End a running platform, or what an interrupted one has left."""
    platform = Platform(clone_root(), var_directory(), say, nothing)
    lock = Lock(platform.places.run / "supervisor.lock")
    if not lock.take():
        holder = lock.holder()
        if holder:
            send(holder["process"], signal.SIGTERM)
        if not wait_until(lock.take, seconds=STOP_SECONDS):
            raise ServiceError("The running platform does not stop; its supervisor does not answer.")
    platform.end_strays()
    platform.stop_services()
    platform.withdraw_environment()
    say("Stopped: nothing of this copy runs any more")
    return 0


def _clean_data(options: argparse.Namespace) -> int:
    """Stop, then remove the embedded databases, keys and files of this clone for good."""
    _stop(options)
    remove_data(Platform(clone_root(), var_directory(), say, nothing).places)
    say("Removed: the next start begins with an empty database")
    return 0


def _run_with_services(options: argparse.Namespace) -> int:
    """Run a command beside temporary services; its exit code is ours."""
    if given("DATABASE_URL") and given("REDIS_URL"):
        return _command(options.command, {})
    with ephemeral(options.postgres_programs, durable=options.durable) as services:
        wanted = {name: value for name, value in services.environment.items() if not given(name)}
        return _command(options.command, wanted)


def _command(words: list[str], variables: dict[str, str]) -> int:
    """Run a command to its end; Ctrl-C reaches it by itself, SIGTERM is passed on."""
    process = subprocess.Popen(words, env={**os.environ, **variables})
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda received, _frame: send(process.pid, signal.Signals(received)))
    code = process.wait()
    return code if code >= 0 else 128 - code


def _production_secrets(options: argparse.Namespace) -> int:
    """Write the secrets that docker-compose.yml expects; existing ones are kept."""
    directory: Path = options.directory
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    words = {name: secrets.token_urlsafe(32) for name in ("secret_key", "owner_password", "application_password")}
    for name, word in words.items():
        words[name] = _kept(directory / name, word)
    for name, role in (("owner", "credit"), ("application", "credit_app")):
        _kept(directory / f"{name}_url", f"postgresql://{role}:{words[f'{name}_password']}@database:5432/credit")
    say(f"Secrets for production are in {directory}; keep a copy elsewhere")
    return 0


def _kept(path: Path, word: str) -> str:
    """A secret in a file that the containers' accounts may read; the directory keeps everybody else out."""
    if not path.exists():
        path.write_text(word, encoding="utf-8")
        path.chmod(0o444)
    return path.read_text(encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m creditplatform.embedded", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser("environment", help="create .venv from the lock file")
    command.add_argument("--dev", action="store_true", help="with the tools for tests and lint")
    command.set_defaults(action=_environment)
    command = commands.add_parser("run", help="start the platform and stay until Ctrl-C")
    command.add_argument("--port", type=int, help="default: the first free one from 8000 on")
    command.add_argument("--follow-parent", action="store_true", help="stop when the process that started us ends")
    command.set_defaults(action=_run)
    command = commands.add_parser("stop", help="stop a running platform of this clone")
    command.set_defaults(action=_stop)
    command = commands.add_parser("clean-data", help="stop, and remove the embedded databases and keys")
    command.set_defaults(action=_clean_data)
    command = commands.add_parser("run-with-services", help="run a command beside temporary services")
    command.add_argument("--durable", action="store_true", help="wait for the disk, as in production")
    command.add_argument("--postgres-programs", metavar="DIR", help="other programs than the wheel's")
    command.add_argument("command", nargs="+", metavar="-- COMMAND")
    command.set_defaults(action=_run_with_services)
    command = commands.add_parser("production-secrets", help="write the secrets that docker-compose.yml reads")
    command.add_argument("directory", type=Path)
    command.set_defaults(action=_production_secrets)
    return parser


def main(words: list[str] | None = None) -> int:
    """Do what the command line says; the exit code."""
    options = _parser().parse_args(words)
    try:
        return int(options.action(options))
    except ServiceError as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        return 1
    except StopRequested:
        return 0
