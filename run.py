#!/usr/bin/env python3
"""Serve, test or tidy this checkout.

    python3 run.py serve [OPTION…]   build the graph and serve it; options go to `policygraph serve`
    python3 run.py test [OPTION…]    run every check; options go to pytest
    python3 run.py fix               format the code and mend what ruff can mend

Needs Python 3.11 or newer and pip, nothing else: the project and what it depends on are installed
into .venv beside this file, and again only when pyproject.toml or Python has changed.
"""

# Only the standard library, and only syntax that Python 3.8 parses: an older Python then gets a
# sentence, not a syntax error.
from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
PROGRAM = VENV / "bin" / "policygraph"
LOCK = ROOT / ".venv.lock"
STAMP = VENV / "installed.txt"
"""Says what .venv holds. Missing while it is being changed, so a .venv without it is half-made."""

OLDEST_PYTHON = (3, 11)
OLDEST_PIP = (22, 3)  # the first with --python
PIP_SETTINGS = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1", "PIP_USER": "0"}
EXTRAS = {"serve": "", "test": "dev", "fix": "dev"}

# To add a check, add a row. pytest stays last: whoever reads the end of the output finds its count.
CHECKS = (
    ("ruff", "format", "--check", "."),
    ("ruff", "check", "."),
    ("mypy",),
    ("pytest",),
)
# Mending an import may leave a line that wants formatting, so formatting comes second.
REPAIRS = (("ruff", "check", "--fix", "."), ("ruff", "format", "."))


class SetupError(Exception):
    """The checkout cannot be made ready; the message says why and what to do."""


def main(arguments: Sequence[str]) -> int:
    """Carry out one command and return its exit code: 2 when it could not be started."""
    command, rest = (arguments[0] if arguments else ""), list(arguments[1:])
    if command not in COMMANDS:
        asked = command in {"-h", "--help", "help"}
        print(__doc__.strip(), file=sys.stdout if asked else sys.stderr)
        return 0 if asked else 2
    try:
        require_system()
        prepare(EXTRAS[command])
        return COMMANDS[command](rest)
    except SetupError as error:
        say(str(error))
    except OSError as error:
        say(f"{error.filename or ROOT}: {error.strerror}; mend that, or use a copy you own")
    except KeyboardInterrupt:
        return 130
    return 2


def serve(arguments: list[str]) -> int:
    """Become the server, which then gets every signal and whose exit code is the only one."""
    os.execv(str(PROGRAM), [str(PROGRAM), "serve", *arguments])  # never returns


def test(arguments: list[str]) -> int:
    """Run every check, also after one has failed; the arguments go to pytest."""
    checks = [*CHECKS[:-1], (*CHECKS[-1], *arguments)]
    failed = [" ".join(check) for check in checks if run_tool(check)]
    if failed:
        say(f"{len(failed)} of {len(checks)} checks failed: {'; '.join(failed)}")
    return 1 if failed else 0


def fix(arguments: list[str]) -> int:
    """Mend and format the code; what ruff leaves is printed, and then the exit code is not 0."""
    if arguments:
        raise SetupError(f"fix takes no options: leave out {' '.join(arguments)}")
    return max([run_tool(repair) for repair in REPAIRS])


COMMANDS = {"serve": serve, "test": test, "fix": fix}


def run_tool(arguments: Sequence[str]) -> int:
    """Announce and run one of the tools in .venv, in the checkout, and return its exit code."""
    say(" ".join(arguments))
    return subprocess.call([str(PYTHON), "-m", *arguments], cwd=str(ROOT))


def require_system() -> None:
    """Raise SetupError where this system can never run the project."""
    if sys.version_info < OLDEST_PYTHON:
        have, need = (".".join(map(str, v)) for v in (sys.version_info[:3], OLDEST_PYTHON))
        raise SetupError(f"Python {need} or newer is needed, this is {have}; use a newer python3")
    if fcntl is None:
        raise SetupError("this system has no file locks; use Linux, macOS or WSL")


def prepare(extra: str) -> None:
    """Bring .venv up to date with pyproject.toml; a second run waits until the first is done."""
    if is_ready(extra):  # asked before the lock too, so that a read-only checkout can be used
        return
    with only_one() as lock:
        if is_ready(extra):
            return
        found = read_stamp()
        installer = find_installer()
        if not found.startswith(identity()):
            make_venv(installer, lock)
            found = ""
        install(installer, lock, extra=extra, found=found)


def is_ready(extra: str) -> bool:
    """Tell whether .venv holds what pyproject.toml asks for; the one for development holds all."""
    return read_stamp() in {stamp(extra), stamp("dev")}


@contextmanager
def only_one() -> Iterator[int]:
    """Hold the lock and yield its descriptor.

    The processes started under it inherit it: when this one is killed and pip lives on, the next
    run still waits for pip.
    """
    with LOCK.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another run is preparing .venv; waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield file.fileno()


def identity() -> str:
    """Say which Python .venv was made by and where; with another it must be made anew."""
    major, minor = sys.version_info[:2]
    return f"{sys.implementation.name} {major}.{minor}\n{sys.base_prefix}\n{ROOT}\n"


def stamp(extra: str) -> str:
    """Return what STAMP says once the project is installed with this extra."""
    digest = hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()
    return f"{identity()}{digest} [{extra}]\n"


def read_stamp() -> str:
    """Return what STAMP says, or nothing when .venv is missing, half-made or lost its programs."""
    if not (PYTHON.exists() and PROGRAM.exists()):
        return ""
    try:
        return STAMP.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ""


def find_installer() -> str:
    """Return a Python that has pip: this one, or the one that this virtual environment is from."""
    versions = []
    for python in (sys.executable, getattr(sys, "_base_executable", sys.executable)):
        answer = run_quietly([python, "-m", "pip", "--version"])
        version = re.match(r"pip (\d+)\.(\d+)", answer.stdout)
        if version and tuple(map(int, version.groups())) >= OLDEST_PIP:
            return python
        versions += [version.group()] if version else []
    need = ".".join(map(str, OLDEST_PIP))
    what = f"{versions[0]} is too old" if versions else f"{sys.executable} has no pip"
    raise SetupError(f"{what}; install pip {need} or newer (Debian: apt-get install python3-pip)")


def make_venv(installer: str, lock: int) -> None:
    """Make an empty .venv in place of whatever is there. Debian's python3 has no ensurepip."""
    if VENV.exists():
        say("making .venv anew: it was half-made, or made by another Python or elsewhere")
    answer = run_quietly([installer, "-m", "venv", "--clear", "--without-pip", str(VENV)], lock)
    if answer.returncode:
        raise SetupError(f"{VENV} could not be made: {last_line(answer)}; remove it and try again")


def install(installer: str, lock: int, *, extra: str, found: str) -> None:
    """Install the project and its dependencies, with an extra where one is named."""
    what = f".[{extra}]" if extra else "."
    say(f"installing {what} into .venv; the first time this takes up to a minute")
    if found:
        STAMP.unlink()
    pip = [installer, "-m", "pip", "--python", str(PYTHON), "install", "--quiet", "-e", what]
    answer = run_quietly(pip, lock)
    if answer.returncode == 0:
        STAMP.write_text(stamp(extra), encoding="utf-8")
        return
    if found and answer.returncode > 0:  # pip gave up by itself and left what was there
        STAMP.write_text(found, encoding="utf-8")
    raise SetupError(why_pip_failed(answer))


def why_pip_failed(answer: subprocess.CompletedProcess[str]) -> str:
    """Return the reason in one line; print pip's own words first when it is not the network."""
    if re.search(r"Retrying \(|from versions: none|Connection|Timeout|ProxyError", answer.stderr):
        named = re.search(r"satisfies the requirement (\S+)", answer.stderr)
        return (
            f"{named[1] if named else 'a package'} could not be fetched; connect to the network, "
            "or name a package index that can be reached in PIP_INDEX_URL, and run this again"
        )
    sys.stderr.write(answer.stdout + answer.stderr)
    return "pip failed, see above; mend that and run this again"


def run_quietly(command: list[str], *inherited: int) -> subprocess.CompletedProcess[str]:
    """Run a command in the checkout, keeping its output for whoever has to explain a failure."""
    return subprocess.run(
        command,
        cwd=str(ROOT),
        env={**os.environ, **PIP_SETTINGS},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        pass_fds=inherited,
        check=False,
    )


def last_line(answer: subprocess.CompletedProcess[str]) -> str:
    """Return the last line a failed command wrote, which in Python names the error."""
    lines = (answer.stdout + answer.stderr).strip().splitlines()
    return lines[-1] if lines else f"exit code {answer.returncode}"


def say(message: str) -> None:
    """Print one line about what this file does, apart from what the tools print."""
    print(f"run.py: {message}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
