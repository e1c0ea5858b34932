import pytest

from tf_iclrec.explorer.explorer import Explorer

from .shop import shop_log, shop_run


@pytest.fixture(scope="session")
def log():
    return shop_log()


@pytest.fixture(scope="session")
def run(log):
    return shop_run(log)


@pytest.fixture(scope="session")
def explorer(run):
    return Explorer(run, "shop")
