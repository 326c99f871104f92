#!/usr/bin/env python3
"""
Start mailcore from a clone, with nothing installed by hand.

    python3 run.py demo [options]    send and receive mail through a local provider; no account needed
    python3 run.py test [options]    every check: style, types, tests on each Python here, docs, packages
    python3 run.py install           only install everything, into the Python that runs this

For example:

    python3 run.py demo --help                            what the demo can do
    python3 run.py test --help                            which checks there are
    python3 run.py test -e lint,typing                    only these checks (the options of `tox run`)
    python3 run.py test -e tests-py311 -- -k address      only these tests (the options of pytest)

The first start makes the folder .venv beside this file and installs into it; later ones start at once,
until what is to be installed changes. Deleting .venv, and a .venv-<number> that a killed start left, is
always safe.
"""

# Rules: any Python 3 can read this file, and one that is too old hands over to a newer one.
# An environment is built under another name, and becomes .venv when it is complete.

import configparser
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

OLDEST = (3, 11)
ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
# Nothing we start may look for modules where the caller's variables point.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in ("PYTHONHOME", "PYTHONPATH")}
HELP = ("-h", "--help", "help")


class Stop(Exception):
    """End here, with these words to the person who started us."""


def main(arguments):
    """Run one command and return the exit code."""
    name, options = (arguments or HELP)[0], arguments[1:]
    asks = name in HELP or (name != "demo" and options[:1] in ([word] for word in HELP))
    command = {"demo": demo, "test": test, "install": install}.get(name)
    if asks:
        print(checks() if name == "test" else __doc__.strip())
        return 0
    if command is None:
        print(f"run.py: no command {name!r}; there are demo, test, install", file=sys.stderr)
        return 2
    try:
        return command(options) if sys.version_info >= OLDEST else hand_over(arguments)
    except (Stop, OSError) as problem:
        print(f"run.py: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def demo(arguments):
    """Start `mailcore demo`, installed so that it follows each change of the code."""
    editable = [word for distribution in distributions() for word in ("--editable", distribution)]
    prepare("demo", editable)
    return start([PYTHON.parent / "mailcore", "demo", *arguments])


def test(arguments):
    """Start tox, which knows every check (tox.ini), and close with a line that counts."""
    prepare("test", read_toml(ROOT / "pyproject.toml")["dependency-groups"]["run"])
    report = VENV / "tox-report.json"
    # One check is watched as it goes; several share the cores, one more than there are as each waits at
    # times, and tell what failed.
    way = ["run"] if is_one(arguments) else ["run-parallel", "-p", str((os.cpu_count() or 1) + 1)]
    tox = [PYTHON, "-P", "-m", "tox", *way, "-c", ROOT / "tox.ini", "--no-list-dependencies"]
    code = start([*tox, "--result-json", report, *arguments])
    if report.exists():
        print(closing_line(json.loads(report.read_text(encoding="utf-8"))), end="")
        report.unlink()
    return code


def is_one(arguments):
    """Say whether the options name one check."""
    options = arguments[: arguments.index("--")] if "--" in arguments else arguments
    named = [value for option, value in zip(options, options[1:]) if option == "-e"]
    return len(named) == 1 and "," not in named[0]


def install(arguments):
    """Install every distribution here, and what the arguments add, with one command."""
    wanted = [*distributions(), *arguments]
    uv = shutil.which("uv")  # tox-uv puts it on the path of each environment
    if uv:
        # It would take a wheel from its cache until pyproject.toml changes: each is to be built anew.
        names = [read_toml(folder / "pyproject.toml")["project"]["name"] for folder in projects()]
        anew = [word for name in names for word in ("--reinstall-package", name)]
        run([uv, "pip", "install", "--quiet", "--python", sys.executable, *anew, *wanted])
    else:
        pip_install(sys.executable, wanted)
    return 0


def projects():
    """List the folders of the distributions: core, each adapter, and the conformance suite."""
    patterns = ("pyproject.toml", "adapters/*/pyproject.toml", "conformance_tests/pyproject.toml")
    return [path.parent for pattern in patterns for path in sorted(ROOT.glob(pattern))]


def distributions():
    """List what pip installs, each with all its extras."""
    found = []
    for folder in projects():
        extras = read_toml(folder / "pyproject.toml")["project"].get("optional-dependencies", {})
        found.append(f"{folder}[{','.join(extras)}]" if extras else str(folder))
    return found


def checks():
    """Describe the options of `test`, from tox.ini."""
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(str(ROOT / "tox.ini"), encoding="utf-8")
    lines = ["Run every check, or those named with -e:", ""]
    for name in re.findall(r"[\w-]+", tox["tox"]["env_list"]):
        section = f"testenv:{name}" if f"testenv:{name}" in tox else "testenv"
        lines.append(f"    {name:<14}{tox[section]['description']}")
    return "\n".join([*lines, "", *re.findall(r"\n( {4}python3 run.py test -e .*)", __doc__)])


def read_toml(path):
    """Read a TOML file."""
    import tomllib

    return tomllib.loads(path.read_text(encoding="utf-8"))


# The environment


def prepare(purpose, requirements):
    """Bring .venv up to date, unless the mark of an earlier start says that it is."""
    declared = [(folder / "pyproject.toml").read_text(encoding="utf-8") for folder in projects()]
    state = "\n".join([*requirements, *declared])
    mark = VENV / f"run-{purpose}.txt"
    if mark.exists() and mark.read_text(encoding="utf-8") == state and recent_enough(PYTHON):
        return
    print("Preparing .venv; the first time takes about a minute.\n", file=sys.stderr)
    if not VENV.exists():
        build(requirements)
    elif recent_enough(PYTHON):
        pip_install(PYTHON, requirements)
    else:
        raise Stop(".venv has no Python 3.11 or later that runs: delete it and start again.")
    mark.write_text(state, encoding="utf-8")


def build(requirements):
    """Make the environment under another name; a build that is cut off leaves no .venv."""
    place = ROOT / f".venv-{os.getpid()}"
    interpreter = place / PYTHON.relative_to(VENV)
    try:
        make_environment(place)
        pip_install(interpreter, requirements)
        for script in interpreter.parent.iterdir():  # so that `activate` and `.venv/bin/mailcore` work
            if script.is_file() and not script.is_symlink():
                script.write_bytes(script.read_bytes().replace(os.fsencode(place), os.fsencode(VENV)))
        try:
            place.rename(VENV)
        except OSError:  # another start was faster: add to its .venv
            pip_install(PYTHON, requirements)
    finally:
        shutil.rmtree(str(place), ignore_errors=True)


def make_environment(place):
    """Make an environment with pip in it; a Debian Python may lack what usually puts it there."""
    venv = [sys.executable, "-m", "venv"]
    if importlib.util.find_spec("ensurepip"):
        run([*venv, place])
    elif importlib.util.find_spec("pip"):
        run([*venv, "--without-pip", place])
        run([sys.executable, "-m", "pip", "--python", place, "install", "--quiet", "pip"])
    else:
        raise Stop("this Python cannot make environments; install that part: apt install python3-venv")


def pip_install(interpreter, requirements):
    """Install with one pip command."""
    run([interpreter, "-P", "-m", "pip", "--disable-pip-version-check", "install", "--quiet", *requirements])


def run(command):
    """Run a step of the preparation in silence; when it fails, show its last words."""
    command, out = [str(word) for word in command], subprocess.PIPE
    step = subprocess.run(command, env=ENVIRONMENT, stdout=out, stderr=subprocess.STDOUT, check=False)
    if step.returncode:
        said = step.stdout.decode(errors="replace").strip().splitlines()
        advice = "If the network or the package index failed, start again; else delete .venv first."
        raise Stop("\n".join(["this did not work: " + " ".join(command), "", *said[-15:], "", advice]))


def start(command):
    """Run what the person asked for and return its exit code."""
    return subprocess.call([str(word) for word in command], env=ENVIRONMENT)


# Which Python


def hand_over(arguments):
    """Continue in the first Python that is recent enough; each is tried, as some on PATH may be dead."""
    folders = os.environ.get("PATH", "").split(os.pathsep)
    names = ("python3.13", "python3.12", "python3.11")
    for candidate in [PYTHON, *(Path(folder, name) for name in names for folder in folders)]:
        if recent_enough(candidate):
            return start([candidate, ROOT / "run.py", *arguments])
    raise Stop("Python 3.11 or later is needed, and this is {}.{}; install one.".format(*sys.version_info))


def recent_enough(interpreter):
    """Say whether this Python runs, and can run mailcore."""
    check = f"import sys; sys.exit(sys.version_info < {OLDEST})"
    try:
        return subprocess.call([str(interpreter), "-c", check], stderr=subprocess.DEVNULL) == 0
    except OSError:
        return False


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
    return f"{passed} passed, {failed} failed\n" if passed or failed else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
