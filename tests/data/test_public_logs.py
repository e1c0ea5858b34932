"""Logs in the formats in which they are published; the files are the test's own."""

import json

import numpy as np
import pytest

from tf_iclrec import UserError, load_interactions
from tf_iclrec.data.prepared import read_prepared

from ..command_line import refused, run_here

DAY = 86_400_000_000
IJCAI_16 = """\
use_ID,sel_ID,ite_ID,cat_ID,act_ID,time
1980536,9666,1178614,40,0,20150826
1980536,9666,1178614,40,1,20150827
1980536,1487,2085681,35,1,20150701
3587,,2085681,35,1,20151130
3587,1487,1178614,40,1,20151130
"""
IJCAI_15 = """\
user_id,item_id,cat_id,seller_id,brand_id,time_stamp,action_type
328862,323294,833,2882,2661.0,829,0
328862,844400,1271,2882,2661.0,829,2
328862,575153,1271,2882,2661.0,1111,2
234512,996875,1023,1253,1049.0,1018,2
234512,844400,1271,2882,,511,3
"""
TWITCH = """\
1,33842865744,mithrain,154,156
1,33846768288,alptv,166,169
1,33886469056,mithrain,587,588
2,34169481232,chal,3063,3064
2,33842865744,mithrain,155,160
"""
ACTIONS = """\
userid,feedid,date_,device,read_comment,comment,like,play,stay,click_avatar,forward,follow,favorite
8,71474,1,1,0,0,1,500,5366,0,0,0,0
8,73916,14,1,0,0,0,250,1533,0,0,0,0
8,50282,1,1,0,0,0,750,1302,0,0,0,0
23,71474,9,2,0,0,0,3617,1011,0,0,0,0
"""
FEEDS = """\
feedid,authorid,videoplayseconds,description,ocr,asr,bgm_song_id,bgm_singer_id,\
manual_keyword_list,machine_keyword_list,manual_tag_list,machine_tag_list,\
description_char,ocr_char,asr_char
71474,1528,9,150 151 154,2 9,,,,18;3,18,11 0.9;3 0.1,,1 2,,
73916,1528,10,,,,12.0,4.0,,,,,,,
50282,297,25,"7, 8",,,,,,,,,,,
"""
FLAGS = "|0|0|0|1|1|1|0|0|0|0|0|0|0|0|0|0|0|0|0"
# By release the files, the separator of Latin-1 and what is quoted.
MOVIELENS = {
    "100k": {
        "u.data": "196\t1\t5\t881250949\n196\t2\t3\t881250940\n22\t1\t1\t878887116\n",
        "u.item": f"1|Toy Story (1995)|01-Jan-1995||http://us.imdb.com{FLAGS}\n"
        f"2|Misérables, Les (1995)|01-Jan-1995||http{'|0' * 19}\n",
    },
    "1m": {
        "ratings.dat": "196::1::5::881250949\n196::2::3::881250940\n22::1::1::878887116\n",
        "movies.dat": "1::Toy Story (1995)::Animation|Children's|Comedy\n"
        "2::Misérables, Les (1995)::(no genres listed)\n",
    },
    "latest": {
        "ratings.csv": "userId,movieId,rating,timestamp\n196,1,5.0,881250949\n"
        "196,2,3.0,881250940\n22,1,0.5,878887116\n",
        "movies.csv": "movieId,title,genres\n1,Toy Story (1995),Animation|Children's|Comedy\n"
        '2,"Misérables, Les (1995)",(no genres listed)\n',
    },
}
NAMES = {
    "tmall": {"ijcai2016_taobao.csv": IJCAI_16},
    "tmall 2015": {"user_log_format1.csv": IJCAI_15},
    "twitch": {"100k_a.csv": TWITCH},
    "wechat": {"user_action.csv": ACTIONS, "feed_info.csv": FEEDS},
}


@pytest.fixture
def published(tmp_path):
    """A function that writes a log as it is downloaded and gives the folder."""

    def write(name):
        for file, text in NAMES[name].items():
            (tmp_path / file).write_text(text)
        return tmp_path

    return write


def day(text):
    return np.datetime64(text, "us").astype(int)


# By user the item, the provider and the time of each interaction.
EXPECTED = {
    "tmall": {
        "1980536": [
            ("2085681", "1487", day("2015-07-01")),
            ("1178614", "9666", day("2015-08-27")),
        ],
        # That of the item where the row has none.
        "3587": [("2085681", "1487", day("2015-11-30")), ("1178614", "1487", day("2015-11-30"))],
    },
    "tmall 2015": {
        "328862": [("844400", "2882", day("2014-08-29")), ("575153", "2882", day("2014-11-11"))],
        "234512": [("996875", "1253", day("2014-10-18"))],
    },
    "twitch": {
        "1": [
            ("33842865744", "mithrain", 154 * 600_000_000),
            ("33846768288", "alptv", 166 * 600_000_000),
            ("33886469056", "mithrain", 587 * 600_000_000),
        ],
        "2": [
            ("33842865744", "mithrain", 155 * 600_000_000),
            ("34169481232", "chal", 3063 * 600_000_000),
        ],
    },
    "wechat": {
        "8": [("71474", "1528", DAY), ("50282", "297", DAY), ("73916", "1528", 14 * DAY)],
        "23": [("71474", "1528", 9 * DAY)],
    },
}


def rows_of(log):
    providers = np.concatenate([["", "", ""], log.providers.vocabulary.ids])[log.provider_ids]
    items = log.items.decode(log.item_ids)
    rows = list(zip(items.tolist(), providers.tolist(), log.times.tolist(), strict=True))
    return {
        user: rows[start:end]
        for user, start, end in zip(log.users, log.offsets, log.offsets[1:], strict=False)
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_published_log_is_read_as_it_is(name, published):
    log = load_interactions(f"{name.split()[0]}:{published(name)}")
    assert rows_of(log) == EXPECTED[name]


def test_it_is_prepared_once_and_selected_from_as_other_logs_are(published):
    folder = published("wechat")
    source, output = folder / "user_action.csv", folder / "prepared"
    arguments = ("prepare", "--data", f"wechat:{source}", "--output", output)
    arguments = (*arguments, "--min-user-count", 2)
    result = run_here(*arguments)
    assert result.returncode == 0, result.stderr
    assert "Data: 1 users, 3 items, 3 interactions" in result.stdout
    assert rows_of(read_prepared(output)) == {"8": EXPECTED["wechat"]["8"]}
    metadata = json.loads((output / "metadata.json").read_text())
    assert metadata["sources"][0]["name"] == str(source)
    assert "Nothing to do" in run_here(*arguments).stdout


@pytest.mark.parametrize("release", MOVIELENS)
def test_releases_of_movielens_have_titles_genres_and_ratings(release, tmp_path):
    for name, text in MOVIELENS[release].items():
        (tmp_path / name).write_bytes(text.encode("utf-8" if name.endswith("csv") else "latin-1"))
    log = load_interactions(f"movielens:{tmp_path}")
    assert log.users.tolist() == ["22", "196"]
    assert log.items.decode(log.item_ids).tolist() == ["1", "2", "1"]
    assert log.ratings[1:].tolist() == [3, 5]
    assert log.times[-1] == 881250949_000_000
    shown = {
        name: {one: label.value_of(log.items.encode([one])[0]) for one in log.items.ids}
        for name, label in log.labels.items()
    }
    assert shown == {
        "title": {"1": "Toy Story (1995)", "2": "Misérables, Les (1995)"},
        "genres": {"1": "Animation, Children's, Comedy", "2": ""},
    }
    rated = load_interactions(f"movielens:{tmp_path}", min_rating=4)
    assert rated.users.tolist() == ["196"]
    assert rated.num_actions == 1


def test_movielens_without_films_and_with_strange_ones(tmp_path):
    file = tmp_path / "ratings.dat"
    file.write_text(MOVIELENS["1m"]["ratings.dat"])
    assert not load_interactions(f"movielens:{file}").labels
    (tmp_path / "movies.dat").write_text("1::Toy Story (1995)::Comedy\n2::Heat (1995)\n")
    with pytest.raises(UserError, match=r"movies\.dat, line 2 has 2 cells, not 3\."):
        load_interactions(f"movielens:{file}")
    (tmp_path / "movies.dat").unlink()
    file.write_text(MOVIELENS["1m"]["ratings.dat"] + "7::1::5\n")
    with pytest.raises(UserError, match=r"ratings\.dat, line 4 has 3 cells, not 4\."):
        load_interactions(f"movielens:{file}")
    (tmp_path / "mine.csv").write_text("1,2,3,4\n")
    with pytest.raises(UserError, match=r"no log of MovieLens, which is called ratings\.csv or"):
        load_interactions(f"movielens:{tmp_path / 'mine.csv'}")


def test_what_is_missing_is_named_with_where_it_is_from(tmp_path):
    for kind, message in {
        "movielens": "no file ratings.csv or ratings.dat or u.data. It is from https://grouplens",
        "tmall": "no file ijcai2016_taobao.csv or user_log_format1.csv. It is from https://tianchi",
        "twitch": "no file 100k_a.csv or full_a.csv or full_a.csv.gz. It is from https://cseweb",
        "wechat": "no file user_action.csv. It is from https://algo.weixin.qq.com",
    }.items():
        refused(message, "prepare", "--data", f"{kind}:{tmp_path}", "--output", tmp_path / "out")
    (tmp_path / "user_action.csv").write_text(ACTIONS)
    with pytest.raises(UserError, match=r"has no file feed_info\.csv\. It is from"):
        load_interactions(f"wechat:{tmp_path}")
    with pytest.raises(UserError, match=r"No such file or folder: nowhere\. Give tmall: and a"):
        load_interactions("tmall:nowhere")
    with pytest.raises(UserError, match=r"No such file or folder: twitch:\."):
        load_interactions("twitch:")
    with pytest.raises(UserError, match="known by name are read alone"):
        load_interactions([f"wechat:{tmp_path}", tmp_path / "user_action.csv"])


@pytest.mark.parametrize(
    ("kind", "name", "text", "message"),
    [
        ("tmall", "ijcai2016_taobao.csv", "a,b\n1,2\n", "has the columns a, b; a log of Tmall has"),
        ("tmall", "ijcai2016_taobao.csv", "", r"ijcai2016_taobao\.csv can't be read: Empty CSV"),
        ("tmall", "ijcai2016_taobao.csv", IJCAI_16 + "1,2,3\n", "can't be read: .*Expected 6 col"),
        ("tmall", "ijcai2016_taobao.csv", IJCAI_16 + "1,2,3,4,1,20151301\n", "parse .*20151301"),
        ("twitch", "100k_a.csv", "user,item\n1,2\n", "has 2 columns, not the 5 that are named"),
        ("wechat", "user_action.csv", "user,item\n1,2\n", "No column 'userid' in .*user_action"),
    ],
)
def test_another_format_is_refused(kind, name, text, message, tmp_path):
    (tmp_path / "feed_info.csv").write_text(FEEDS)
    (tmp_path / name).write_text(text)
    with pytest.raises(UserError, match=message):
        load_interactions(f"{kind}:{tmp_path}")
