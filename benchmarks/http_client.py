"""A client that keeps its connection and knows only what benchmarks/serve.py sends."""

import asyncio


class Client:
    """A connection to a service that is kept."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, body: bytes) -> int:
        """Send a request to /score and return the status.

        Raises:
            OSError: when the service does not listen, or hangs up without an answer.

        """
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        head = "POST /score HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        try:
            answer = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            length = answer.partition("content-length: ")[2].split()
            await reader.readexactly(int(length[0]) if length else 0)
        except asyncio.IncompleteReadError as error:
            raise ConnectionResetError(len(error.partial)) from error
        if "connection: close" in answer or not length:  # of errors in pieces only the status
            self.close()
        return int(answer.split()[1])

    def close(self) -> None:
        """Hang up."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None
