"""Fetching pages politely and safely: robots.txt (RFC 9309), limits of size and time, no addresses inside the bank.

Every host is resolved here and the connection goes to the address that was checked, so that a name cannot point elsewhere
in between; each redirect is checked anew. Knows nothing about what a page holds.
"""

import socket
import time
from collections.abc import Callable, Mapping
from ipaddress import ip_address
from typing import NamedTuple
from urllib.robotparser import RobotFileParser

import httpx

from openteller import __version__
from openteller.core.errors import BadInput, TooLarge, Unavailable

AGENT = f"OpenTeller/{__version__}"
MAX_BYTES = 5_000_000
_TIMEOUT, _WHOLE = 10.0, 30.0
_REDIRECTS = 5
_ROBOTS_SECONDS = 24 * 3_600.0
Resolve = Callable[[str, int], list[str]]


class Page(NamedTuple):
    """What came. `content` is empty with status 304."""

    status: int
    headers: Mapping[str, str]
    content: bytes


def resolved(host: str, port: int) -> list[str]:
    """The addresses of a host. Raises Unavailable when it has none."""
    try:
        return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except OSError as error:
        raise Unavailable(
            f"The host {host} is not found.", cause=str(error), next_step="Check the source's URL."
        ) from error


class Fetcher:
    """One client for all sources of feeds.

    Args:
        allow_private: addresses that are not public may be asked too.
        resolve: host and port → addresses.
        transport: carries requests; None: the network.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        *,
        allow_private: bool = False,
        resolve: Resolve = resolved,
        transport: httpx.BaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._private, self._resolve, self._clock = allow_private, resolve, clock
        self._client = httpx.Client(
            transport=transport,
            timeout=_TIMEOUT,
            headers={"User-Agent": AGENT},
            follow_redirects=False,
            trust_env=False,
        )
        self._robots: dict[str, tuple[float, RobotFileParser]] = {}

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> Page:
        """The page, whatever its status.

        Raises:
            BadInput: no http(s) URL, an address inside, or robots.txt does not let us.
            TooLarge: the page is over 5 MB.
            Unavailable: no answer in time, or redirects without end.
        """
        if not self._robots_of(httpx.URL(url)).can_fetch(AGENT, url):
            raise BadInput(
                f"The robots.txt of {httpx.URL(url).host} asks not to fetch this.",
                next_step="Ask its owner for a feed.",
            )
        return self._get(url, headers or {})

    def delay(self, url: str) -> float:
        """Seconds that the host wants between requests; 0 where it does not say."""
        return float(self._robots_of(httpx.URL(url)).crawl_delay(AGENT) or 0)

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()

    def _get(self, url: str, headers: Mapping[str, str]) -> Page:
        until = self._clock() + _WHOLE
        for _ in range(_REDIRECTS + 1):
            page, to = self._once(url, headers, until)
            if not to:
                return page
            url = str(httpx.URL(url).join(to))
        raise Unavailable(f"{httpx.URL(url).host} redirects without end.", next_step="Use the final URL of the feed.")

    def _once(self, url: str, headers: Mapping[str, str], until: float) -> tuple[Page, str]:
        target = httpx.URL(url)
        address = self._checked(target)
        pinned = target.copy_with(host=address)
        asked = {**headers, "Host": target.netloc.decode("ascii")}
        try:
            with self._client.stream("GET", pinned, headers=asked, extensions={"sni_hostname": target.host}) as answer:
                if answer.is_redirect:
                    return Page(answer.status_code, answer.headers, b""), answer.headers.get("location", "")
                return Page(answer.status_code, answer.headers, self._body(answer, target.host, until)), ""
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unavailable(
                f"{target.host} does not answer.", cause=str(error), next_step="It is asked again later."
            ) from error

    def _body(self, answer: httpx.Response, host: str, until: float) -> bytes:
        content = bytearray()
        for part in answer.iter_bytes():
            content += part
            if len(content) > MAX_BYTES:
                raise TooLarge(
                    f"The page of {host} is over {MAX_BYTES // 1_000_000} MB.", next_step="Ask for a smaller feed."
                )
            if self._clock() > until:
                raise Unavailable(f"{host} answers too slowly.", next_step="It is asked again later.")
        return bytes(content)

    def _checked(self, target: httpx.URL) -> str:
        """An address of the target's host that may be asked."""
        if target.scheme not in ("http", "https") or not target.host or target.userinfo:
            raise BadInput(
                "This is no address of a feed.", next_step="Write it like https://host/path, without a password."
            )
        port = target.port or (443 if target.scheme == "https" else 80)
        addresses = self._resolve(target.host, port)
        if not self._private and (inside := [one for one in addresses if not _is_public(one)]):
            raise BadInput(
                f"{target.host} is not on the public internet.",
                cause=f"It is at {inside[0]}.",
                next_step="If it is the bank's own, set OPENTELLER_OPINION_PRIVATE=1.",
            )
        return addresses[0]

    def _robots_of(self, target: httpx.URL) -> RobotFileParser:
        """The host's rules, read once a day. Without the file all is allowed, while its server fails nothing is."""
        root = f"{target.scheme}://{target.netloc.decode('ascii')}"
        until, rules = self._robots.get(root, (0.0, RobotFileParser()))
        if self._clock() < until:
            return rules
        page = self._get(f"{root}/robots.txt", {})
        if page.status >= 500 or page.status == 429:
            raise Unavailable(
                f"The robots.txt of {target.host} cannot be read.",
                cause=f"Status {page.status}.",
                next_step="It is asked again later.",
            )
        rules = RobotFileParser()
        rules.parse(page.content.decode("utf-8", "replace").splitlines() if page.status < 400 else [])
        self._robots[root] = (self._clock() + _ROBOTS_SECONDS, rules)
        return rules


def _is_public(address: str) -> bool:
    found = ip_address(address.partition("%")[0])
    mapped = getattr(found, "ipv4_mapped", None)
    return bool((mapped or found).is_global and not found.is_multicast)
