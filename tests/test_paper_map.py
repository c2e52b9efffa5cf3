"""docs/paper-map.md and the docstrings name the same parts of the paper, which all exist."""

import ast
import importlib
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
MAP = (ROOT / "docs" / "paper-map.md").read_text(encoding="utf-8")
NUMBER = re.compile(
    r"\((?:[3-7]\.\d|[BC]\.\d)\)|(?:Definition|Lemma|Theorem|Algorithm) (?:[AC]\.)?\d(?:\.\d)?"
)
UNCOMPUTED = {"(3.1)", "(3.6)", "(C.1)", "(C.2)", "Theorem 5.1"}  # computed under another number


def docstrings():
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module):
                yield ast.get_docstring(node) or ""


def test_the_map_and_the_docstrings_name_the_same_numbers():
    spoken = {number for text in docstrings() for number in NUMBER.findall(text)}
    mapped = set(NUMBER.findall(MAP))
    assert spoken <= mapped
    assert mapped - spoken == UNCOMPUTED


def test_every_function_of_the_map_exists():
    for dotted in re.findall(r"`((?:theory|stein|networks|learners|experiments)\.[\w.]+)`", MAP):
        layer, module, *names = dotted.split(".")
        found = importlib.import_module(f"svnr.{layer}.{module}")
        for name in names:
            found = getattr(found, name)


def test_every_test_figure_and_notebook_of_the_map_exists():
    for test in re.findall(r"`(\w+/test_\w+)`", MAP):
        assert (ROOT / "tests" / f"{test}.py").exists(), test
    for figure in re.findall(r"`figures/(\w+)`", MAP):
        assert list((ROOT / "figures").glob(f"{figure}.*")), figure
    rows = [line for line in MAP.splitlines() if line.startswith("|")]
    numbers = {n for row in rows for n in re.findall(r"\b(\d\d)\b(?=[ ,|])", row)}
    assert all(list((ROOT / "notebooks").glob(f"{n}_*.ipynb")) for n in numbers)
