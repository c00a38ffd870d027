"""`lienthong source …`: each step in words, and rows shown without keeping any."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from lienthong.cli.main import app
from tests.contracts.factories import make_document


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A province of one contract, read from a folder of this machine."""
    folder = tmp_path / "datasets" / "test" / "people"
    folder.mkdir(parents=True)
    (folder / "contract.yaml").write_text(yaml.safe_dump(make_document(), allow_unicode=True), encoding="utf-8")
    monkeypatch.setenv("LIENTHONG_DATASETS", str(tmp_path / "datasets"))
    monkeypatch.setenv("LIENTHONG_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("LIENTHONG_SOURCE_DEMO", raising=False)
    return folder


@pytest.mark.usefixtures("place")
def test_a_source_is_tried_step_by_step_and_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = CliRunner()
    failed = run.invoke(app, ["--lang", "en", "source", "test", "test.people"])
    assert failed.exit_code == 1
    assert "✗" in failed.output
    assert "LIENTHONG_SOURCE_DEMO" in failed.output
    monkeypatch.setenv("LIENTHONG_SOURCE_DEMO", str(tmp_path))
    assert "cannot be read" in run.invoke(app, ["--lang", "en", "source", "test", "test.people"]).output
    (tmp_path / "people.csv").write_text("một,hai\n1,[bold]\x1b[31m\n", encoding="utf-8")
    found = run.invoke(app, ["--lang", "en", "source", "test", "test.people"])
    assert (found.exit_code, "1 files fit" in found.output, "2 columns: `một`, `hai`" in found.output) == (0, True, True), found.output
    assert "1 tệp khớp" in run.invoke(app, ["--lang", "vi", "source", "test", "test.people"]).output
    shown = run.invoke(app, ["source", "preview", "test.people", "--rows", "1"])
    assert "[bold]␣[31m" in shown.output
    assert not (tmp_path / "home").exists()
    assert "has no source" in str(run.invoke(app, ["source", "test", "test.people", "--source", "none"]).exception)
