from tf_iclrec import SYSTEMS
from tf_iclrec.systems.table import systems_table


def test_has_a_line_for_each_system_in_order():
    header, *lines = systems_table().splitlines()
    assert header.split() == ["model", "paper", "reads", "what", "it", "is"]
    assert [line.split()[0] for line in lines] == list(SYSTEMS)


def test_a_line_says_the_paper_what_is_read_and_what_it_is():
    header, *lines = systems_table().splitlines()
    places = [header.index(name) for name in ("model", "paper", "reads", "what it is")]
    for line, system in zip(lines, SYSTEMS.values(), strict=True):
        cells = [
            line[start:end].strip() for start, end in zip(places, [*places[1:], None], strict=True)
        ]
        reads = ", ".join(system.family.reads(system))
        assert cells == [system.name, system.paper, reads, system.summary]
    by_name = dict(zip(SYSTEMS, lines, strict=True))
    assert "items, providers, attributes" in by_name["ipsrec_c"]
    assert "providers" not in by_name["sasrec"]


def test_no_line_ends_in_blanks():
    assert all(line == line.rstrip() for line in systems_table().splitlines())
