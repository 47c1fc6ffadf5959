"""A count of what a service answers."""

from prometheus_client import Counter
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class CountedAnswers:
    """Counts the answers of one path by their status, whoever gives them."""

    def __init__(self, app: ASGIApp, path: str, counter: Counter) -> None:
        self.app, self.path, self.counter = app, path, counter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on, and count the answer where it begins."""

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.counter.labels(message["status"]).inc()
            await send(message)

        own = scope["type"] == "http" and scope["path"] == self.path
        try:
            await self.app(scope, receive, counted if own else send)
        except Exception:
            if own:
                self.counter.labels(500).inc()  # which is answered further out
            raise
