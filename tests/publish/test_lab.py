"""What JupyterLab's server does to files that are opened and saved unchanged."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from ipykernel.ipkernel import IPythonKernel
from jupytext import TextFileContentsManager

from svnr.publish import lab

ROOT = Path(__file__).parents[2]
FOLDERS = ("notebooks", "src/svnr/stein", "docs")
PATHS = sorted(path for folder in FOLDERS for path in (ROOT / folder).glob("[!_]*.*"))


@pytest.fixture(scope="module")
def manager(tmp_path_factory):
    """JupyterLab's, with jupytext's extension and ours, over a copy of some folders."""
    root = tmp_path_factory.mktemp("clone")
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, root / folder)
    made = TextFileContentsManager(root_dir=str(root))
    lab._load_jupyter_server_extension(SimpleNamespace(contents_manager=made))
    return made


def opened_and_saved(manager, path, kind):
    model = json.loads(json.dumps(manager.get(path, type=kind), default=str))
    if kind == "notebook":  # what it is told by a kernel of another Python
        language = dict(IPythonKernel().language_info) | {"version": "3.13.99"}
        model["content"]["metadata"]["language_info"] = language
    manager.save({name: model[name] for name in ("type", "format", "content")}, path)


@pytest.mark.parametrize("path", [str(path.relative_to(ROOT)) for path in PATHS])
def test_what_is_opened_and_saved_stays_as_it_was(manager, path):
    """Both halves of a notebook, and code and pages, as text and as a notebook."""
    kinds = ["file", "notebook"] if path.endswith((".py", ".md")) else ["file"]
    for kind in ["notebook"] if path.endswith(".ipynb") else kinds:
        opened_and_saved(manager, path, kind)
    changed = [
        str(file.relative_to(ROOT))
        for file in PATHS
        if (Path(manager.root_dir) / file.relative_to(ROOT)).read_bytes() != file.read_bytes()
    ]
    assert changed == []


def test_other_notebooks_keep_what_they_are_told():
    metadata = {"language_info": {"name": "python"}}
    lab.leave_out_the_python({"type": "notebook", "content": {"metadata": metadata}})
    assert metadata == {"language_info": {"name": "python"}}
    lab.leave_out_the_python({"type": "file", "content": "text"})


def test_the_environment_enables_the_extension_by_its_name():
    told = json.loads(Path(lab.__file__).with_suffix(".json").read_text(encoding="utf-8"))
    assert told["ServerApp"]["jpserver_extensions"] == {lab.__name__: True}
    (point,) = lab._jupyter_server_extension_points()
    assert point == {"module": lab.__name__}
    for page in ("Makefile", "README.md"):
        assert "cp src/svnr/publish/lab.json" in (ROOT / page).read_text(encoding="utf-8")
