"""The site: which pages it has, and where what is named in them leads.

Nothing here needs Sphinx; `docs/site/conf.py` lays these pages out and hands them to it.
"""

import json
import re
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path, PurePosixPath

# A letter with its marks, or a word that takes an index; then what stands below and above it.
_BASE = r"(?:(?<![^\W_])[Δd]?[^\W\d_][\u0300-\u036f′*]*|\b(?:mean|min|max|lim)|[∇Σ)|}])"
_INDEX = r"[_^](?:\{(?:[^{}]|\{[^{}]*\})*\}|[−-]?\w[\u0300-\u036f]*\w{0,2}(?!\w))"
_INDEXED = re.compile(rf"({_BASE})((?:{_INDEX})+)(\*?)")
_SIMPLE = re.compile(_INDEX)


def indexed(text: str) -> Iterator[tuple[str, str]]:
    """Cut a line as the paper writes it into what stands on it, below it and above it.

    `u_{C_i}^k` gives ("", "u"), ("_", "C_i"), ("^", "k"); words like `log_policy` stay whole.
    """
    end = 0
    for match in _INDEXED.finditer(text):
        yield "", text[end : match.end(1)]
        for index in _SIMPLE.findall(match[2]):
            braced = index[1] == "{"
            yield index[0], index[2:-1] if braced else index[1:]
        yield "", match[3]
        end = match.end()
    yield "", text[end:]


def modules(root: Path) -> list[str]:
    """The dotted names of all modules of the package, a folder before what is in it."""
    paths = sorted((root / "src" / "svnr").rglob("*.py"))
    dotted = (path.relative_to(root / "src").with_suffix("").parts for path in paths)
    return sorted(".".join(parts).removesuffix(".__init__") for parts in dotted)


def pages(root: Path) -> dict[str, Path | str]:
    """What the site is made of: place below its folder → the file to copy, or the text.

    Notebooks are copied with their outputs and never executed.
    """
    committed = [root / f"{name}.md" for name in ("README", "CONTRIBUTING", "CHANGELOG")]
    committed += [root / "CITATION.cff", *root.glob("docs/*.md"), *root.glob("notebooks/*.ipynb")]
    drawn = [*root.glob("figures/*.png"), *root.glob("figures/*.md")]
    copied = {str(path.relative_to(root)): path for path in committed + drawn}
    named = modules(root)
    tests = sorted((root / "tests").rglob("test_*.py"))
    made = {f"api/{name}.rst": module_page(name, named) for name in named}
    made |= {_test_place(path, root): page_of_test(path, root) for path in tests}
    made["tests/index.md"] = tests_page([_test_place(path, root) for path in tests])
    made["figures.md"] = figures_page(root)
    return {"index.md": root / "docs" / "site" / "index.md", **copied, **made}


def _test_place(path: Path, root: Path) -> str:
    return str(path.relative_to(root).with_suffix(".md"))


def module_page(name: str, named: list[str]) -> str:
    """The page of a module: its docstring, its members, and the modules below it."""
    title = name.removeprefix("svnr.")
    below = [other for other in named if other.rpartition(".")[0] == name]
    toc = ".. toctree::\n   :maxdepth: 1\n\n" + "".join(f"   {other}\n" for other in below)
    return f"{title}\n{'=' * len(title)}\n\n.. automodule:: {name}\n\n{toc if below else ''}"


def page_of_test(path: Path, root: Path) -> str:
    """The page of a test file: its text, highlighted."""
    place = path.relative_to(root)
    source = path.read_text(encoding="utf-8")
    return f"---\norphan: true\nnosearch: true\n---\n# {place}\n\n``````python\n{source}``````\n"


def tests_page(places: list[str]) -> str:
    """The page that lists the test files, a heading for each folder."""
    lines = ["# Tests", "", "One file of tests for each file of the package."]
    for folder, files in groupby(map(PurePosixPath, places), lambda place: place.parent):
        lines += ["", f"## {folder}", ""]
        lines += [f"- [{file.stem}]({file.relative_to('tests')})" for file in files]
    return "\n".join(lines) + "\n"


def figures_page(root: Path) -> str:
    """The page of all figures and tables, a heading for each notebook, an anchor for each."""
    manifest = json.loads((root / "figures" / "manifest.json").read_text(encoding="utf-8"))
    lines, notebook = ["# Figures and tables", ""], ""
    shown = {name: row for name, row in manifest.items() if name.endswith((".png", ".md"))}
    for name, row in sorted(shown.items(), key=lambda item: (item[1]["notebook"], item[0])):
        if row["notebook"] != notebook:
            notebook = row["notebook"]
            lines += [f"## [](notebooks/{notebook}.ipynb)", ""]
        stem, _, kind = name.rpartition(".")
        lines += [f"({stem})=", f"### {row['label']}", ""]
        image = f"![{row['label']}](figures/{name})"
        lines += [image if kind == "png" else f"```{{include}} figures/{name}\n```", ""]
    return "\n".join(lines)


class Names:
    """Where a name leads: the objects of the reference, the pages of tests, files and figures.

    Args:
        objects: dotted name → its kind ("module", "class", "function", "method", …).
        places: the pages and files there are, as `pages` names them.
    """

    def __init__(self, objects: Mapping[str, str], places: Mapping[str, Path | str]) -> None:
        self._objects, self._places = objects, places
        self._ends: dict[str, set[str]] = {}
        for name, kind in objects.items():
            parts = name.split(".")
            alone = kind in ("class", "function", "data") and not re.fullmatch("[a-z]+", parts[-1])
            for n in range(1 if alone else 2, len(parts) + 1):
                self._ends.setdefault(".".join(parts[-n:]), set()).add(name)

    def object(self, text: str, before: str = "") -> str | None:
        """The one object that a name means, if it is one.

        A class, constant or function may be named alone if its name is no plain word, anything
        else with what it belongs to. Before that a name is looked for beside the object `before`
        it, as in "`Critics.possible`, `learn`".
        """
        name = re.sub(r"\(.*\)$|\[.*\]$", "", text)
        beside = before.rpartition(".")[0] or "svnr"
        for full in (name, f"{beside}.{name}", f"svnr.{name}"):
            if full in self._objects and "." in name + before:
                return full
        found = self._ends.get(name, set())
        return next(iter(found)) if len(found) == 1 else None

    def page(self, text: str) -> tuple[str, str] | None:
        """The page and anchor of a file: `stein/svgd.py`, `stein/test_svgd`, `figures/hero`."""
        if text.startswith("figures/") and {f"{text}.png", f"{text}.md"} & self._places.keys():
            return "figures", text.removeprefix("figures/").replace("_", "-")
        path = text.removesuffix("/").removeprefix("src/svnr/").removeprefix("tests/")
        module = "api/svnr." + path.removesuffix(".py").replace("/", ".")
        for place in (f"{module}.rst", f"tests/{path.removesuffix('.py')}.md", text):
            if "/" in text and place in self._places:
                return re.sub(r"\.\w+$", "", place), ""
        return None
