"""What is asked and what is answered over HTTP."""

from __future__ import annotations

from dataclasses import dataclass

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """`deadline` is a monotonic time in seconds. Headers named in `private` (lower case) are, as
    `Authorization` and `Cookie`, not sent to another origin that the server redirects to."""

    method: str
    url: str
    headers: Headers = ()
    body: bytes | None = None
    deadline: float = float("inf")
    private: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """`url` is the last one after redirects; `headers` in the order received, repeated ones
    too; `body` is decompressed."""

    status: int
    reason: str
    url: str
    headers: Headers
    body: bytes

    def header(self, name: str) -> str:
        """The first header of that name in any case, "" when there is none."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), "")

    def text(self) -> str:
        """The body as text: the charset that it declares, else UTF-8; never fails."""
        charset = "utf-8"
        for part in self.header("content-type").split(";")[1:]:
            key, _, value = part.strip().partition("=")
            if key.lower() == "charset":
                charset = value.strip("\"' ")
        try:
            return self.body.decode(charset, "replace")
        except LookupError:
            return self.body.decode("utf-8", "replace")
