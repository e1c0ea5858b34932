"""The page on this machine's loopback address, which other machines do not reach."""

import socket

import uvicorn

from tf_iclrec.errors import UserError
from tf_iclrec.explorer.app import explorer_app
from tf_iclrec.explorer.explorer import Explorer

LOOPBACK = "127.0.0.1"


def listening(port: int) -> socket.socket:
    """A socket that takes connections; those that come before the server runs wait for it.

    Args:
        port: Its number, or 0 for one that is free.

    Raises:
        UserError: If the port can't be used.
    """
    # The protocol must be said: only then does asyncio send short answers without waiting for the
    # other side's acknowledgement, which takes 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((LOOPBACK, port))
        listener.listen()
    except (OSError, OverflowError) as error:
        listener.close()
        raise UserError(f"Port {port} can't be used ({error}). Choose another --port.") from error
    return listener


def server_of(explorer: Explorer) -> uvicorn.Server:
    """What answers on such a socket: ``server_of(explorer).run(sockets=[listener])``."""
    return uvicorn.Server(uvicorn.Config(explorer_app(explorer), log_level="warning", ws="none"))
