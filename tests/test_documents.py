"""What the documentation names is there, and what is there is named. (`make test-docs` runs it.)"""

import re

import pytest

import tf_iclrec
from tf_iclrec.__main__ import COMMANDS
from tf_iclrec.options import flag, places

from .documents import ROOT, Block, blocks_of, command_lines, help_of

# Pages that are as true as the program; results of measurements keep the commands of their day.
PAGES = [
    *ROOT.glob("*.md"),
    *(ROOT / "docs").glob("*.md"),
    *(ROOT / "docs").glob("[cgrn]*/*.md"),
    *(ROOT / folder / "README.md" for folder in ("benchmarks", "pipelines", "savedmodels")),
]
CURRENT = [page for page in PAGES if page.name != "CHANGELOG.md"]
# Options of pip, Docker, curl, pytest and the programs in benchmarks/, pipelines/ and tests/.
OTHERS = {"--file", "--detach", "--choices", "--peers", "--extra", "--enable_batching", "--share"}
# Of a contrast of one's own, in a guide.
OTHERS |= {"--short-weight"}
OTHERS |= {"--only", "--models", "--seeds", "--jobs", "--small", "--build", "--no-deps"}


def pages(some):
    return pytest.mark.parametrize("page", some, ids=lambda page: str(page.relative_to(ROOT)))


@pages(CURRENT)
def test_every_command_that_is_named_exists(page):
    text = page.read_text()
    named = re.findall(r"python -m tf_iclrec\.(\w+)|\btf-iclrec ([a-z]+)\b", text)
    assert {"".join(one) for one in named} <= set(COMMANDS)


@pytest.fixture(scope="module")
def options():
    """All options of all commands."""
    known = {flag(option) for option in places()}
    for command in COMMANDS:
        known |= set(re.findall(r"--[\w-]+", help_of(command)))
    return known | {f"--no-{option.removeprefix('--')}" for option in known} | OTHERS


@pages(CURRENT)
def test_every_option_that_is_named_exists(page, options):
    named = set(re.findall(r"(?<![\w-])--[a-z][\w-]*", page.read_text()))
    assert named <= options


def test_every_option_that_a_message_names_exists(options):
    texts = [path.read_text() for path in (ROOT / "tf_iclrec").rglob("*.py")]
    # But for names of style sheets, `var(--ink)` and `--ink: black`.
    option = r"(?<!var\()(?<![\w-])--[a-z][\w-]*(?![\w:-])"
    named = {one for text in texts for one in re.findall(option, text)}
    assert named <= options


@pages(PAGES)
def test_every_file_that_is_linked_is_there(page):
    text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    links = re.findall(r"\]\((?!https?://|#)([^)#\s]+)", text)
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_reference_has_all_that_is_public():
    text = (ROOT / "docs" / "reference" / "api.md").read_text()
    listed = re.findall(r"^   tf_iclrec\.(\w+)$", text, flags=re.MULTILINE)
    registries = re.findall(r"`tf_iclrec\.([A-Z_]+)`", text)
    assert sorted([*listed, *registries]) == sorted(tf_iclrec.__all__)


def test_blocks_are_found_with_why_they_are_not_run():
    text = "Do\n```sh\na --b\n```\nand\n<!-- not run: needs Docker -->\n```python\nx = 1\n```\n"
    assert blocks_of(text) == [Block("sh", "a --b\n"), Block("python", "x = 1\n", "needs Docker")]


def test_lines_of_a_shell_are_commands():
    code = "python -m tf_iclrec.train -x a \\\n    --output 'a b'  # b\n\ntf-iclrec export r\n"
    assert command_lines(code) == [
        ["train", "-x", "a", "--output", "a b"],
        ["export", "r"],
    ]
    with pytest.raises(ValueError, match="say why it is not run"):
        command_lines("docker compose up\n")
