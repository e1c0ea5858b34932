"""ICLRec on Amazon's Sports and Outdoors: from the sequences to test figures and an exported model.

    python pipelines/sports.py Sports_and_Outdoors.txt [--items Sports_and_Outdoors.tsv]

18 minutes on 2 cores; test NDCG@20 0.0437, HR@5 0.0446 (seed 0).
With brands 0.0468 and 0.0471 (seed 0), 42 minutes.
"""

from recipe import run

if __name__ == "__main__":
    run("sports", epochs=8, with_items={"num_members": 4, "spectral_members": 2, "epochs": 9})
