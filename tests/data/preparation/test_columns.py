import pytest

from tf_iclrec import UserError
from tf_iclrec.data.preparation.columns import Columns, choose_columns

# The headers of public logs of the field, and what is read of them.
PUBLIC = {
    "MovieLens": ("userId,movieId,rating,timestamp", "userId,movieId,timestamp"),
    "RecBole": ("user_id,item_id,rating,timestamp", "user_id,item_id,timestamp"),
    "Amazon 2014": (
        *("reviewerID,asin,reviewerName,helpful,reviewText,overall,summary,unixReviewTime",),
        "reviewerID,asin,unixReviewTime",
    ),
    "Amazon 2023": (
        "rating,title,asin,parent_asin,user_id,timestamp",
        "user_id,parent_asin,timestamp",
    ),
    "Yelp": ("review_id,user_id,business_id,stars,text,date", "user_id,business_id,date"),
    "Complete Journey": (
        *("household_id,store_id,product_id,quantity,transaction_timestamp",),
        "household_id,product_id,transaction_timestamp",
    ),
    "Retail Rocket": (
        "timestamp,visitorid,event,itemid,transactionid",
        "visitorid,itemid,timestamp",
    ),
    "MIND": ("User-ID,Article_ID,Created At", "User-ID,Article_ID,Created At"),
}


@pytest.mark.parametrize("name", PUBLIC)
def test_the_columns_of_public_logs_are_guessed(name):
    names, expected = (text.split(",") for text in PUBLIC[name])
    found = choose_columns(names, {}, "log.csv")
    assert list(found.read().values()) == expected


def test_the_own_names_come_first_and_case_does_not_count():
    names = ["user", "USER_ID", "item_id", "product", "time", "timestamp", "date"]
    assert choose_columns(names, {}, "log.csv") == Columns("USER_ID", "item_id", "timestamp")


@pytest.mark.parametrize(
    ("names", "given", "message"),
    [
        ("user,customer,item,time", {}, "Several columns look like the user, user, customer,"),
        (
            "user,item",
            {},
            "No column looks like the time in log.csv. Columns there are: user, item",
        ),
        ("user,item,time", {"item": "sku"}, "No column 'sku' in log.csv"),
        ("user,item,time", {"rating": "?"}, "No column looks like the rating in log.csv"),
        (
            "user,item,time",
            {"rating": "stars"},
            "Name yours with --rating-column, rename it to rating,",
        ),
    ],
)
def test_what_is_missing_or_not_clear_is_said(names, given, message):
    with pytest.raises(UserError) as caught:
        choose_columns(names.split(","), given, "log.csv")
    assert message in str(caught.value)


def test_names_that_are_given_count():
    names = ["user", "customer", "item", "time", "stars", "provider", "shop"]
    found = choose_columns(names, {"user": "customer", "rating": "?"}, "log.csv")
    assert found == Columns("customer", "item", "time", "stars", "provider")
    # A name of a provider that is not there may be one of the table of items.
    found = choose_columns(names, {"user": "user", "provider": "brand"}, "log.csv")
    assert (found.rating, found.provider) == ("", "")
