"""ICLRec on Yelp, as of the data set's sequence file.

python pipelines/yelp.py Yelp.txt [--items Yelp.tsv]
"""

from recipe import run

if __name__ == "__main__":
    run("yelp", epochs=12)
