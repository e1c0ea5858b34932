"""Examples in docstrings stand right below the words that introduce them; reStructuredText wants an
empty line there, or takes them for a part of the sentence."""


def part_examples(app, what, name, obj, options, lines: list[str]) -> None:
    """Put the empty line before the first line of each example."""
    parted: list[str] = []
    in_example = False
    for line in lines:
        starts = line.lstrip().startswith(">>>")
        if starts and not in_example and parted and parted[-1].strip():
            parted.append("")
        in_example = (in_example or starts) and bool(line.strip())
        parted.append(line)
    lines[:] = parted


def setup(app):
    # Before napoleon, which knows the sections of a docstring.
    app.connect("autodoc-process-docstring", part_examples, priority=400)
    return {"parallel_read_safe": True}
