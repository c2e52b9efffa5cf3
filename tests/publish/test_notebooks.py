import json
import sys

import nbformat
import pytest

from svnr.report.notebooks import (
    check_parameters,
    clean,
    execute,
    from_source,
    parameters,
    presets,
    source_hash,
)

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


def test_parameters_are_read_with_their_defaults(source):
    assert parameters(from_source(source)) == {"n_seeds": 5, "scale": "paper"}


def test_a_misspelt_parameter_is_refused_with_the_valid_ones(source, tmp_path):
    notebook = from_source(source)
    with pytest.raises(ValueError, match=r"one of n_seeds, scale, got 'n_seed' \(did you mean"):
        check_parameters(notebook, {"n_seed": 1})
    with pytest.raises(ValueError, match="parameter must be"):
        execute("01", notebook, {"n_seed": 1}, tmp_path / "out.ipynb", tmp_path, 60)
    assert not (tmp_path / "out.ipynb").exists()


def test_a_notebook_needs_one_cell_of_parameters(source):
    source.write_text(source.read_text().replace(' tags=["parameters"]', ""))
    with pytest.raises(ValueError, match="one cell must be tagged 'parameters', got 0"):
        parameters(from_source(source))


def test_executed_and_cleaned_a_notebook_tells_its_outputs_and_nothing_else(source, tmp_path):
    notebook, path = from_source(source), tmp_path / "out.ipynb"
    outcome = execute("01", notebook, {"n_seeds": 3}, path, tmp_path, 60)
    assert outcome.error == "" and outcome.seconds > 0
    executed = clean(nbformat.read(path, as_version=4), tmp_path)
    outputs = executed.cells[-1].outputs
    assert [out.output_type for out in outputs] == ["execute_result"]
    assert outputs[0].data["text/plain"] == "3"
    assert "papermill" not in executed.metadata
    assert all(not {"papermill", "execution"} & cell.metadata.keys() for cell in executed.cells)
    assert executed.metadata["svnr"]["source"] == source_hash(source)


def test_the_path_of_the_repository_is_taken_out(tmp_path):
    output = nbformat.v4.new_output("stream", text=f"wrote {tmp_path}/figures/a.png in {tmp_path}")
    cell = nbformat.v4.new_code_cell("x", outputs=[output])
    cleaned = clean(nbformat.v4.new_notebook(cells=[cell]), tmp_path)
    assert cleaned.cells[0].outputs[0].text == "wrote figures/a.png in ."


def test_a_cell_that_takes_too_long_is_an_error_and_not_a_crash(source, tmp_path):
    source.write_text(source.read_text() + "import time; time.sleep(60)\n\n# %%\nnever = 1\n")
    outcome = execute("01", from_source(source), {}, tmp_path / "out.ipynb", tmp_path, 2)
    assert outcome.error.startswith("cell In [2] (import sys): CellTimeoutError: ")


def test_a_kernel_that_dies_is_an_error_that_names_the_cell(source, tmp_path):
    cells = "\n# %%\nimport os\nos.kill(os.getpid(), 9)\n\n# %%\nnever = 'reached'\n"
    source.write_text(source.read_text() + cells)
    path = tmp_path / "out.ipynb"
    outcome = execute("01", from_source(source), {}, path, tmp_path, 60)
    assert outcome.error == "cell In [3] (import os): DeadKernelError: Kernel died"
    # What came before is kept.
    assert nbformat.read(path, as_version=4).cells[1].outputs


def test_a_kernel_that_does_not_start_is_an_error_before_any_cell(source, tmp_path, monkeypatch):
    monkeypatch.setattr("ipykernel.kernelspec.sys.executable", "/no/such/python")
    outcome = execute("01", from_source(source), {}, tmp_path / "out.ipynb", tmp_path, 60)
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
    assert execute("01", from_source(source), {}, path, tmp_path, 60).error == ""
    executed = nbformat.read(path, as_version=4)
    assert executed.cells[-1].outputs[0].text == f"{sys.executable} 1\n"
    assert executed.metadata["kernelspec"]["name"] == "python3"


def test_an_unknown_scale_is_refused(tmp_path):
    with pytest.raises(ValueError, match="scale must be one of smoke, quick, paper, got 'fast'"):
        presets(tmp_path, "fast")
