"""What must hold of all options there are, whatever systems and parts are added."""

import pytest

from tf_iclrec import SYSTEMS
from tf_iclrec.commands import Parser, add_settings, given_settings
from tf_iclrec.options import all_sections, flag, places, resolved
from tf_iclrec.systems.system import CHOICE


def declarations():
    """Every setting of every alternative, by option."""
    found = {}
    for section in all_sections():
        for chosen in section.alternatives or ("",):
            for declared in section.settings(chosen).values():
                found.setdefault(declared.option(section.prefix), []).append(declared)
    return found


@pytest.mark.parametrize("option", declarations())
def test_an_option_has_one_type_and_range_wherever_it_is_declared(option):
    kinds = {
        (one.kind, one.choices, one.setting.rule(), one.is_tuple) for one in declarations()[option]
    }
    assert len(kinds) == 1


@pytest.mark.parametrize("option", declarations())
def test_an_option_has_a_type_a_help_and_a_default_that_is_allowed(option):
    for declared in declarations()[option]:
        assert declared.kind in (int, float, bool, str, tuple[int, ...], tuple[str, ...])
        assert declared.setting.help
        assert declared.checked(declared.default, option) == declared.default


def test_options_that_choose_are_no_settings_as_well():
    choices = {section.option for section in all_sections() if section.alternatives}
    assert {"encoder", "loss", "split", "item_initialization"} <= choices
    assert not choices & set(declarations())
    assert "model" not in places()


def test_every_choice_has_a_help_and_a_default_among_its_alternatives():
    for section in all_sections():
        if section.alternatives:
            assert section.help
            assert section.default in section.alternatives


@pytest.mark.parametrize("name", SYSTEMS)
def test_no_two_sections_of_a_system_and_no_two_settings_of_a_section_are_called_alike(name):
    sections = SYSTEMS[name].family.sections
    assert len({section.key for section in sections}) == len(sections)
    for section in sections:
        for chosen in section.alternatives or ("",):
            settings = section.settings(chosen)
            assert CHOICE not in settings
            options = {declared.option(section.prefix) for declared in settings.values()}
            assert len(options) == len(settings)
        # Of alternatives too: an option has one name in a section.
        by_option = [option for option, _ in section.all_settings()]
        assert len(set(by_option)) == len(by_option)


@pytest.mark.parametrize("option", declarations())
def test_an_option_can_be_typed(option):
    parser = Parser()
    add_settings(parser, all_sections())
    declared = declarations()[option][0]
    value = declared.default
    typed = [flag(option), *map(str, value if declared.is_tuple else [value])]
    if declared.kind is bool:
        typed = [flag(option) if value else f"--no-{flag(option)[2:]}"]
    assert given_settings(parser.parse(typed)) == {option: value}


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_setting_of_a_system_is_read_by_it_or_waits_behind_a_switch(name):
    """Such as the temperature of a contrast that the system has not, until it gets a weight."""
    system = SYSTEMS[name]
    tree, read = resolved(system.family.sections, [system.settings])
    switches, waiting = {}, set()
    for section in system.family.sections:
        if not section.switch:
            continue
        switch = section.settings()[section.switch].option(section.prefix)
        if not tree[section.key][section.switch]:
            switches[switch] = 0.1
            waiting |= {one.option(section.prefix) for one in section.settings().values()}
    switched_on, everything = resolved(system.family.sections, [system.settings, switches])
    for section in system.family.sections:
        # Such as the number of intents, until a contrast needs them.
        if section.key in switched_on.keys() - tree.keys():
            waiting |= {one.option(section.prefix) for one in section.settings().values()}
    assert set(system.settings) - read <= waiting
    assert set(system.settings) <= everything
