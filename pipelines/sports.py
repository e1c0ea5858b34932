"""ICLRec on Amazon's Sports and Outdoors, as of the data set's sequence file.

python pipelines/sports.py Sports_and_Outdoors.txt [--items Sports_and_Outdoors.tsv]
"""

from recipe import run

if __name__ == "__main__":
    run("sports", epochs=12)
