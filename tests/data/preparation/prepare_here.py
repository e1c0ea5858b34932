"""The command that prepares data, in this process, with its errors raised."""

from tf_iclrec import prepare


def run(*arguments):
    prepare.main(list(map(str, arguments)))
