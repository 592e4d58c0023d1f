"""What stands behind the dialects: applications that take long to load, by the prefix of their paths.

One rule: nothing of them is imported before the server listens. A factory is called once, in a thread: at the first
request that needs it, or by `warm` when the program has started.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping

from .http import App, Receive, Scope, Send

Factory = Callable[[], App]


class Beyond:
    """The ASGI application behind the dialects; what no prefix names goes to `fallback`.

    `routes`: prefix -> factory of the application below it, which sees whole paths. `hosts`: host name -> prefix that
    all paths of this host stand below that name nothing else.
    """

    def __init__(self, routes: Mapping[str, Factory], fallback: App, hosts: Mapping[str, str] | None = None) -> None:
        self._routes = sorted(routes.items(), key=lambda route: len(route[0]), reverse=True)
        self._fallback = fallback
        self._hosts = {host.lower(): prefix for host, prefix in (hosts or {}).items()}
        self._loading: dict[Factory, asyncio.Task[App]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        found = self._locate(scope) if scope["type"] == "http" else None
        app = self._fallback if found is None else await self._application(found)
        await app(scope, receive, send)

    async def warm(self, after: float = 0.5) -> None:
        """Load everything, `after` seconds from now: who has just started has better things to do."""
        await asyncio.sleep(after)
        for _, factory in self._routes:
            await self._application(factory)

    async def _application(self, factory: Factory) -> App:
        """Loaded once, however many ask; what failed is tried again by the next."""
        task = self._loading.get(factory)
        if task is None:
            task = self._loading[factory] = asyncio.create_task(asyncio.to_thread(factory))
        try:
            return await asyncio.shield(task)
        except Exception:
            self._loading.pop(factory, None)
            raise

    def _locate(self, scope: Scope) -> Factory | None:
        found = self._below(scope["path"])
        prefix = self._hosts.get(_host(scope)) if found is None and self._hosts else None
        if prefix is None:
            return found
        scope["path"] = prefix + scope["path"]
        scope["raw_path"] = scope["path"].encode()
        return self._below(scope["path"])

    def _below(self, path: str) -> Factory | None:
        return next((factory for prefix, factory in self._routes if _is_below(path, prefix)), None)


def _is_below(path: str, prefix: str) -> bool:
    return path.startswith(prefix) and (len(path) == len(prefix) or path[len(prefix)] == "/")


def _host(scope: Scope) -> str:
    host: str = next((value for name, value in scope["headers"] if name == b"host"), b"").decode("latin-1").lower()
    return re.sub(r":\d*$", "", host).rstrip(".")
