"""ICLRec on Amazon's Sports and Outdoors: from the sequences to test figures and an exported model.

    python pipelines/sports.py Sports_and_Outdoors.txt [--items Sports_and_Outdoors.tsv]

18 minutes on 2 cores; test NDCG@20 0.0437, HR@5 0.0446 (seed 0).
With brands and categories 0.0481 and 0.0495 (seed 0), 18 minutes on faster cores.
"""

from recipe import run

if __name__ == "__main__":
    run(
        "sports",
        epochs=8,
        num_members=3,
        hidden_dim=128,
        with_items={"num_members": 4, "spectral_members": 2, "epochs": 9},
    )
