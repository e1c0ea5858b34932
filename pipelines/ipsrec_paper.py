"""What the tables of IPSRec's paper (SIGIR 2022) share: the data sets, and its settings.

Its own data sets are used only where they are asked for: they can't be had without an account.
Where the paper scores an item by the item side alone (Eq. 5), the models here add the provider
side's score of its provider, and an item's vector has its provider's added.
"""

from iclrec_paper import BEAUTY, EMBEDDED, SPORTS, TOYS

from tf_iclrec.experiments import Dataset, Row

TMALL = Dataset(
    "Tmall",
    "tmall:tmall",
    source="It is a folder with the files of tianchi.aliyun.com/dataset/53.",
    optional=True,
)
TWITCH = Dataset(
    "Twitch",
    "twitch:twitch",
    source="It is a folder with the file of cseweb.ucsd.edu/~jmcauley/datasets.html#twitch.",
    optional=True,
)
WECHAT = Dataset(
    "WeChat",
    "wechat:wechat",
    source="It is a folder with the files of the Big Data Challenge 2021, algo.weixin.qq.com.",
    optional=True,
)
DATASETS = (EMBEDDED, BEAUTY, SPORTS, TOYS, TMALL, TWITCH, WECHAT)

# Sec. 3.3, for all models that have them; epochs and patience as in ICLRec's program
# (IPSRec's has 50 and 10).
TRAINING = {
    "hidden_dim": 64,
    "epochs": 300,
    "batch_size": 256,
    "learning_rate_schedule": "constant",
    "patience": 40,
}
# People come back to the same there; as in the paper's program, what they had can be recommended.
OWN_DATA = {
    name: {"max_length": length, "filter_seen": False}
    for name, length in (("Tmall", 20), ("Twitch", 50), ("WeChat", 100))
}
TRANSFORMER = TRAINING | {"num_blocks": 2, "relative_positions": False, "loss": "softmax"}
# Of the library's recipe, what IPSRec has otherwise.
IPSREC = TRANSFORMER | {
    "score_temperature": 0.0,
    "horizon": 1,
    "item_initialization": "random",
}


def ipsrec(model: str, label: str, contrast: bool = True) -> Row:
    """IPSRec with one stream or two."""
    weight = {"normalize_contrast": False} if contrast else {"provider_weight": 0.0}
    name = model if contrast else f"{model}_without_contrast"
    return Row(name, label, model, IPSREC | weight, OWN_DATA, items=True)


SASREC = Row("sasrec_published", "SASRec", "", TRANSFORMER, OWN_DATA, baseline=True)
GRU4REC = Row("gru4rec", "GRU4Rec", "", TRAINING, OWN_DATA, baseline=True)
# As RecBole has it, whose baselines the paper takes.
CASER = Row(
    "caser",
    "Caser",
    "",
    TRAINING | {"loss": "softmax", "dropout": 0.4, "num_vertical_filters": 8},
    OWN_DATA,
    baseline=True,
)
SR_GNN = Row("sr_gnn", "SR-GNN", "", TRAINING, OWN_DATA, baseline=True)
