"""ICLRec on Amazon's Beauty, as of the data set's sequence file.

python pipelines/beauty.py Beauty.txt [--items Beauty.tsv]
"""

from recipe import run

if __name__ == "__main__":
    run("beauty", epochs=12)
