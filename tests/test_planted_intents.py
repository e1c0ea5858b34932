"""Intents that are known are found, and help: the method as a whole, on a planted log."""

import importlib.util
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent / "benchmarks" / "planted_intents.py"


@pytest.fixture(scope="module")
def benchmark():
    specification = importlib.util.spec_from_file_location("planted_intents", SCRIPT)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_planted_intents_are_found_and_help(benchmark):
    """More seeds: `python benchmarks/planted_intents.py`."""
    _, without = benchmark.train(0, intent_weight=0.0)
    agreement, with_intents = benchmark.train(0, intent_weight=0.3)
    assert agreement > 0.8
    assert with_intents["NDCG@20"] > without["NDCG@20"]
