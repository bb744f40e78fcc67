"""Polite and safe: robots.txt, ETags, limits, and no way to an address inside the bank."""

import httpx
import pytest

from openteller.core.errors import BadInput, OpenTellerError, TooLarge, Unavailable
from openteller.insights.opinion.sources.feeds import FeedSource
from openteller.insights.opinion.sources.fetching import MAX_BYTES, Fetcher
from openteller.insights.opinion.watching import backoff

PUBLIC = "93.184.216.34"
RSS = "<rss><channel><item><title>one</title><guid>1</guid></item></channel></rss>"


class Web:
    """A web of pages by path, which remembers what it was asked."""

    def __init__(self, **pages: httpx.Response) -> None:
        self.pages, self.asked = pages, list[httpx.Request]()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        return self.pages.get(request.url.path.strip("/").replace(".txt", ""), httpx.Response(404))

    def fetcher(self, address: str = PUBLIC, *, allow_private: bool = False) -> Fetcher:
        transport = httpx.MockTransport(self)
        return Fetcher(resolve=lambda *_: [address], transport=transport, allow_private=allow_private)


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "fd00::1", "::ffff:10.0.0.1", "0.0.0.0", "100.64.0.1"],
)
def test_no_address_inside_is_asked_unless_it_is_allowed(address: str) -> None:
    web = Web(feed=httpx.Response(200, text=RSS))
    with pytest.raises(BadInput, match="not on the public internet"):
        web.fetcher(address).get("http://news.example/feed")
    assert web.asked == []
    assert web.fetcher(address, allow_private=True).get("http://news.example/feed").status == 200


def test_the_checked_address_is_asked_under_the_hosts_name() -> None:
    web = Web(feed=httpx.Response(200, text=RSS))
    web.fetcher().get("https://news.example/feed")
    assert {(one.url.host, one.headers["host"], one.extensions["sni_hostname"]) for one in web.asked} == {
        (PUBLIC, "news.example", "news.example")
    }
    assert all("OpenTeller" in one.headers["user-agent"] for one in web.asked)


def test_a_redirect_inside_is_not_followed() -> None:
    web = Web(feed=httpx.Response(302, headers={"Location": "http://inside.example/secret"}))
    addresses = {"news.example": PUBLIC, "inside.example": "10.0.0.1"}
    fetcher = Fetcher(resolve=lambda host, _: [addresses[host]], transport=httpx.MockTransport(web))
    with pytest.raises(BadInput, match=r"inside\.example is not on the public"):
        fetcher.get("https://news.example/feed")


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://news.example/x", "http://user:word@news.example/", "https://"]
)
def test_what_is_no_feeds_address_is_refused(url: str) -> None:
    with pytest.raises(OpenTellerError):
        Web().fetcher().get(url)


def test_robots_are_asked_once_and_heeded() -> None:
    rules = "User-agent: *\nDisallow: /private\nCrawl-delay: 90"
    web = Web(robots=httpx.Response(200, text=rules), feed=httpx.Response(200, text=RSS))
    fetcher = web.fetcher()
    assert FeedSource("s", "https://news.example/feed", fetcher).fetch({}, 10).wait == 90
    with pytest.raises(BadInput, match=r"robots\.txt"):
        fetcher.get("https://news.example/private/feed")
    assert sum(one.url.path == "/robots.txt" for one in web.asked) == 1
    with pytest.raises(Unavailable):
        Web(robots=httpx.Response(500)).fetcher().get("https://news.example/feed")


def test_what_did_not_change_is_not_sent_again() -> None:
    web = Web(
        feed=httpx.Response(200, text=RSS, headers={"ETag": '"7"', "Last-Modified": "Mon, 02 Mar 2026 04:00:00 GMT"})
    )
    source = FeedSource("s", "https://news.example/feed", web.fetcher())
    cursor = source.fetch({}, 10).cursor
    web.pages["feed"] = httpx.Response(304)
    again = source.fetch(cursor, 10)
    assert (again.items, again.cursor) == ((), cursor)
    assert web.asked[-1].headers["if-none-match"] == '"7"'
    assert web.asked[-1].headers["if-modified-since"] == "Mon, 02 Mar 2026 04:00:00 GMT"


def test_a_host_that_asks_to_wait_is_not_asked_before() -> None:
    source = FeedSource(
        "s", "https://news.example/feed", Web(feed=httpx.Response(429, headers={"Retry-After": "1800"})).fetcher()
    )
    batch = source.fetch({"etag": "x"}, 10)
    assert (batch.wait, batch.cursor) == (1800, {"etag": "x"})
    with pytest.raises(Unavailable):
        FeedSource("s", "https://news.example/feed", Web(feed=httpx.Response(502)).fetcher()).fetch({}, 10)
    with pytest.raises(BadInput):
        FeedSource("s", "https://news.example/feed", Web(feed=httpx.Response(410)).fetcher()).fetch({}, 10)


def test_too_much_endless_and_no_answer() -> None:
    with pytest.raises(TooLarge):
        Web(feed=httpx.Response(200, content=b"x" * (MAX_BYTES + 1))).fetcher().get("https://news.example/feed")
    with pytest.raises(Unavailable, match="without end"):
        Web(feed=httpx.Response(302, headers={"Location": "/feed"})).fetcher().get("https://news.example/feed")

    def silent(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectTimeout("no answer")

    with pytest.raises(Unavailable, match="does not answer"):
        Fetcher(resolve=lambda *_: [PUBLIC], transport=httpx.MockTransport(silent)).get("https://news.example/feed")


@pytest.mark.parametrize(
    "page",
    [
        "no xml",
        '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><rss><channel><item><title>&b;</title></item></channel></rss>',
        '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><rss><channel><item><title>&a;</title></item></channel></rss>',
    ],
)
def test_what_is_no_feed_or_a_trap_says_so(page: str) -> None:
    with pytest.raises(BadInput, match="no feed"):
        FeedSource("s", "https://news.example/feed", Web(feed=httpx.Response(200, text=page)).fetcher()).fetch({}, 10)


def test_failures_double_the_wait_up_to_an_hour() -> None:
    assert [backoff(n, lambda: 0.0) for n in (1, 2, 3, 20)] == [30, 60, 120, 3600]
    assert backoff(1, lambda: 1.0) == 15
