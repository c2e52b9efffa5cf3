"""environment.yml, pyproject.toml and the pins say the same."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from svnr.report.scales import SCALES

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
ASKED_FOR = {
    "jupyterlab", "jupytext", "papermill", "torch", "numpy", "matplotlib", "seaborn", "mujoco",
    "pytest", "nbval",
}  # fmt: skip


def environment():
    parts = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    conda = [part for part in parts if isinstance(part, str)]
    (pip,) = [part["pip"] for part in parts if isinstance(part, dict)]
    return conda, pip


def pins():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").split()
    return {canonicalize_name(name): Version(v) for name, v in (x.split("==") for x in lines)}


def requirements():
    extras = PROJECT["optional-dependencies"].values()
    texts = [*PROJECT["dependencies"], *(text for extra in extras for text in extra)]
    return [Requirement(text) for text in texts]


def test_conda_brings_python_and_pip_only():
    conda, _ = environment()
    assert [re.split("[=<>]", part)[0] for part in conda] == ["python", "pip"]
    python = conda[0].split("=")[-1]
    assert Version(python) in SpecifierSet(PROJECT["requires-python"])


def test_pip_uses_files_and_extras_that_exist():
    _, pip = environment()
    assert ROOT.joinpath(pip[0].removeprefix("--constraint ")).is_file()
    extras = re.search(r"\[(.*)\]", pip[-1])[1].split(",")
    for_one_target = {"peers", "site"}  # `make bench`, `make site`
    assert {*extras, *for_one_target} == set(PROJECT["optional-dependencies"])


def test_the_packages_that_were_asked_for_are_named_and_pinned():
    _, pip = environment()
    assert set(pip) >= ASKED_FOR
    assert pins().keys() >= ASKED_FOR


@pytest.mark.parametrize("requirement", requirements(), ids=str)
def test_every_requirement_is_pinned_within_its_range(requirement):
    assert pins()[canonicalize_name(requirement.name)] in requirement.specifier


def test_no_pin_brings_a_gpu_stack():
    assert not [name for name in pins() if re.search("nvidia|cuda|triton", name)]


def test_the_workflows_call_what_there_is():
    told = {
        path.stem: yaml.safe_load(path.read_text(encoding="utf-8"))
        for path in (ROOT / ".github" / "workflows").glob("*.yml")
    }
    steps = {name: flow["jobs"].popitem()[1]["steps"] for name, flow in told.items()}
    assert steps["ci"][-1] == {"run": ".ci/run"} and (ROOT / ".ci" / "run").is_file()
    inputs = told["reproduce"][True]["workflow_dispatch"]["inputs"]  # YAML takes `on` for True
    assert inputs["scale"]["options"] == list(SCALES)
    python = steps["ci"][1]["with"]["python-version"]
    assert Version(python) in SpecifierSet(PROJECT["requires-python"])
