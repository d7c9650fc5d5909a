"""The `run` script, on small checkouts made for the purpose: without a network, and away from the real .venv."""

import importlib.machinery
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
import types
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# A build backend of the standard library alone, so that pip can install a checkout without fetching anything.
BACKEND = """
import pathlib, zipfile

def build_editable(folder, config_settings=None, metadata_directory=None):
    info = "toy-1.dist-info/"
    metadata = "Metadata-Version: 2.1\\nName: toy\\nVersion: 1\\nProvides-Extra: demo\\nProvides-Extra: test\\n"
    files = {
        "toy.pth": str(pathlib.Path.cwd()),
        info + "METADATA": metadata,
        info + "WHEEL": "Wheel-Version: 1.0\\nGenerator: toy\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    }
    files[info + "RECORD"] = "".join(f"{name},,\\n" for name in [*files, info + "RECORD"])
    with zipfile.ZipFile(pathlib.Path(folder, "toy-1-py3-none-any.whl"), "w") as wheel:
        for name, text in files.items():
            wheel.writestr(name, text)
    return "toy-1-py3-none-any.whl"
"""
PYPROJECT = """
[build-system]
requires = []
build-backend = "toy_backend"
backend-path = ["."]
"""


@pytest.fixture
def checkout(tmp_path):
    """A checkout in a folder with spaces in its name, not set up."""
    folder = tmp_path / "a check  out"
    folder.mkdir()
    shutil.copy(ROOT / "run", folder)
    (folder / "pyproject.toml").write_text(PYPROJECT)
    (folder / "toy_backend.py").write_text(BACKEND)
    return folder


@pytest.fixture
def script(checkout):
    return load(checkout)


def load(checkout):
    """`run` of that checkout as a module."""
    loader = importlib.machinery.SourceFileLoader("run_of_checkout", str(checkout / "run"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


def environment(**more):
    """The variables for a `run` that finds no uv and no network."""
    return {**os.environ, "PATH": "", "PIP_NO_INDEX": "1", **more}


def run(checkout, *arguments, **options):
    command = [sys.executable, str(checkout / "run"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment(), **options)


def make_ready(script, *extras):
    """An empty environment that bears the stamps of a finished set-up."""
    base = script.pythons()[0]
    subprocess.run([base, "-m", "venv", "--without-pip", script.VENV], check=True)
    script.IDENTITY.write_text(script.identity())
    for extra in extras:
        script.stamp(extra).write_text(script.fingerprint())


@pytest.fixture
def installer(script, monkeypatch):
    """Stands in for pip and uv: notes the commands. Only the environment itself is really made, with venv."""
    really_output = script.output

    class Installer:
        uv = None  # its path, if it is to be found
        broken = ""  # commands with this argument fail
        calls = ()

        def succeeds(self, *command, quiet=False):
            arguments = [*map(str, command)]
            self.calls += (" ".join(arguments),)
            if self.broken in arguments:
                return False
            if "venv" in arguments:
                subprocess.run([script.pythons()[0], "-m", "venv", "--without-pip", script.VENV], check=True)
            return True

        def output(self, *command):
            return "pip 24.0 from" if command[-1] == "--version" else really_output(*command)

    this = Installer()
    monkeypatch.setattr(script, "succeeds", this.succeeds)
    monkeypatch.setattr(script, "output", this.output)
    monkeypatch.setattr(script.shutil, "which", lambda name: this.uv if name == "uv" else None)
    return this


# What it says and takes


@pytest.mark.parametrize("arguments", [[], ["--help"]])
def test_alone_it_prints_the_tasks_and_sets_nothing_up(checkout, script, arguments):
    done = run(checkout, *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split()[0] for line in done.stdout.splitlines()[2:]] == list(script.TASKS)
    assert not (checkout / ".venv").exists()


def test_an_unknown_task_is_named_and_the_tasks_are_shown(checkout):
    done = run(checkout, "tset")
    assert done.returncode == 2
    assert "there is no task 'tset'" in done.stderr
    assert "  test  " in done.stderr
    assert not (checkout / ".venv").exists()


def test_what_it_knows_of_pyproject_is_so(script):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == ">=" + ".".join(map(str, script.OLDEST_PYTHON))
    extras = project["optional-dependencies"]
    assert {extra for needed, _, _ in script.TASKS.values() for extra in needed} <= set(extras)

    def includes(extra):
        inner = ",".join(re.findall(r"glassgrad\[([\w,]+)\]", " ".join(extras[extra]))).split(",")
        return {extra}.union(*map(includes, filter(None, inner)))

    for extra, others in script.INCLUDED_IN.items():
        assert {other for other in extras if extra in includes(other)} == {extra, *others}


def test_it_can_be_started():
    assert os.access(ROOT / "run", os.X_OK) or os.name == "nt"


def test_arguments_output_and_exit_status_pass_through(checkout, script):
    make_ready(script, "demo")
    program = "import sys; print(sys.argv[1:]); sys.exit(7)"
    done = run(checkout, "python", "-c", program, "a b", "-k", "not slow", "--help", cwd=checkout.parent)
    assert (done.returncode, done.stdout, done.stderr) == (7, "['a b', '-k', 'not slow', '--help']\n", "")


def test_tasks_run_in_the_checkout_and_python_where_the_user_is(script, monkeypatch, tmp_path):
    make_ready(script, "test", "bench")
    commands, start = [], tmp_path / "elsewhere"
    start.mkdir()
    monkeypatch.setattr(script, "become", lambda command: commands.append((command[1:], Path.cwd())))
    for line in ("python x.py", "demo", "test tests/autograd -k matmul", "conformance -x"):
        monkeypatch.chdir(start)
        script.main(line.split())
    assert commands == [
        (["x.py"], start),
        (["notebooks/digits.py"], script.ROOT),
        (["-m", "pytest", "tests/autograd", "-k", "matmul"], script.ROOT),
        (["-m", "pytest", "tests/conformance", "-x"], script.ROOT),
    ]


@pytest.mark.parametrize("cores", [1, 2, 64])
def test_all_tests_run_in_parallel_and_chosen_ones_do_not(script, monkeypatch, tmp_path, cores):
    make_ready(script, "test")
    commands = []
    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        monkeypatch.setenv(variable, "3")
    monkeypatch.delenv("OMP_NUM_THREADS")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(script.os, "sched_getaffinity", lambda process: range(cores), raising=False)
    monkeypatch.setattr(script, "become", lambda command: commands.append(command[3:]))
    script.main(["test", "-x"])
    assert "OMP_NUM_THREADS" not in os.environ
    script.main(["test"])
    assert commands == [["-x"], [] if cores == 1 else ["-n", str(min(cores, 8)), "--dist", "loadfile"]]
    assert os.environ.get("OMP_NUM_THREADS") == (None if cores == 1 else "1")
    assert os.environ["OPENBLAS_NUM_THREADS"] == "3"  # the user's word counts


def test_a_python_too_old_says_so_or_hands_over(script, monkeypatch, capsys):
    old = {"version_info": (3, 9, 18), "executable": "/old/python3", "stderr": sys.stderr, "exit": sys.exit}
    monkeypatch.setattr(script, "sys", types.SimpleNamespace(**old))
    monkeypatch.setattr(script.shutil, "which", lambda name: None)
    with pytest.raises(SystemExit) as stop:
        script.main(["test", "-x"])
    assert stop.value.code == 1
    assert capsys.readouterr().err == (
        "run: Python 3.11 or newer is needed; this is 3.9.18 (/old/python3) and the PATH has no newer.\n"
        "     Install one and name it: python3.11 run test -x\n"
    )
    monkeypatch.setattr(script.shutil, "which", "/bin/{}".format)
    monkeypatch.setattr(script, "succeeds", lambda python, *_, quiet: python in ("/bin/python3.13", "/bin/python3.11"))
    monkeypatch.setattr(script, "become", lambda command: command)
    assert script.main(["test", "-x"]) == ["/bin/python3.13", script.__file__, "test", "-x"]


# When the environment is fit, and when it is made anew


def test_a_stamp_of_an_extra_that_includes_another_will_do(script):
    make_ready(script, "dev")
    assert [extra for extra in ("demo", "test", "dev", "bench") if script.is_ready(extra)] == ["demo", "test", "dev"]


def test_a_changed_pyproject_installs_again_and_keeps_the_environment(script, installer, checkout):
    make_ready(script, "demo")
    (script.VENV / "keep").touch()
    (checkout / "pyproject.toml").write_text(PYPROJECT + "# changed\n")
    assert not script.is_ready("demo")
    script.set_up("demo")
    assert script.is_ready("demo")
    assert (script.VENV / "keep").exists()
    assert len(installer.calls) == 1
    assert installer.calls[0].endswith("install --quiet --editable .[demo]")


def break_python(script):
    script.PYTHON.unlink()
    script.PYTHON.symlink_to("/no/such/python")


def break_home(script):
    (script.VENV / "pyvenv.cfg").write_text("home = /no/such/folder\n")
    break_python(script)


def swap_python(script):
    script.IDENTITY.write_text(script.identity().replace(sys.implementation.cache_tag, "cpython-399"))
    script.stamp("demo").write_text("of another Python")


def interrupt(script):
    script.UNFINISHED.touch()


@pytest.mark.skipif(os.name == "nt", reason="symbolic links need a privilege on Windows")
@pytest.mark.parametrize("damage", [break_python, break_home, swap_python, interrupt])
def test_an_unfit_environment_is_made_anew(script, installer, damage):
    make_ready(script, "demo")
    (script.VENV / "stale").touch()
    assert script.is_ready("demo")
    damage(script)
    assert not script.is_ready("demo")
    script.set_up("demo")
    assert script.is_ready("demo")
    assert not (script.VENV / "stale").exists()


def test_a_moved_checkout_is_set_up_anew(script, checkout):
    make_ready(script, "demo")
    moved = load(checkout.rename(checkout.with_name("moved")))
    assert not moved.is_ready("demo")
    assert not moved.is_sound()


def test_an_environment_made_by_hand_is_used(script, installer):
    make_ready(script)
    script.IDENTITY.unlink()
    (script.VENV / "keep").touch()
    script.set_up("demo")
    assert script.is_ready("demo")
    assert (script.VENV / "keep").exists()


def test_a_refused_install_leaves_no_stamp_and_no_ruin(script, installer, capsys):
    installer.broken = "install"
    with pytest.raises(SystemExit) as stop:
        script.set_up("demo")
    assert stop.value.code == 1
    assert "the set-up failed; the reason is in the lines above." in capsys.readouterr().err
    assert not script.is_ready("demo")
    assert script.PYTHON.exists()
    assert not script.UNFINISHED.exists()


def test_a_broken_off_install_leaves_the_marker(script, installer, monkeypatch):
    def interrupted(extra):
        raise KeyboardInterrupt

    monkeypatch.setattr(script, "install", interrupted)
    with pytest.raises(KeyboardInterrupt):
        script.set_up("demo")
    assert script.UNFINISHED.exists()


# By what it installs


def test_uv_is_used_when_present(script, installer):
    installer.uv = "/bin/uv"
    script.set_up("demo")
    assert installer.calls == (
        f"/bin/uv venv --quiet --python {script.pythons()[0]} {script.VENV}",
        f"/bin/uv pip install --quiet --python {script.PYTHON} --editable .[demo]",
    )


def test_pip_is_used_when_uv_fails_and_always_for_torch(script, installer):
    installer.uv = "/bin/uv"
    installer.broken = "/bin/uv"
    script.set_up("demo")
    base, with_pip = script.pythons()[0], f"-m pip --python {script.PYTHON} install --quiet --editable"
    assert installer.calls[1::2] == (f"{base} -m venv --without-pip {script.VENV}", f"{base} {with_pip} .[demo]")
    installer.calls, installer.broken = (), ""
    script.set_up("bench")
    assert installer.calls == (f"{base} {with_pip} .[bench]",)


def test_an_old_pip_gives_way_to_ensurepip(script, installer, monkeypatch):
    answers = {"--version": "", "--default-pip": "Successfully installed pip"}
    monkeypatch.setattr(script, "output", lambda *command: answers.get(command[-1], ""))
    assert script.pip(None) == [script.PYTHON, "-m", "pip"]


@pytest.mark.parametrize("version", ["pip 22.2.9 from", ""])
def test_without_a_pip_that_will_do_it_says_what_to_do(script, monkeypatch, capsys, version):
    monkeypatch.setattr(script, "output", lambda *command: version if command[0] == "/usr/bin/python3" else "")
    monkeypatch.setattr(script, "pythons", lambda: ["/usr/bin/python3"])
    assert script.pip(None) is None
    has = "/usr/bin/python3 has pip 22.2.9" if version else "there is none."
    fix = f"Upgrade it: {sys.executable} -m pip install --upgrade pip" if version else "Install it, or uv:"
    assert capsys.readouterr().err == (
        f"run: pip 22.3 or newer is needed; {has}\n     {fix}\n     On Debian and Ubuntu: apt-get install python3-pip\n"
    )


def test_settings_that_install_elsewhere_are_left_out(script, monkeypatch):
    for name in ("PIP_TARGET", "PIP_PREFIX", "PIP_USER", "PYTHONHOME"):
        monkeypatch.setenv(name, "/elsewhere")
    assert [v for v in script.surroundings()["env"].values() if v == "/elsewhere"] == []


# For real: pip, an editable install, two runs at once


def test_the_first_call_sets_up_the_second_starts_at_once_and_two_take_turns(checkout, script):
    if not script.output(script.pythons()[0], "-m", "pip", "--version"):
        pytest.skip("the Python under this one has no pip")
    program = "import toy_backend, os; print(os.path.dirname(toy_backend.__file__))"
    command = [sys.executable, str(checkout / "run"), "python", "-c", program]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "cwd": checkout.parent}
    with script.only_one_at_a_time():  # both have to wait, so neither can be done before the other looks
        pair = [subprocess.Popen(command, env=environment(PIP_USER="1"), **pipes) for _ in range(2)]
        waiting = "run: waiting for another run to finish the set-up\n"
        assert [process.stderr.readline() for process in pair] == [waiting] * 2
    answers = [process.communicate() for process in pair]
    assert [process.returncode for process in pair] == [0, 0], answers
    assert [out for out, _ in answers] == [f"{checkout}\n"] * 2
    assert sorted("setting up" in err for _, err in answers) == [False, True]

    def seconds():
        start = time.perf_counter()
        assert run(checkout, "python", "-c", "print('here')").stdout == "here\n"
        return time.perf_counter() - start

    assert min(seconds() for _ in range(3)) < 1
