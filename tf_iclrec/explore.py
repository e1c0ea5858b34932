"""Try a finished run in the browser: ``python -m tf_iclrec.explore RUN``."""

import threading
import webbrowser
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from tf_iclrec.commands import Parser, add_import, add_item_table, run_command, with_item_table
from tf_iclrec.errors import UserError
from tf_iclrec.explorer.explorer import Explorer
from tf_iclrec.runs import load_run


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse arguments, load the run and serve its page until Ctrl-C."""
    parser = Parser(
        prog="python -m tf_iclrec.explore",
        description="A page, on this machine alone, to try a finished run: histories, "
        "recommendations, intents and similar items. Nothing is written.",
    )
    parser.add_argument("run", metavar="RUN", help="run directory")
    parser.add_argument(
        "--port", type=int, default=8000, help="0: one that is free (default: 8000)"
    )
    parser.add_argument("--no-browser", action="store_true", help="only say the address")
    add_item_table(parser)
    add_import(parser)
    values = parser.parse(arguments)
    server = _server()
    with server.listening(values.port) as listener:
        run = with_item_table(load_run(values.run, for_serving=True), values)
        explorer = Explorer(run, Path(values.run).resolve().name)
        explorer.warm_up()
        host, port = listener.getsockname()
        address = f"http://{host}:{port}"
        print(f"Open {address} (Ctrl-C ends it)", flush=True)
        if not values.no_browser:
            # Some browsers run in the terminal, and return when they are closed.
            threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
        server.server_of(explorer).run(sockets=[listener])


def _server() -> ModuleType:
    try:
        from tf_iclrec.explorer import server
    except ImportError as error:
        raise UserError(
            "The page needs Starlette and uvicorn: pip install 'tf_iclrec[explore]'."
        ) from error
    return server


if __name__ == "__main__":
    run_command(main, "The page is closed; nothing was written.")
