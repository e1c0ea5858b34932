"""ICLRec on Yelp: from the sequences to test figures and an exported model.

    python pipelines/yelp.py Yelp.txt

The settings that did best on Beauty; not measured yet.
"""

from recipe import run

if __name__ == "__main__":
    run("yelp", epochs=8)
