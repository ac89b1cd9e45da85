"""``podnet draw``, as it is called."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from podnet import config
from podnet.cli.main import main
from podnet.draw.graph import graph
from podnet.draw.html import page
from podnet.draw.mermaid import flowchart
from podnet.draw.svg import picture
from podnet.observe.access import Access
from podnet.planning import ClusterPlan, plan
from podnet.verify.report import Report, dump
from tests.unit.draw import clusters

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of a stack that is up may be needed."""
    monkeypatch.setenv("PODNET_ROOT", str(ROOT))
    for name in ("PODNET_STACK", "PODNET_STACKS", "PULUMI_CONFIG_PASSPHRASE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def chapter() -> ClusterPlan:
    return plan(config.from_stack_file(ROOT / "Pulumi.dev.yaml"))


@pytest.fixture
def report(chapter: ClusterPlan) -> Report:
    return clusters.broken_report(chapter)


def test_a_picture_of_the_plan_is_written_out(chapter: ClusterPlan, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["draw"]) == 0
    assert capfdbinary.readouterr().out.decode() == picture(graph(chapter))


@pytest.mark.parametrize("form", ["svg", "mermaid", "html"])
def test_a_report_is_drawn_into_a_file(form: str, chapter: ClusterPlan, report: Report, tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text(dump(report))
    output = tmp_path / "picture"
    arguments = ["--format", form, "--output", str(output), "--report", str(tmp_path / "report.json")]
    assert main(["draw", *arguments]) == 0
    drawn = graph(chapter, report)
    expected = {"svg": picture(drawn), "mermaid": flowchart(drawn), "html": page(chapter, report)}
    assert output.read_bytes().decode() == expected[form]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["picture", "report.json"]


def test_a_report_from_standard_input(report: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(dump(report)))
    assert main(["draw", "--report", "-", "--output", str(tmp_path / "picture.svg")]) == 0
    assert "drifted: not in the kernel" in (tmp_path / "picture.svg").read_text()


def test_live_is_what_a_verification_of_the_stack_sees(
    chapter: ClusterPlan, report: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[tuple[ClusterPlan, Path]] = []

    async def verify(plan: ClusterPlan, access: Access, *_: object) -> Report:
        looked.append((plan, access.folder))
        return report

    monkeypatch.setenv("PODNET_STACKS", str(tmp_path))
    monkeypatch.setattr("podnet.cli.live.verify", verify)
    # What fails is drawn; it is no failure to draw it.
    assert main(["draw", "--live", "--output", str(tmp_path / "picture.svg")]) == 0
    assert looked == [(chapter, tmp_path / "dev")]
    assert (tmp_path / "picture.svg").read_text() == picture(graph(chapter, report))


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--live"], "PODNET_STACKS is not set"),
        (["--report", "/nowhere/report.json"], "the report /nowhere/report.json cannot be read: No such file"),
        (["--report", str(ROOT / "README.md")], "this is no report of a verification"),
        (["--output", "/nowhere/picture.svg"], "/nowhere/picture.svg cannot be written: No such file"),
        (["--output", "/dev/null/picture.svg"], "/dev/null/picture.svg cannot be written: Not a directory"),
        (["--stack", "nowhere"], "Pulumi.nowhere.yaml"),
    ],
)
def test_what_cannot_be_drawn_is_one_clear_text(
    arguments: list[str], error: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["draw", *arguments]) == 2
    written = capsys.readouterr()
    assert written.out == ""
    assert written.err.startswith("podnet: ")
    assert error in written.err


def test_a_file_that_is_not_text_is_no_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "report").write_bytes(b"\xff\xfe")
    assert main(["draw", "--report", str(tmp_path / "report")]) == 2
    assert "cannot be read: it is not UTF-8 text" in capsys.readouterr().err
