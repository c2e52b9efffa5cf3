"""What the site is made of, and where what is named in it leads; without Sphinx."""

from pathlib import Path

import pytest

from svnr.publish import site
from svnr.publish.site import Names, figures_page, indexed, module_page, modules, pages

ROOT = Path(__file__).parents[2]


def marked(text):
    """Below the line in ⟨⟩, above it in «»."""
    marks = {"": "{}", "_": "⟨{}⟩", "^": "«{}»"}
    return "".join(marks[kind].format(part) for kind, part in indexed(text))


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("u_i^{ℓ,k} = f_i^k(u_{C_i}^{ℓ,k−1})", "u⟨i⟩«ℓ,k» = f⟨i⟩«k»(u⟨C_i⟩«ℓ,k−1»)"),
        ("π*_α, φ_i*(u_{C_i}), Q^θ̄", "π*⟨α⟩, φ⟨i⟩*(u⟨C_i⟩), Q«θ̄»"),
        ("D_KL, ∂Q_tot, Δf_i, du_−i", "D⟨KL⟩, ∂Q⟨tot⟩, Δf⟨i⟩, du⟨−i⟩"),
        ("mean_{l≠m}, max_m, (γλ)^k δ_{t+k}", "mean⟨l≠m⟩, max⟨m⟩, (γλ)«k» δ⟨t+k⟩"),
        ("lim_{k→K} p", "lim⟨k→K⟩ p"),
        ("C_{σ^{−1}(i)}", "C⟨σ^{−1}(i)⟩"),
        ("∇_{u′} Q|_{u′=u}", "∇⟨u′⟩ Q|⟨u′=u⟩"),
        ("log_policy, nui_in_madrl, log_p", "log_policy, nui_in_madrl, log_p"),
    ],
)  # fmt: skip
def test_indices_stand_below_and_above_the_line(written, shown):
    assert marked(written) == shown


def test_a_set_in_braces_has_an_index():
    assert [part for part in indexed("{C_i}_{i=1}^N") if part[0]] == [
        ("_", "i"), ("_", "i=1"), ("^", "N")
    ]  # fmt: skip


def test_an_index_may_have_an_index():
    [below] = [part for kind, part in indexed("u_{C_i}") if kind == "_"]
    assert marked(below) == "C⟨i⟩"


OBJECTS = {
    "svnr.sets": "module",
    "svnr.stein.svgd": "module",
    "svnr.stein.svgd.direction": "function",
    "svnr.stein.negotiation.negotiate": "function",
    "svnr.stein.negotiation.one_round": "function",
    "svnr.theory.negotiation.kernel_mask": "function",
    "svnr.stein.negotiation.kernel_mask": "function",
    "svnr.networks.critics.Critics": "class",
    "svnr.networks.critics.Critics.learn": "method",
    "svnr.networks.critics.Critics.possible": "method",
    "svnr.learners.memory.Replay.learn": "method",
}


@pytest.mark.parametrize(
    ("text", "before", "found"),
    [
        ("stein.svgd.direction", "", "svnr.stein.svgd.direction"),
        ("svnr.stein.svgd", "", "svnr.stein.svgd"),
        ("one_round", "", "svnr.stein.negotiation.one_round"),  # a name that nothing else has
        ("one_round(u)", "", "svnr.stein.negotiation.one_round"),
        ("direction", "", None),  # a word
        ("Critics", "", "svnr.networks.critics.Critics"),
        ("Critics.learn", "", "svnr.networks.critics.Critics.learn"),
        ("learn", "svnr.networks.critics.Critics.possible", "svnr.networks.critics.Critics.learn"),
        ("learn", "", None),  # whose?
        ("possible", "", None),  # a method is named with its class
        ("kernel_mask", "", None),  # there are two
        ("theory.negotiation.kernel_mask", "", "svnr.theory.negotiation.kernel_mask"),
        ("sets", "", None),  # a word
    ],
)
def test_a_name_leads_to_the_one_object_that_it_means(text, before, found):
    assert Names(OBJECTS, {}).object(text, before) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("src/svnr/stein/svgd.py", ("api/svnr.stein.svgd", "")),
        ("stein/svgd.py", ("api/svnr.stein.svgd", "")),
        ("src/svnr/stein", ("api/svnr.stein", "")),
        ("stein/test_svgd", ("tests/stein/test_svgd", "")),
        ("tests/stein/test_svgd.py", ("tests/stein/test_svgd", "")),
        ("docs/notation.md", ("docs/notation", "")),
        ("figures/fig7_visited_actions", ("figures", "fig7-visited-actions")),
        ("figures/nothing", None),
        ("results/", None),
        ("stein", None),  # a word
    ],
)
def test_a_file_leads_to_its_page(text, found):
    assert Names({}, pages(ROOT)).page(text) == found


def test_every_module_test_notebook_and_document_has_a_page():
    there = pages(ROOT)
    for path in [*ROOT.glob("notebooks/*.ipynb"), *ROOT.glob("docs/*.md"), ROOT / "README.md"]:
        assert there[str(path.relative_to(ROOT))] == path
    for path in ROOT.glob("tests/**/test_*.py"):
        page = there[str(path.relative_to(ROOT).with_suffix(".md"))]
        assert path.read_text(encoding="utf-8") in page
    assert {f"api/{name}.rst" for name in modules(ROOT)} <= there.keys()
    assert {"svnr", "svnr.stein", "svnr.stein.svgd", "svnr.cli"} <= set(modules(ROOT))


def test_the_page_of_a_folder_lists_what_is_directly_in_it():
    page = module_page("svnr.stein", ["svnr", "svnr.stein", "svnr.stein.svgd", "svnr.theory.mdp"])
    assert page.startswith("stein\n=====\n\n.. automodule:: svnr.stein\n")
    assert [line.strip() for line in page.splitlines() if line.startswith("   svnr")] == [
        "svnr.stein.svgd"
    ]


def test_the_page_of_tests_has_a_heading_a_folder():
    page = site.tests_page(["tests/stein/test_svgd.md", "tests/test_cli.md", "tests/test_sets.md"])
    assert page.partition("\n\n")[2].splitlines()[2:] == [
        "## tests/stein", "", "- [test_svgd](stein/test_svgd.md)",
        "", "## tests", "", "- [test_cli](test_cli.md)", "- [test_sets](test_sets.md)",
    ]  # fmt: skip


def test_every_drawn_figure_stands_once_on_the_page_of_figures():
    shown = figures_page(ROOT)
    for path in ROOT.glob("figures/*.png"):
        assert shown.count(f"(figures/{path.name})") == 1, path.name
        assert shown.count(f"({path.stem})=") == 1, path.name
