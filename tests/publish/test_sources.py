import pytest

from svnr.publish.sources import sources


def test_notebooks_come_in_reading_order(repository):
    assert list(sources(repository)) == ["01_broken", "02_whole", "03_last"]


def test_some_are_asked_for_by_number_or_by_name(repository):
    assert list(sources(repository, ["03", "01_broken"])) == ["01_broken", "03_last"]
    with pytest.raises(ValueError, match="notebook must be one of 01, 02, 03, got '1'"):
        sources(repository, ["1"])


def test_a_copy_that_jupyterlab_made_is_no_notebook_of_the_repository(repository):
    source = repository / "notebooks" / "02_whole.py"
    source.with_stem("02_whole-Copy1").write_bytes(source.read_bytes())
    assert list(sources(repository)) == ["01_broken", "02_whole", "03_last"]
    assert sources(repository, ["02"]) == {"02_whole": source}


def test_a_number_that_two_have_means_both(repository):
    source = repository / "notebooks" / "02_whole.py"
    source.with_stem("02_mine").write_bytes(source.read_bytes())
    assert list(sources(repository, ["02"])) == ["02_mine", "02_whole"]
    assert list(sources(repository, ["02_whole"])) == ["02_whole"]
