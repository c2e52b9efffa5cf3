import json

import pytest

from svnr import cli
from svnr.experiments.specs import run_spec
from svnr.experiments.store import collect
from svnr.publish.plan import plan
from svnr.publish.status import failures, missing, runs
from svnr.report.provenance import WANTED


@pytest.fixture
def results(tmp_path):
    """Two finished runs, one under way, one interrupted, one failed and one set aside."""
    small = {"batch_size": 16, "n_groups": 4}
    specs = [
        run_spec("climbing", "hysteretic", seed, 20, small, training={"n_test": 4})
        for seed in range(6)
    ]
    collect(specs[:2], tmp_path)
    for spec, ending in zip(
        specs[2:], (".lock", ".unfinished.npz", ".failed.json", ".npz.damaged"), strict=True
    ):
        spec.file(tmp_path, ending).write_text('{"error": "critic_loss became nan"}')
    specs[2].file(tmp_path, ".unfinished.npz").write_bytes(b"")
    (tmp_path / "climbing" / "notes.txt").write_text("mine")
    return tmp_path


def test_what_lies_in_a_folder_is_counted(results):
    table = runs(results)
    row = table.loc["climbing", "hysteretic"]
    assert row[["there", "under way", "interrupted", "failed", "set aside"]].tolist() == [
        2,
        1,
        1,
        1,
        1,
    ]
    assert row["hours"] >= 0 and row["untimed"] == 0
    (why,) = failures(results).values()
    assert why == "critic_loss became nan"


def test_a_run_that_notebooks_want_is_missing_until_it_is_there(results):
    """Two notebooks want three runs of two learners, one of them twice, and one is there."""
    there = next(results.glob("climbing/*.npz")).stem[-10:]
    wanted = {
        "08_one": {"climbing hysteretic": f"{there} 0123456789", "climbing svnr": "aaaaaaaaaa"},
        "09_other": {"climbing hysteretic": "0123456789"},
    }
    (results / WANTED).write_text(json.dumps(wanted), encoding="utf-8")
    missing = runs(results)["missing"]
    assert missing.to_dict() == {("climbing", "hysteretic"): 1, ("climbing", "svnr"): 1}


def test_a_run_whose_header_names_no_time_is_counted_as_untimed(results):
    """Of two runs one took an hour and a half of a core, the other does not say."""
    first, second = sorted(path for path in results.glob("*/*.json") if "failed" not in path.name)
    for path, made in ((first, {"processor_seconds": 5400.0}), (second, {"seconds": 9000.0})):
        header = json.loads(path.read_text(encoding="utf-8"))
        path.write_text(json.dumps(header | {"made": made}), encoding="utf-8")
    row = runs(results).loc["climbing", "hysteretic"]
    assert (row["hours"], row["untimed"]) == (1.5, 1)


def test_a_folder_that_is_not_there_holds_nothing(tmp_path):
    assert runs(tmp_path / "nowhere").empty and not failures(tmp_path / "nowhere")


def test_notebooks_without_anything_made_at_a_scale_are_missing(repository):
    planned = plan(repository, "quick")
    assert missing(planned, "quick") == ["01_broken", "02_whole", "03_last"]
    folder = planned.output / "figures"
    folder.mkdir(parents=True)
    entries = {
        "a.png": {"notebook": "02_whole", "scale": "quick"},
        "b.png": {"notebook": "03_last", "scale": "paper"},
    }
    (folder / "manifest.json").write_text(json.dumps(entries))
    assert missing(planned, "quick") == ["01_broken", "03_last"]


def test_the_command_tells_it(repository, monkeypatch, capsys):
    monkeypatch.chdir(repository)
    assert cli.main(["status", "--scale", "quick"]) == 0
    told = capsys.readouterr().out
    assert "in all 0 runs" in told and "missing at quick scale: 02_whole" in told


def test_the_command_looks_at_any_folder_of_runs(repository, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(repository)
    elsewhere = str(tmp_path / "elsewhere")
    train = ["train", "climbing", "hysteretic", "--episodes", "3", "--tests", "2"]
    assert cli.main([*train, "--output", elsewhere]) == 0
    assert cli.main(["status", "--output", elsewhere]) == 0
    told = capsys.readouterr().out
    assert f"runs in {elsewhere}" in told and "in all 1 runs" in told
