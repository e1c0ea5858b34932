import pytest

from tf_iclrec import fit, make_config
from tf_iclrec.data.synthetic import planted_intents

from ..command_line import refused, run_here


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    log = planted_intents(num_users=30, num_items=12, num_intents=2)[0]
    path = tmp_path_factory.mktemp("runs") / "run"
    fit(make_config("transitions"), path, interactions=log, verbose=False)
    return path


def test_another_file_is_replaced_only_when_that_is_asked_for(finished, tmp_path):
    page = tmp_path / "log.csv"
    page.write_text("user,item\n")
    refused(f"{page} exists. Use --overwrite to replace it", "report", finished, "--output", page)
    assert page.read_text() == "user,item\n"
    written = run_here("report", finished, "--output", page, "--overwrite")
    assert (written.returncode, written.stdout) == (0, f"Page: {page}\n"), written.stderr
    assert page.read_text().startswith("<!DOCTYPE html>")


def test_the_page_of_the_run_is_made_again(finished):
    (finished / "report.html").write_text("old")
    assert run_here("report", finished).stdout == f"Page: {finished / 'report.html'}\n"
    assert (finished / "report.html").read_text() != "old"
