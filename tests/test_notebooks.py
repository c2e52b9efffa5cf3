"""Every committed notebook belongs to its source, runs at smoke scale, and is fit to be read."""

import ast
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import nbformat
import papermill
import pytest

from svnr.publish.notebooks import from_source, source_hash
from svnr.publish.sources import sources
from svnr.report.presets import check_parameters, defaults_of, own_numbers, presets
from svnr.report.scales import SCALES

ROOT = Path(__file__).parents[1]
SOURCES = sources(ROOT)
NAMES = list(SOURCES)


def committed(name):
    return nbformat.read(SOURCES[name].with_suffix(".ipynb"), as_version=4)


@pytest.mark.parametrize("name", NAMES)
def test_the_notebook_was_made_from_its_source(name):
    notebook, source = committed(name), from_source(SOURCES[name])
    for key in ("cell_type", "source"):
        assert [cell[key] for cell in notebook.cells] == [cell[key] for cell in source.cells]
    tags = [[c.metadata.get("tags", []) for c in nb.cells] for nb in (notebook, source)]
    assert tags[0] == tags[1]
    assert notebook.metadata["svnr"]["source"] == source_hash(SOURCES[name])
    assert notebook.metadata["kernelspec"]["name"] == "python3"


def test_a_round_trip_through_jupytext_changes_nothing(tmp_path):
    for path in (ROOT / "notebooks").glob("*.*"):
        shutil.copy(path, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    command = [sys.executable, "-m", "jupytext", "--sync", *map(str, tmp_path.glob("*.ipynb"))]
    subprocess.run(command, check=True, capture_output=True)
    after = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert [name for name, text in before.items() if after[name] != text] == []


@pytest.mark.parametrize("name", NAMES)
def test_the_notebook_was_executed_in_order_without_errors(name):
    code = [cell for cell in committed(name).cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    kinds = {out.output_type for cell in code for out in cell.outputs}
    assert "error" not in kinds


@pytest.mark.parametrize("name", NAMES)
def test_the_parameters_are_checked_before_anything_is_done(name):
    """In the cell behind them, for papermill called by hand; a notebook without any has none."""
    code = [cell for cell in from_source(SOURCES[name]).cells if cell.cell_type == "code"]
    tags = [cell.metadata.get("tags", []) for cell in code]
    following = code[tags.index(["parameters"]) + 1].source
    assert f'outputs = Outputs.of("{name}", globals())' in following


@pytest.mark.parametrize("name", NAMES)
def test_the_notebook_is_small_and_names_no_machine(name):
    path = SOURCES[name].with_suffix(".ipynb")
    assert path.stat().st_size < 2**20
    text = re.sub(r'"image/png": "[^"]*"', "", path.read_text(encoding="utf-8"))
    assert str(ROOT) not in text
    assert not re.search(r'[" ]/(home|root|Users|work|tmp|opt)/', text)


WORDS, LINES = 1800, 25  # of a notebook's prose, and of code in a cell
PASTED = {"squashed"}  # functions that stand in two notebooks; may only become fewer


def code_cells(name):
    return [cell.source for cell in from_source(SOURCES[name]).cells if cell.cell_type == "code"]


def code_lines(text):
    lines = [line.strip() for line in text.splitlines()]
    return sum(bool(line) and not line.startswith("#") for line in lines)


@pytest.mark.parametrize("name", NAMES)
def test_prose_and_cells_are_short(name):
    cells = from_source(SOURCES[name]).cells
    prose = [cell.source for cell in cells if cell.cell_type == "markdown"]
    assert sum(len(text.split()) for text in prose) <= WORDS
    assert max(map(code_lines, code_cells(name))) <= LINES


def test_no_function_is_pasted_into_a_second_notebook():
    found = Counter(
        (node.name, ast.dump(node))
        for name in NAMES
        for node in ast.walk(ast.parse("\n".join(code_cells(name))))
        if isinstance(node, ast.FunctionDef)
    )
    assert {name for (name, _), times in found.items() if times > 1} <= PASTED


@pytest.mark.parametrize("name", NAMES)
def test_the_notebook_opens_with_its_question_and_points_to_notebooks_that_exist(name):
    cells = committed(name).cells
    for word in ("Question", "Claim", "Paper", "Reads", "Makes", "Takes"):
        assert f"**{word}.**" in cells[0].source
    links = re.findall(r"\(([0-9]{2}_\w+)\.ipynb\)", "".join(c.source for c in cells))
    assert set(links) <= set(NAMES)


def test_the_numbers_are_the_reading_order():
    """Each ends with the next one's name, the walk's last with the first's."""
    assert [int(name[:2]) for name in NAMES] == list(range(len(NAMES)))
    titles = {name: committed(name).cells[0].source for name in NAMES}
    walk = [name for name in NAMES if "Appendix" not in titles[name].partition("\n")[0]]
    for name, following in zip(walk, [*walk[1:], walk[0]], strict=True):
        last = re.findall(r"\((\w+)\.ipynb\)", committed(name).cells[-1].source)[-1]
        assert last == following, name


@pytest.mark.parametrize("page", ["README.md", "notebooks/00_start_here.py"])
def test_every_notebook_stands_in_the_tables_in_order(page):
    rows = re.findall(
        r"^(?:# )?\| \[\d\d · [^]]*\]\(\S*?(\w+)\.ipynb\) \|",
        (ROOT / page).read_text(encoding="utf-8"),
        re.M,
    )
    assert rows == [name for name in NAMES if name != Path(page).stem]


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("name", NAMES)
def test_every_scale_sets_parameters_that_the_notebook_has(name, scale):
    known = defaults_of(ROOT, name)
    preset = presets(ROOT, scale)[name]
    assert preset["timeout"] > 0
    check_parameters(known, preset["parameters"])
    assert known.keys() >= {"scale", "output"}


@pytest.mark.parametrize("name", NAMES)
def test_the_papers_scale_says_the_notebooks_own_numbers(name):
    """All of them, so that no save in JupyterLab can change what the paper's scale is."""
    own, told = defaults_of(ROOT, name), presets(ROOT, "paper")[name]["parameters"]
    assert told.keys() == own.keys() - {"scale", "output", "n_jobs"}
    assert own_numbers(ROOT, name, own) == {}


@pytest.mark.parametrize("scale", SCALES)
def test_no_scale_names_a_notebook_that_does_not_exist(scale):
    assert set(presets(ROOT, scale)) == set(NAMES)


@pytest.fixture(scope="session")
def made(tmp_path_factory, worker_id):
    """One folder for the runs of all notebooks, whichever process executes them."""
    own = tmp_path_factory.getbasetemp()
    return (own if worker_id == "master" else own.parent) / "made"


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_nbval_passes_at_smoke_scale(name, tmp_path, made):
    given = presets(ROOT, "smoke")[name]["parameters"]
    given |= {"scale": "smoke", "output": str(made)}
    if "n_jobs" in defaults_of(ROOT, name):
        given["n_jobs"] = 1  # at toy size, starting a process costs more than its run
    prepared = tmp_path / f"{name}.ipynb"
    papermill.execute_notebook(
        SOURCES[name].with_suffix(".ipynb"), prepared, given, prepare_only=True,
        progress_bar=False, log_output=False,
    )  # fmt: skip
    command = [sys.executable, "-m", "pytest", "-p", "nbval.plugin", "-p", "no:cacheprovider"]
    command += ["-c", os.devnull, "--rootdir", str(tmp_path), "--nbval-lax"]
    command += ["--nbval-cell-timeout=120", "--nbval-current-env", str(prepared)]
    alone = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # no plugin is begun in vain
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, env=alone, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]


@pytest.mark.slow
def test_papermill_by_hand_works_from_any_folder(tmp_path):
    notebook = SOURCES["00_start_here"].with_suffix(".ipynb")
    command = [sys.executable, "-m", "papermill", str(notebook), "out.ipynb"]
    numbers = {"n_seeds": 1, "n_episodes": 50, "n_jobs": 1, "output": str(tmp_path / "made")}
    for key, value in numbers.items():
        command += ["-p", key, str(value)]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    assert (tmp_path / "made" / "figures" / "hero.png").exists()
