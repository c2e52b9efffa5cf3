"""Notebooks from their sources, executed by papermill, and cleaned to be committed.

One way only: the `.py` is edited, the `.ipynb` is made from it. A hash of the source in the
executed notebook tells whether its outputs belong to the code above them.
"""

import hashlib
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import papermill
from ipykernel.kernelspec import RESOURCES, get_kernel_dict
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbformat import NotebookNode

from svnr.experiments.engine import chosen
from svnr.experiments.stopping import interrupted
from svnr.report.presets import REBUILDING
from svnr.report.words import renamed

KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
FILTERS = {  # those of notebooks/jupytext.toml, which jupytext writes into the notebooks it syncs
    "cell_metadata_filter": "tags,-all",
    "notebook_metadata_filter": "kernelspec,-all",
}


class ThisPython(AsyncKernelManager):
    """Starts kernels of the Python that runs here, whatever `python3` means on the machine.

    Each has one thread: training runs in processes side by side, and sums in one order; each
    has the engine of the process that began it, and leave to write the repository's figures.
    """

    @property
    def kernel_spec(self) -> KernelSpec:
        """How to start this Python; what goes wrong in a cell the notebook tells."""
        spec = get_kernel_dict()
        engine = f"import svnr.experiments.engine as e; e.choose(e.{chosen()!r}); del e"
        first = f"{engine}; {REBUILDING} = True"
        told = ["--log-level=CRITICAL", f"--IPKernelApp.exec_lines={first}"]
        spec["argv"] = [*spec["argv"], *told]
        return KernelSpec(resource_dir=RESOURCES, env={"OMP_NUM_THREADS": "1"}, **spec)


@dataclass(frozen=True)
class Job:
    """One notebook that is to be executed."""

    source: Path  # its .py
    path: Path  # where it goes, executed as far as it came
    given: Mapping[str, Any] = field(default_factory=dict)  # parameters
    timeout: int = 3600  # seconds that one cell may take
    after: tuple[str, ...] = ()  # notebooks whose runs it reads

    @property
    def name(self) -> str:
        """Of the notebook."""
        return self.source.stem


@dataclass(frozen=True)
class Outcome:
    """What came of executing one notebook."""

    name: str
    seconds: float
    error: str = ""  # which cell failed and why; empty if none did


def from_source(path: Path) -> NotebookNode:
    """The notebook of a `.py`, without outputs, with ids that change only where its cells do."""
    notebook = jupytext.read(path)
    for index, cell in enumerate(notebook.cells):
        cell["id"] = f"{index:02d}-{_hash(cell.source)}"
    told = {"jupytext": dict(FILTERS), "kernelspec": dict(KERNEL)}
    notebook.metadata = NotebookNode(told, svnr={"source": source_hash(path)})
    return notebook


def source_hash(path: Path) -> str:
    """A short hash of a source file."""
    return _hash(path.read_text(encoding="utf-8"))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def execute(job: Job, root: Path) -> Outcome:
    """Run a notebook through papermill, in the folder `root`."""
    notebook = from_source(job.source)
    job.path.parent.mkdir(parents=True, exist_ok=True)
    job.path.unlink(missing_ok=True)
    start, error = time.monotonic(), ""
    try:
        with interrupted():  # the kernel is interrupted then, as by Ctrl-C
            papermill.execute_notebook(
                notebook, job.path, dict(job.given), cwd=str(root), kernel_name="python3",
                kernel_manager_class=ThisPython, execution_timeout=job.timeout, progress_bar=False,
            )  # fmt: skip
    except Exception as failure:  # of a cell, or a kernel that died, or a cell that took too long
        kind = getattr(failure, "ename", type(failure).__name__)  # as the cell has it, if one did
        said = _first_line(getattr(failure, "evalue", str(failure)))
        error = f"{_last_begun(job.path)}: {kind}: {said}"
    return Outcome(job.name, time.monotonic() - start, error)


def _last_begun(path: Path) -> str:
    """The last cell that was begun, by its number and first line."""
    cells = nbformat.read(path, as_version=4).cells if path.exists() else []
    code = [cell for cell in cells if cell.cell_type == "code"]
    begun = [cell for cell in code if cell.metadata.get("papermill", {}).get("start_time")]
    return f"cell In [{len(begun)}] ({_first_line(begun[-1].source)})" if begun else "no cell"


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "")


def clean(notebook: NotebookNode, root: Path) -> NotebookNode:
    """The notebook without timings, progress bars, names made by chance and the repository's path.

    What is left is what its `.py` says, so that a round trip through jupytext changes nothing.
    """
    kept = ("jupytext", "kernelspec", "svnr")
    notebook.metadata = {n: told for n, told in notebook.metadata.items() if n in kept}
    for cell in notebook.cells:
        own = cell.metadata.keys() - {"papermill", "execution"}  # and papermill gives all tags
        cell.metadata = {key: cell.metadata[key] for key in own if cell.metadata[key] != []}
        if cell.cell_type == "code":
            cell.outputs = [out for out in cell.outputs if out.get("name") != "stderr"]
    text = nbformat.writes(notebook).replace(f"{root}/", "").replace(str(root), ".")
    text = re.sub(r" at 0x[0-9a-f]+>", ">", renamed(r"\bT_[0-9a-f]{5}(?=[_\W])", "table_", text))
    return nbformat.reads(text, as_version=4)


def commit(job: Job, root: Path) -> None:
    """Write what was executed beside its source, cleaned."""
    executed = clean(nbformat.read(job.path, as_version=4), root)
    nbformat.write(executed, job.source.with_suffix(".ipynb"))
