"""ICLRec on Yelp: from the sequences to test figures and an exported model.

    python pipelines/yelp.py Yelp.txt

23 minutes on 2 cores; test NDCG@20 0.0343, HR@5 0.0312 (seed 0).
"""

from recipe import run

if __name__ == "__main__":
    run("yelp", epochs=8, num_members=3, hidden_dim=128)
