"""The page's server: what `Explorer` answers, as JSON, to this machine alone."""

import asyncio
import contextlib
import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import resources

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tf_iclrec.errors import UserError
from tf_iclrec.explorer.explorer import Explorer
from tf_iclrec.explorer.requests import parse_request
from tf_iclrec.reports.style import BASICS

# The page runs and loads nothing but what comes from here, and no other page can frame or read it.
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
_REFUSED = "A page elsewhere asks: only this machine's own page is answered."
# A page elsewhere whose name was made to lead here (DNS rebinding) sends a name of its own.
_HOSTS = ["127.0.0.1", "localhost"]
_MEDIA_TYPES = {
    "html": "text/html",
    "js": "text/javascript",
    "css": "text/css",
    "svg": "image/svg+xml",
}


def explorer_app(explorer: Explorer) -> Starlette:
    """The page in which people try a run, as an ASGI application.

    ``/`` is the page. It reads ``GET /api/run``, ``GET /api/items?q=``, ``GET /api/users?q=``,
    ``GET /api/some-user``, ``GET /api/values?name=&q=``, ``GET /api/similar?item=``,
    ``GET /api/intents``, ``GET /api/intent?id=`` and ``POST /api/recommend``, whose JSON is that of
    the methods of `Explorer` and `IntentCards`. Bad input gets the status 400 and a sentence as
    ``error``; a request under another name than this machine's is refused, and so is one from a
    page elsewhere.

    Args:
        explorer: Answers about a run.
    """
    # One after the other: TensorFlow has all cores for each answer, and the page waits for one.
    worker = ThreadPoolExecutor(max_workers=1)

    async def answered(ask: Callable[[], object]) -> Response:
        return JSONResponse(await asyncio.get_running_loop().run_in_executor(worker, ask))

    def asked_with(ask: Callable[..., object], *parameters: str) -> Callable:
        async def answer(request: Request) -> Response:
            values = [request.query_params.get(parameter, "") for parameter in parameters]
            return await answered(functools.partial(ask, *values))

        return answer

    async def recommend(request: Request) -> Response:
        asked = parse_request(await request.body())
        return await answered(functools.partial(explorer.recommend, **asked))

    async def refuse(request: Request, error: Exception) -> Response:
        return JSONResponse({"error": str(error)}, status_code=400)

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette):
        yield
        worker.shutdown()

    return Starlette(
        routes=[
            *_page(),
            Route("/api/run", asked_with(explorer.facts)),
            Route("/api/items", asked_with(explorer.find_items, "q")),
            Route("/api/users", asked_with(explorer.find_users, "q")),
            Route("/api/some-user", asked_with(explorer.some_user)),
            Route("/api/values", asked_with(explorer.find_values, "name", "q")),
            Route("/api/similar", asked_with(explorer.similar, "item")),
            Route("/api/intents", asked_with(explorer.intents.overview)),
            Route("/api/intent", asked_with(explorer.intents.card, "id")),
            Route("/api/recommend", recommend, methods=["POST"]),
        ],
        middleware=[
            Middleware(_with_headers),
            Middleware(TrustedHostMiddleware, allowed_hosts=_HOSTS, www_redirect=False),
            Middleware(_for_own_page),
        ],
        exception_handlers={UserError: refuse},
        lifespan=lifespan,
    )


def _page() -> list[Route]:
    """The files of the page, and the look of all pages of the library as ``/style.css``."""
    contents = {"style.css": BASICS.encode()}
    for path in (resources.files(__package__) / "page").iterdir():
        contents[path.name] = path.read_bytes()

    def route(name: str, content: bytes) -> Route:
        media_type = _MEDIA_TYPES[name.rpartition(".")[2]]

        async def answer(request: Request) -> Response:
            return Response(content, media_type=media_type)

        return Route("/" if name == "index.html" else f"/{name}", answer)

    return [route(*one) for one in contents.items()]


def _for_own_page(app: Callable) -> Callable:
    """An ASGI application that answers no page elsewhere: none could read an answer, but any could
    keep this machine at work. Links to the page itself may stand anywhere."""

    async def answer(scope, receive, send):
        if scope["type"] == "http" and scope["path"].startswith("/api/"):
            headers = Headers(scope=scope)
            own = f"http://{headers.get('host')}"
            is_foreign = headers.get("sec-fetch-site") == "cross-site"
            if is_foreign or headers.get("origin", own) != own:
                refuse = JSONResponse({"error": _REFUSED}, status_code=403)
                return await refuse(scope, receive, send)
        return await app(scope, receive, send)

    return answer


def _with_headers(app: Callable) -> Callable:
    """An ASGI application whose answers carry `_HEADERS`."""
    headers = [(name.lower().encode(), value.encode()) for name, value in _HEADERS.items()]

    async def answer(scope, receive, send):
        async def send_with(message):
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *headers]}
            await send(message)

        await app(scope, receive, send_with)

    return answer
