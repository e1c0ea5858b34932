"""ICLRec on Amazon's Sports and Outdoors: from the sequences to test figures and an exported model.

    python pipelines/sports.py Sports_and_Outdoors.txt [--items Sports_and_Outdoors.tsv]

Some 16 minutes on 2 cores; test NDCG@20 0.0452, HR@5 0.0453 (seed 0).
With brands and categories 0.0481 and 0.0495 (seed 0), 18 minutes.
"""

from recipe import run

if __name__ == "__main__":
    four = {"num_members": 4, "hidden_dim": 128, "spectral_members": 2, "epochs": 9}
    run("sports", epochs=10, with_items=four)
