import json
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import jupytext
import nbclient
import nbformat
import pandas as pd
import pytest

from svnr.publish.notebooks import (
    FILTERS,
    KERNEL,
    Job,
    clean,
    commit,
    execute,
    from_source,
    source_hash,
)

ROOT = Path(__file__).parents[2]

SOURCE = """# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% tags=["parameters"]
n_seeds: int = 5  # runs
scale: str = "paper"

# %%
import sys
print({body}, file=sys.stderr)
n_seeds
"""


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "01_tiny.py"
    path.write_text(SOURCE.format(body="n_seeds"))
    return path


def test_ids_change_only_where_cells_do(source):
    before = [cell.id for cell in from_source(source).cells]
    source.write_text(SOURCE.format(body="n_seeds + 1"))
    after = [cell.id for cell in from_source(source).cells]
    assert before[0] == after[0] and before[1] != after[1]


def test_executed_and_cleaned_a_notebook_tells_its_outputs_and_nothing_else(source, tmp_path):
    path = tmp_path / "out.ipynb"
    outcome = execute(Job(source, path, {"n_seeds": 3}), tmp_path)
    assert outcome.name == "01_tiny" and outcome.error == "" and outcome.seconds > 0
    executed = clean(nbformat.read(path, as_version=4), tmp_path)
    outputs = executed.cells[-1].outputs
    assert [out.output_type for out in outputs] == ["execute_result"]
    assert outputs[0].data["text/plain"] == "3"
    assert executed.metadata.keys() == {"jupytext", "kernelspec", "svnr"}
    assert all(cell.metadata.keys() <= {"tags", "lines_to_next_cell"} for cell in executed.cells)
    assert executed.metadata["svnr"]["source"] == source_hash(source)


def test_the_path_of_the_repository_is_taken_out(tmp_path):
    output = nbformat.v4.new_output("stream", text=f"wrote {tmp_path}/figures/a.png in {tmp_path}")
    cell = nbformat.v4.new_code_cell("x", outputs=[output])
    metadata = {"kernelspec": dict(KERNEL), "svnr": {}, "papermill": {}}
    cleaned = clean(nbformat.v4.new_notebook(cells=[cell], metadata=metadata), tmp_path)
    assert cleaned.cells[0].outputs[0].text == "wrote figures/a.png in ."


def test_names_made_by_chance_are_the_same_whenever_a_notebook_is_executed(tmp_path):
    """A styled table has a random name, in its cells too, and an address in memory."""

    def executed():
        frame = pd.DataFrame({"a": [1]})
        shown = [frame.style.format("{:.1f}"), frame.style.format("{:.2f}")]
        data = [{"text/html": style.to_html(), "text/plain": repr(style)} for style in shown]
        outputs = [nbformat.v4.new_output("display_data", data=told) for told in data]
        cell = nbformat.v4.new_code_cell("x", outputs=outputs, id="one")
        return clean(nbformat.v4.new_notebook(cells=[cell], metadata={}), tmp_path)

    first, second = executed(), executed()
    assert first == second
    tables = [out.data["text/html"] for out in first.cells[0].outputs]
    assert '<table id="table_0">' in tables[0] and 'id="table_1_row0_col0"' in tables[1]


def test_a_cell_that_takes_too_long_is_an_error_and_not_a_crash(source, tmp_path):
    source.write_text(source.read_text() + "import time; time.sleep(60)\n\n# %%\nnever = 1\n")
    outcome = execute(Job(source, tmp_path / "out.ipynb", timeout=2), tmp_path)
    assert outcome.error.startswith("cell In [2] (import sys): CellTimeoutError: ")


def test_a_kernel_that_dies_is_an_error_that_names_the_cell(source, tmp_path):
    cells = "\n# %%\nimport os\nos.kill(os.getpid(), 9)\n\n# %%\nnever = 'reached'\n"
    source.write_text(source.read_text() + cells)
    path = tmp_path / "out.ipynb"
    outcome = execute(Job(source, path), tmp_path)
    assert outcome.error == "cell In [3] (import os): DeadKernelError: Kernel died"
    # What came before is kept.
    assert nbformat.read(path, as_version=4).cells[1].outputs


def test_a_kernel_that_does_not_start_is_an_error_before_any_cell(source, tmp_path, monkeypatch):
    monkeypatch.setattr("ipykernel.kernelspec.sys.executable", "/no/such/python")
    outcome = execute(Job(source, tmp_path / "out.ipynb"), tmp_path)
    assert outcome.error.startswith("no cell: FileNotFoundError: ")


def test_the_kernel_is_this_python_with_one_thread(source, tmp_path, monkeypatch):
    other = tmp_path / "share" / "kernels" / "python3"
    other.mkdir(parents=True)
    spec = {"argv": ["no-such-python"], "display_name": "another", "language": "python"}
    (other / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "share"))
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    code = "\n# %%\nimport sys, torch\nprint(sys.executable, torch.get_num_threads())\n"
    source.write_text(source.read_text() + code)
    path = tmp_path / "out.ipynb"
    assert execute(Job(source, path), tmp_path).error == ""
    executed = nbformat.read(path, as_version=4)
    assert executed.cells[-1].outputs[0].text == f"{sys.executable} 1\n"
    assert executed.metadata["kernelspec"]["name"] == "python3"


OUTPUTS = """
# %%
import pandas as pd
from svnr.report.provenance import Outputs
outputs = Outputs.of("01_tiny", globals())
outputs.table(pd.DataFrame({"a": [n_seeds]}), "made", "Table")
"""


def test_svnr_alone_writes_the_committed_figures_and_no_copy_of_a_notebook(source, tmp_path):
    """The copy is executed as JupyterLab and nbconvert do, by a kernel that is told nothing."""
    folder = tmp_path / "notebooks"
    (folder / "presets").mkdir(parents=True)
    (tmp_path / "pyproject.toml").touch()
    preset = "01_tiny: {timeout: 60, parameters: {n_seeds: 5}}"
    (folder / "presets" / "paper.yaml").write_text(preset, encoding="utf-8")
    text = source.read_text(encoding="utf-8") + OUTPUTS
    source = folder / source.name
    source.write_text(text.replace('"paper"', '"paper"\noutput: str = ""'), encoding="utf-8")
    copy = jupytext.read(source)
    nbclient.execute(copy, cwd=str(folder), kernel_name="python3")
    assert not (tmp_path / "figures").exists()
    assert (tmp_path / "build" / "by_hand" / "figures" / "made.md").exists()
    assert execute(Job(source, tmp_path / "out.ipynb"), tmp_path).error == ""
    assert (tmp_path / "figures" / "made.md").exists()


def sync(folder, *paths):
    command = [sys.executable, "-m", "jupytext", "--sync", *map(str, paths)]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


def test_a_round_trip_through_jupytext_changes_nothing(source, tmp_path):
    shutil.copy(ROOT / "notebooks" / "jupytext.toml", tmp_path)
    spaced = "\n# %% [markdown]\n# Text.\n\n\n# %%\ndef one():\n    return 1\n\n\n# %%\none()\n"
    source.write_text(source.read_text() + spaced)
    job = Job(source, tmp_path / "build" / "01_tiny.ipynb")
    assert execute(job, tmp_path).error == ""
    commit(job, tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.glob("01_tiny.*")}
    assert len(before) == 2
    sync(tmp_path, source.with_suffix(".ipynb"))
    assert {path: path.read_bytes() for path in tmp_path.glob("01_tiny.*")} == before


def test_code_outside_the_folder_of_notebooks_is_no_notebook(tmp_path):
    package = ROOT / "src" / "svnr" / "__init__.py"
    before = package.read_bytes()
    sync(ROOT, package)
    assert package.read_bytes() == before
    assert not package.with_suffix(".ipynb").exists()


def test_the_filters_are_those_of_the_folder():
    told = tomllib.loads((ROOT / "notebooks" / "jupytext.toml").read_text(encoding="utf-8"))
    assert {name: told[name] for name in FILTERS} == FILTERS
