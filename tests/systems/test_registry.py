import pytest

from tf_iclrec import SYSTEMS, make_config
from tf_iclrec.systems.registry import DEFAULT_SYSTEM


def test_the_default_is_one_of_them():
    assert make_config().model == DEFAULT_SYSTEM == "iclrec"
    assert DEFAULT_SYSTEM in SYSTEMS


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_system_is_kept_under_its_name_and_says_what_it_is(name):
    system = SYSTEMS[name]
    assert system.name == name
    assert system.summary
    assert "\n" not in system.summary
    assert system.paper


@pytest.mark.parametrize("name", SYSTEMS)
def test_the_settings_of_a_system_are_those_of_its_configuration(name):
    """But for those behind a switch that is off."""
    options = make_config(model=name).options()
    settings = {key: value for key, value in SYSTEMS[name].settings.items() if key in options}
    assert {key: options[key] for key in settings} == settings


@pytest.mark.parametrize("name", SYSTEMS)
def test_what_a_system_reads_is_known(name):
    system = SYSTEMS[name]
    reads = system.family.reads(system)
    assert reads[0] == "items"
    assert set(reads) <= {"items", "providers", "attributes", "users"}
    assert len(set(reads)) == len(reads)


def test_no_two_systems_are_the_same():
    configurations = {}
    for name in SYSTEMS:
        tree = make_config(model=name).to_dict()
        del tree["model"]
        assert str(tree) not in configurations, (name, configurations.get(str(tree)))
        configurations[str(tree)] = name
