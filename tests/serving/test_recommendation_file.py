import json

import numpy as np
import pandas as pd
import pytest

from tf_iclrec import BatchRecommender, UserError, recommend
from tf_iclrec.serving.recommendation_file import in_chunks, write_recommendations

from .conftest import built


@pytest.fixture(scope="module")
def recommender(served):
    return BatchRecommender(served.model, served.split)


class Counted:
    """A recommender that counts its calls, and fails at one of them."""

    def __init__(self, recommender, fail_at=None):
        self._recommender, self.calls, self._fail_at = recommender, 0, fail_at

    def __getattr__(self, name):
        return getattr(self._recommender, name)

    def recommend(self, *args):
        self.calls += 1
        if self.calls == self._fail_at:
            raise KeyboardInterrupt
        return self._recommender.recommend(*args)


def write(recommender, users, output, **kwargs):
    write_recommendations(recommender, in_chunks(users, 30), output, k=5, **kwargs)


def test_the_file_holds_what_recommend_returns(served, recommender, tmp_path):
    users = [*served.log.users, "nobody"]
    progress = []
    write(
        recommender,
        users,
        tmp_path / "recs.parquet",
        exclude=["4"],
        candidates=served.log.items.ids[:50].tolist(),
        on_progress=progress.append,
    )
    written = pd.read_parquet(tmp_path / "recs.parquet")
    expected = recommend(
        served.model,
        user_ids=users,
        split=served.split,
        k=5,
        exclude=["4"],
        candidates=served.log.items.ids[:50],
    )
    scores = written.pop("score"), expected.pop("score")
    np.testing.assert_allclose(*scores, rtol=1e-4, atol=1e-5)
    pd.testing.assert_frame_equal(written, expected)
    assert progress == [30, 60, 90, 101]
    assert [path.name for path in tmp_path.iterdir()] == ["recs.parquet"]


def test_an_interrupted_request_goes_on_where_it_was(served, recommender, tmp_path):
    output = tmp_path / "recs.parquet"
    broken = Counted(recommender, fail_at=3)
    with pytest.raises(KeyboardInterrupt):
        write(broken, served.log.users, output, request={"k": 5})
    assert not output.exists()
    again = Counted(recommender)
    write(again, served.log.users, output, request={"k": 5})
    assert again.calls == 2
    write(recommender, served.log.users, tmp_path / "at once.parquet")
    first, second = (pd.read_parquet(path) for path in (output, tmp_path / "at once.parquet"))
    pd.testing.assert_frame_equal(first, second)


def test_parts_of_another_request_are_not_used(served, recommender, tmp_path):
    output = tmp_path / "recs.parquet"
    with pytest.raises(KeyboardInterrupt):
        write(Counted(recommender, fail_at=3), served.log.users, output, request={"k": 4})
    again = Counted(recommender)
    write(again, served.log.users, output, request={"k": 5})
    assert again.calls == 4


def test_without_saying_what_is_asked_for_no_parts_are_used(served, recommender, tmp_path):
    output = tmp_path / "recs.parquet"
    with pytest.raises(KeyboardInterrupt):
        write(Counted(recommender, fail_at=3), served.log.users, output)
    again = Counted(recommender)
    write(again, served.log.users, output)
    assert again.calls == 4


def test_nobody_to_recommend_to(recommender, tmp_path):
    with pytest.raises(UserError, match="no user to recommend to"):
        write(recommender, [], tmp_path / "recs.parquet")
    assert not list(tmp_path.iterdir())


def test_an_existing_file_stays_until_the_new_one_is_whole(served, recommender, tmp_path):
    output = tmp_path / "recs.parquet"
    output.write_text(json.dumps("precious"))
    with pytest.raises(KeyboardInterrupt):
        write(Counted(recommender, fail_at=2), served.log.users, output)
    assert json.loads(output.read_text()) == "precious"


def test_users_of_the_training_data_get_what_their_own_vectors_say(log, split, tmp_path):
    model, users = built("bpr_mf", log), [*log.users[:7], "nobody"]
    chunks = in_chunks(users, 3)
    write_recommendations(BatchRecommender(model, split), chunks, tmp_path / "recs.parquet", k=5)
    written = pd.read_parquet(tmp_path / "recs.parquet")
    expected = recommend(model, user_ids=users, split=split, k=5)
    assert written["item_id"].tolist() == expected["item_id"].tolist()
    np.testing.assert_allclose(written["score"], expected["score"], rtol=1e-4)
    # By their histories alone it is another list.
    history = log.items.decode(log.item_ids[: log.offsets[1]]).tolist()
    alone = recommend(model, [history], split=split, k=5)
    assert written["item_id"][:5].tolist() != alone["item_id"].tolist()
