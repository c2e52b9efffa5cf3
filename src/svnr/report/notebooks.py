"""Notebooks from their sources, executed by papermill, and cleaned to be committed.

One way only: the `.py` is edited, the `.ipynb` is made from it. A hash of the source in the
executed notebook tells whether its outputs belong to the code above them.
"""

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import papermill
import yaml
from ipykernel.kernelspec import RESOURCES, get_kernel_dict
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbformat import NotebookNode
from papermill.exceptions import PapermillExecutionError

from svnr.experiments.scenarios import check_name
from svnr.report.provenance import annotated_values

KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
SCALES = ("smoke", "quick", "paper")


class ThisPython(AsyncKernelManager):
    """Starts kernels of the Python that runs here, whatever `python3` means on the machine.

    Each has one thread: training runs in processes side by side, and sums in one order.
    """

    @property
    def kernel_spec(self) -> KernelSpec:
        """How to start this Python; it tells errors only, and no warning at every start."""
        spec = get_kernel_dict()
        spec["argv"] = [*spec["argv"], "--log-level=ERROR"]
        return KernelSpec(resource_dir=RESOURCES, env={"OMP_NUM_THREADS": "1"}, **spec)


@dataclass(frozen=True)
class Outcome:
    """What came of executing one notebook."""

    name: str
    seconds: float
    error: str = ""  # which cell failed and why; empty if none did


def sources(root: Path) -> dict[str, Path]:
    """The notebooks of the repository in reading order: name → its `.py`."""
    return {path.stem: path for path in sorted((root / "notebooks").glob("[0-9][0-9]_*.py"))}


def presets(root: Path, scale: str) -> dict[str, dict[str, Any]]:
    """What each notebook is run with at a scale: name → its timeout and parameters.

    Raises:
        ValueError: if there is no such scale.
    """
    check_name("scale", scale, dict.fromkeys(SCALES))
    text = (root / "notebooks" / "presets" / f"{scale}.yaml").read_text(encoding="utf-8")
    return yaml.safe_load(text)


def from_source(path: Path) -> NotebookNode:
    """The notebook of a `.py`, without outputs, with ids that change only where its cells do."""
    notebook = jupytext.read(path)
    for index, cell in enumerate(notebook.cells):
        cell["id"] = f"{index:02d}-{_hash(cell.source)}"
    notebook.metadata["kernelspec"] = dict(KERNEL)
    notebook.metadata["svnr"] = {"source": source_hash(path)}
    return notebook


def source_hash(path: Path) -> str:
    """A short hash of a source file."""
    return _hash(path.read_text(encoding="utf-8"))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def parameters(notebook: NotebookNode) -> dict[str, Any]:
    """The names in the cell tagged `parameters`, with their defaults.

    Raises:
        ValueError: unless exactly one cell has the tag.
    """
    tagged = [c for c in notebook.cells if "parameters" in c.metadata.get("tags", [])]
    if len(tagged) != 1:
        raise ValueError(f"one cell must be tagged 'parameters', got {len(tagged)}")
    return annotated_values(tagged[0].source)


def check_parameters(notebook: NotebookNode, given: Mapping[str, Any]) -> None:
    """Raise ValueError, with the valid names, if a name is not a parameter of the notebook."""
    known = parameters(notebook)
    for name in given:
        check_name("parameter", name, known)


def execute(
    name: str,
    notebook: NotebookNode,
    given: Mapping[str, Any],
    path: Path,
    folder: Path,
    timeout: int,
    title: str = "",
) -> Outcome:
    """Run a notebook through papermill and write it to `path`, executed as far as it came.

    Args:
        name: of the notebook.
        notebook: as `from_source` gives it.
        given: parameters.
        path: where the executed notebook goes.
        folder: where its kernel runs.
        timeout: seconds that one cell may take.
        title: of the progress bar; without one there is no bar.

    Raises:
        ValueError: if a name in `given` is not a parameter, before anything is written.
    """
    check_parameters(notebook, given)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    start = time.monotonic()
    error = ""
    try:
        papermill.execute_notebook(
            notebook,
            path,
            dict(given),
            cwd=str(folder),
            kernel_name="python3",
            kernel_manager_class=ThisPython,
            execution_timeout=timeout,
            progress_bar={"desc": title, "unit": "cell"} if title else False,
        )
    except Exception as failure:  # of a cell, or a kernel that died, or a cell that took too long
        error = f"{_last_begun(path)}: {_reason(failure)}"
    return Outcome(name, time.monotonic() - start, error)


def _last_begun(path: Path) -> str:
    """The last cell that was begun, by its number and first line."""
    if not path.exists():
        return "no cell"
    code = [c for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"]
    begun = [cell for cell in code if cell.metadata.get("papermill", {}).get("start_time")]
    if not begun:
        return "no cell"
    return f"cell In [{len(begun)}] ({_first_line(begun[-1].source)})"


def _reason(failure: Exception) -> str:
    if isinstance(failure, PapermillExecutionError):
        return f"{failure.ename}: {_first_line(failure.evalue)}"
    return f"{type(failure).__name__}: {_first_line(str(failure))}"


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "")


def clean(notebook: NotebookNode, root: Path) -> NotebookNode:
    """The notebook without timings, progress bars and the path of the repository."""
    notebook.metadata.pop("papermill", None)
    notebook.metadata.pop("language_info", None)
    for cell in notebook.cells:
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            outputs = [out for out in cell.outputs if out.get("name") != "stderr"]
            cell.outputs = [_without_path(out, str(root)) for out in outputs]
    return notebook


def _without_path(value: Any, root: str) -> Any:
    if isinstance(value, str):
        return value.replace(root + "/", "").replace(root, ".")
    if isinstance(value, dict):
        return type(value)({key: _without_path(item, root) for key, item in value.items()})
    if isinstance(value, list):
        return [_without_path(item, root) for item in value]
    return value


def rebuild(root: Path, name: str, timeout: int = 3600, title: str = "") -> Outcome:
    """Make the committed `.ipynb` of a notebook from its `.py`, with its default parameters."""
    source = sources(root)[name]
    notebook = from_source(source)
    draft = root / "build" / "notebooks" / f"{name}.ipynb"
    outcome = execute(name, notebook, {}, draft, root, timeout, title)
    if not outcome.error:
        executed = clean(nbformat.read(draft, as_version=4), root)
        nbformat.write(executed, source.with_suffix(".ipynb"))
    return outcome
