"""The command line of the targets, and the table it prints and writes."""

from __future__ import annotations

import pytest

from benchmarks import __main__ as command
from benchmarks.targets import FAMILIES, TARGETS, runner
from benchmarks.targets.outcome import Target, at_least, at_most, between, near


def test_one_target_from_the_command_line(capsys):
    assert command.main(["targets", "expression"]) == 0
    table = capsys.readouterr().out.splitlines()
    head = next(i for i, line in enumerate(table) if line.startswith("| target"))
    assert [cell.strip() for cell in table[head].strip("|").split("|")] == runner.HEAD
    assert len(table[head + 2:]) == 3 and all("| yes " in line for line in table[head + 2:])


def passes(options):
    yield near("a", 1.0, 1.0, 0.0)


def fails(options):
    yield near("b|c", 1.0, 1.5, 0.1)


def test_what_is_not_within_is_shown_and_returned(capsys):
    assert runner.main({"passes": Target(passes, "a"), "fails": Target(fails, "b")}, []) == 1
    out = capsys.readouterr().out
    assert "**no**" in out and "+0.5" in out and r"b\|c" in out


def test_what_cannot_run_says_why(capsys):
    targets = {"slow": Target(fails, "slow one", slow=True), "file": Target(fails, "with a file", file="names_file"),
               "package": Target(fails, "with a package", packages=("sklearn", "surely_not_installed")),
               "passes": Target(passes, "a")}
    assert runner.main(targets, []) == 0
    out = capsys.readouterr().out
    for reason in ("minutes: runs with --all", "needs --names", "surely_not_installed"):
        assert reason in out
    assert runner.main(targets, ["slow"]) == 1 and runner.main({"slow": targets["slow"]}, ["--all"]) == 1


def test_a_file_that_is_given_is_read(tmp_path, capsys):
    path = tmp_path / "names.txt"
    path.write_text("ab\nb\n")
    seen = []

    def reads(options):
        seen.append(options.names_file)
        yield near("a", 1.0, 1.0, 0.0)
    targets = {"file": Target(reads, "with a file", file="names_file", slow=True)}
    assert runner.main(targets, ["--names", str(path)]) == 0 and seen == [path]


def test_the_page_is_written_only_as_a_whole(tmp_path, monkeypatch, capsys):
    page = tmp_path / "TARGETS.md"
    monkeypatch.setattr(runner, "PAGE", page)
    with pytest.raises(SystemExit):
        runner.main({"passes": Target(passes, "a")}, ["--write", "passes"])
    assert not page.exists()
    assert runner.main({"passes": Target(passes, "a")}, ["--write"]) == 0
    text = page.read_text(encoding="utf-8")
    assert text.startswith("# Targets") and "1 within, 0 not, 0 not run" in text


@pytest.mark.parametrize("arguments, said", [
    (["mnits"], "there is no target 'mnits'; there are expression"),
    (["--names", "/no/such/file"], "there is no /no/such/file"),
])
def test_what_is_mistyped_is_told(arguments, said, capsys):
    with pytest.raises(SystemExit):
        command.main(["targets", *arguments])
    assert said in capsys.readouterr().err


def test_criteria():
    assert near("", 1.0, 1.05, 0.1).within and not near("", 1.0, 1.2, 0.1).within
    assert not near("", 1.0, float("nan"), 0.1).within
    assert at_most("", 1.0, 1.0).within and not at_most("", 1.0, 1.01).within and at_most("", 1.0, 1.01, 0.1).within
    assert at_least("", 1.0, 1.0).within and not at_least("", 1.0, 0.9).within and at_least("", 1.0, 0.9, 0.2).within
    assert between("", "", 0.5, 0, 1).within and not between("", "", 1.5, 0, 1).within
    assert not between("", "", float("nan"), 0, 1).within
    assert between("", "", 0.5, 0, 1).difference == "inside"
    assert between("", "", 1.5, 0, 1).difference == "+0.5" and between("", "", -0.5, 0, 1).difference == "-0.5"


def test_names_are_not_taken_twice():
    assert len(TARGETS) == sum(len(family.TARGETS) for family in FAMILIES)
