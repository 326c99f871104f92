#!/usr/bin/env python3
"""
Start mailcore from a clone, with nothing installed by hand.

    python3 run.py demo [options]    send and receive mail through a local provider; no account needed
    python3 run.py test [options]    every check: style, types, tests on each Python here, docs, packages
    python3 run.py install           only install everything, into the Python that runs this

For example:

    python3 run.py demo --help                            what the demo can do
    python3 run.py test -e lint,typing                    only these checks (the options of `tox run`)
    python3 run.py test -e tests-py311 -- -k address      only these tests (the options of pytest)

The first start makes the folder .venv beside this file and installs into it; later ones start at once,
until a package changes. Deleting .venv is always safe.
"""

# Rules: any Python 3 can read this file, and one that is too old hands over to a newer one.
# An environment is built under another name, and becomes .venv when it is complete.

import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

OLDEST = (3, 11)
HOUR = 3600
ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = "Scripts" if os.name == "nt" else "bin"
# Nothing we start may look for modules where the caller's variables point.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in ("PYTHONHOME", "PYTHONPATH")}


class Stop(Exception):
    """End here, with these words to the person who started us."""


def main(arguments):
    """Run one command and return the exit code."""
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(__doc__.strip())
        return 0
    command = {"demo": demo, "test": test, "install": install}.get(arguments[0])
    if command is None:
        print(f"run.py: no command {arguments[0]!r}; there are demo, test, install", file=sys.stderr)
        return 2
    try:
        if sys.version_info < OLDEST:
            hand_over(arguments)
        return command(arguments[1:])
    except (Stop, OSError) as problem:
        print(f"run.py: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def demo(arguments):
    """Start `mailcore demo`: the script, as `python -m` would find the tree before what is installed."""
    prepare("demo", distributions(), fingerprint())
    return become(str(VENV / BIN / "mailcore"), ["demo", *arguments])


def test(arguments):
    """Start tox, which knows every check (tox.ini), and close with a line that counts."""
    tools = read_toml(ROOT / "pyproject.toml")["dependency-groups"]["run"]
    prepare("test", tools, repr(tools))
    report = VENV / "tox-report.json"
    tox = [python(VENV), "-P", "-m", "tox", "run", "--no-list-dependencies", "--result-json", str(report)]
    code = subprocess.call([*tox, *arguments], cwd=str(ROOT), env=ENVIRONMENT)
    if report.exists():
        print(closing_line(json.loads(report.read_text(encoding="utf-8"))))
        report.unlink()
    return code


def install(arguments):
    """Install every distribution here, and what the arguments add, with one pip command."""
    pip_install(sys.executable, [*distributions(), *arguments])
    return 0


# What is in this repository


def distributions():
    """List what pip installs, with extras: core, each adapter, and the conformance suite."""
    found = ["./[cli]"]
    for pattern in ("adapters/*/pyproject.toml", "conformance_tests/pyproject.toml"):
        for path in sorted(ROOT.glob(pattern)):
            extras = ",".join(read_toml(path)["project"].get("optional-dependencies", {}))
            found.append(f"./{path.parent.relative_to(ROOT).as_posix()}[{extras}]")
    return found


def fingerprint():
    """Digest every file that ends up in an installed package, and this one."""
    digest = hashlib.sha256(str(ROOT).encode())
    core = ("pyproject.toml", "README.md", "LICENSE", "run.py", "mailcore/**/*")
    for pattern in (*core, "adapters/*/**/*", "conformance_tests/**/*"):
        for path in sorted(ROOT.glob(pattern)):
            if path.is_file() and not {"__pycache__", "tests"}.intersection(path.parts[len(ROOT.parts) :]):
                digest.update(str(path).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def read_toml(path):
    """Read a TOML file."""
    import tomllib

    return tomllib.loads(path.read_text(encoding="utf-8"))


# The environment


def prepare(purpose, requirements, state):
    """Bring .venv to this state, unless the mark of an earlier start says that it is there."""
    mark = VENV / f"run-{purpose}.txt"
    if mark.exists() and mark.read_text() == state and Path(python(VENV)).exists():
        return
    started = time.time()
    print("Preparing .venv; the first time takes about half a minute.", file=sys.stderr)
    if recent_enough(python(VENV)):
        mark.unlink(missing_ok=True)
        pip_install(python(VENV), requirements)
    else:
        build(requirements)
    mark.write_text(state)
    print(f"Ready after {time.time() - started:.0f} seconds.\n", file=sys.stderr)


def build(requirements):
    """Make the environment under another name; a build that is cut off leaves no .venv."""
    if VENV.exists():
        raise Stop(".venv has no Python 3.11 or later that runs: delete it and start again.")
    for place in ROOT.glob(".venv-*"):  # what killed builds left behind, and not what another makes now
        if time.time() - place.stat().st_mtime > HOUR:
            shutil.rmtree(str(place), ignore_errors=True)
    place = ROOT / f".venv-{os.getpid()}"
    try:
        make_environment(place)
        pip_install(python(place), requirements)
        for script in [place / "pyvenv.cfg", *(place / BIN).iterdir()]:
            if script.is_file() and not script.is_symlink():
                there, final = os.fsencode(str(place)), os.fsencode(str(VENV))
                script.write_bytes(script.read_bytes().replace(there, final))
        try:
            place.rename(VENV)
        except OSError:  # another start was faster: add to its .venv
            pip_install(python(VENV), requirements)
    finally:
        shutil.rmtree(str(place), ignore_errors=True)


def make_environment(place):
    """Make a virtual environment that has pip, also with Debian's Python, which may lack ensurepip."""
    if importlib.util.find_spec("ensurepip"):
        run([sys.executable, "-m", "venv", str(place)])
    elif importlib.util.find_spec("pip"):
        run([sys.executable, "-m", "venv", "--without-pip", str(place)])
        run([sys.executable, "-m", "pip", "--python", python(place), "install", "--quiet", "pip"])
    else:
        raise Stop("this Python lacks the module venv. Run `apt install python3-venv` and start again.")


def pip_install(interpreter, requirements):
    """Install with one pip command."""
    run([interpreter, "-P", "-m", "pip", "--disable-pip-version-check", "install", "--quiet", *requirements])


def run(command):
    """Run a step of the preparation in silence; when it fails, show its last words."""
    out = subprocess.PIPE
    step = subprocess.run(
        command, cwd=str(ROOT), env=ENVIRONMENT, stdout=out, stderr=subprocess.STDOUT, check=False
    )
    if step.returncode:
        said = step.stdout.decode(errors="replace").strip().splitlines()
        advice = "If the network or the package index failed, start again; else delete .venv first."
        raise Stop("\n".join(["this did not work: " + " ".join(command), "", *said[-15:], "", advice]))


def python(place):
    """Name the Python of an environment."""
    return str(place / BIN / "python")


# Which Python


def hand_over(arguments):
    """Continue in the first Python that is recent enough; each is tried, as some on PATH may be dead."""
    folders = os.environ.get("PATH", "").split(os.pathsep)
    names = ("python3.13", "python3.12", "python3.11")
    for candidate in [python(VENV), *(str(Path(folder, name)) for name in names for folder in folders)]:
        if recent_enough(candidate):
            become(candidate, [str(ROOT / "run.py"), *arguments])
    raise Stop("Python 3.11 or later is needed, and this is {}.{}; install one.".format(*sys.version_info))


def recent_enough(interpreter):
    """Say whether this Python runs, and can run mailcore."""
    check = f"import sys; sys.exit(sys.version_info < {OLDEST})"
    try:
        return subprocess.call([interpreter, "-c", check], stderr=subprocess.DEVNULL) == 0
    except OSError:
        return False


def become(program, arguments):
    """Continue as another program, so that its signals and its exit code are ours."""
    if os.name == "nt":  # where exec returns to the prompt at once
        sys.exit(subprocess.call([program, *arguments], env=ENVIRONMENT))
    sys.stdout.flush()
    os.execve(program, [program, *arguments], ENVIRONMENT)


def closing_line(report):
    """Sum up tox's report: all tests, and one failure for each other check that failed."""
    passed = failed = 0
    for result in report["testenvs"].values():
        said = "".join(command["output"] for command in result.get("test", []))
        endings = re.findall(r"^.*\d+ (?:passed|failed|error).* in [\d.]+s", said, re.MULTILINE)
        counts = re.findall(r"(\d+) (passed|failed|error)", endings[-1] if endings else "")
        wrong = sum(int(number) for number, word in counts if word != "passed")
        passed += sum(int(number) for number, word in counts if word == "passed")
        failed += wrong or not result.get("result", {}).get("success", True)
    return f"{passed} passed, {failed} failed"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
