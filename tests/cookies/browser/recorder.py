"""Take the steps of a case in a browser, and note what it decides (`record.py` has the form)."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any, Final

from tests.cookies.browser.cdp import Browser
from tests.cookies.browser.shapes import Step, filled, shortened
from tests.cookies.browser.site import Answer, Sites

_PARTS: Final = {
    "fetch": "fetch({url}, {{method: {method}, credentials: 'include'}}).then(r => r.text()).catch(() => '')",
    "img": "new Promise(r => {{const i = new Image(); i.onload = i.onerror = () => r(''); i.src = {url};}})",
    "iframe": "new Promise(r => {{const f = document.createElement('iframe'); f.onload = () => r('');"
    " f.src = {url}; document.body.append(f);}})",
    "js": "{{const read = document.cookie; for (const line of {lines}) document.cookie = line; read}}",
}
"""What a page does so that a request begins; the value is awaited."""

_LEAVING: Final = {
    "link": "const a = document.createElement('a'); a.href = {url}; document.body.append(a); a.click(); ''",
    "post": "const f = document.createElement('form'); f.method = 'post'; f.action = {url};"
    " document.body.append(f); f.submit(); ''",
}
_IN_FRAME: Final = (
    "new Promise(r => {{const c = new MessageChannel(); c.port1.onmessage = e => r(e.data);"
    " {frame}.postMessage({code}, '*', [c.port2]);}})"
)


Lifetimes = dict[tuple[str, ...], tuple[float, int]]
"""What makes a cookie this one: (when it expires, Unix time; how long it lives, seconds)."""


class Recorder:
    """One browser, one page in it, and the sites that it sees."""

    def __init__(self, browser: Browser, sites: Sites) -> None:
        self._browser = browser
        self._sites = sites
        target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self._session: str = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        browser.watch(self._session)
        browser.call("Page.enable", self._session)
        browser.call("Page.setLifecycleEventsEnabled", self._session, enabled=True)
        self._page = ""
        self._frames: dict[str, str] = {}
        self._kept: list[dict[str, Any]] = []
        self._answered_s = 0.0
        self.lifetimes: Lifetimes = {}
        """What is known of the cookies that expire."""

    def begin(self, page: str) -> None:
        """Empty the store and be on this page; "": on any, for what is typed in owes nothing to it."""
        self._sites.answers.clear()
        if page and (page != self._page or self._frames):
            self._requests([Step(page)])
        self._browser.call("Storage.clearCookies")
        self._kept = []
        self.lifetimes.clear()

    def steps(self, steps: Sequence[Step], site: str = "") -> list[dict[str, Any]]:
        """Take these steps; give what is recorded of each. `site`: whose cookies alone are looked at."""
        recorded: list[dict[str, Any]] = []
        rest = list(steps)
        while rest:
            hops = [rest.pop(0)]
            while rest and rest[0].via == "redirect":
                hops.append(rest.pop(0))
            recorded += self._script(hops[0]) if hops[0].via == "js" else self._requests(hops)
            kept = self._store(site)
            if kept != self._kept:
                recorded[-1]["store"] = self._kept = kept
        return recorded

    def _script(self, step: Step) -> list[dict[str, Any]]:
        code = _PARTS["js"].format(lines=json.dumps([filled(line, time.time()).decode() for line in step.lines]))
        self._answered_s = time.time()
        read = self._evaluate(code, step.frame)
        said = self._said(step) | {"document_cookie": shortened(read)}
        return [said | {"document_cookie_set": list(step.lines)} if step.lines else said]

    def _requests(self, hops: Sequence[Step]) -> list[dict[str, Any]]:
        browser = self._browser
        self._answer(hops)
        del browser.events[:]
        said = [self._said(step) for step in hops]  # before the page is another
        self._begin(hops[0])
        browser.wait(lambda: self._request_id(hops[0].url) != "", f"a request for {hops[0].url}")
        number = self._request_id(hops[0].url)
        browser.wait(lambda: self._complete(number, hops), f"all of {[step.url for step in hops]}")
        sent = self._heard("Network.requestWillBeSentExtraInfo", number)
        received = self._heard("Network.responseReceivedExtraInfo", number)
        if hops[0].via == "iframe":
            above = self._frames[hops[0].frame] if hops[0].frame else "window"
            inside = sum(accessor.rpartition(".")[0] == above for accessor in self._frames.values())
            self._frames[hops[-1].url] = f"{above}.frames[{inside}]"
        elif hops[0].via in ("navigate", *_LEAVING):
            self._page, self._frames = hops[-1].url, {}
        for at, record in enumerate(said):
            blocked = received[at]["blockedCookies"] if at < len(received) else []
            if blocked:
                record["blocked"] = [
                    {"line": shortened(one["cookieLine"]), "reasons": one["blockedReasons"]} for one in blocked
                ]
            record["sent"] = [[_candidate(one) for one in sent[at]["associatedCookies"]]]
            record["wire"] = [
                {
                    "scheme": arrival.scheme,
                    "method": arrival.method,
                    "host": arrival.host,
                    "path": arrival.target,
                    "cookie": [shortened(cookie.decode("latin-1")) for cookie in arrival.cookies],
                }
                for arrival in self._sites.arrivals[at : at + 1]
            ]
        if len(self._sites.arrivals) != len(hops):
            raise RuntimeError(f"{[step.url for step in hops]}: the sites received {self._sites.arrivals}")
        self._answered_s = self._sites.arrivals[-1].at_s
        for failed in self._heard("Network.loadingFailed", number):
            said[-1]["failed"] = failed["errorText"]
        return said

    def _answer(self, hops: Sequence[Step]) -> None:
        self._sites.arrivals.clear()
        self._sites.answers.clear()
        for step, following in zip(hops, [*hops[1:], None], strict=True):
            self._sites.answers[step.url] = Answer(step.lines, step.status, following.url if following else "")

    def _said(self, step: Step) -> dict[str, Any]:
        said: dict[str, Any] = {"url": step.url, "via": step.via}
        if step.method:
            said["method"] = step.method
        if step.frame:
            said |= {"from": step.frame, "top": self._page}
        if step.lines and step.via != "js":
            said["set"] = list(step.lines)
        return said

    def _begin(self, step: Step) -> None:
        url = json.dumps(step.url)
        if step.via == "navigate":
            self._browser.call("Page.navigate", self._session, url=step.url)
        elif step.via in _LEAVING:
            self._evaluate(_LEAVING[step.via].format(url=url), "")
        else:
            self._evaluate(_PARTS[step.via].format(url=url, method=json.dumps(step.method or "GET")), step.frame)

    def _evaluate(self, code: str, frame: str) -> str:
        """Run it in the page, or in that frame of it; give the text that it gives."""
        if frame:
            code = _IN_FRAME.format(frame=self._frames[frame], code=json.dumps(code))
        answer = self._browser.call(
            "Runtime.evaluate", self._session, expression=code, awaitPromise=True, userGesture=True
        )
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{code}: {answer['exceptionDetails']}")
        return str(answer["result"].get("value", ""))

    def _heard(self, method: str, number: str) -> list[dict[str, Any]]:
        return [
            event["params"]
            for event in self._browser.events
            if event["method"] == method and event["params"].get("requestId") == number
        ]

    def _request_id(self, url: str) -> str:
        """Of the first request for this URL that is no preflight."""
        for event in self._browser.events:
            if event["method"] == "Network.requestWillBeSent":
                request = event["params"]["request"]
                if request["url"] == url and request["method"] != "OPTIONS":
                    return str(event["params"]["requestId"])
        return ""

    def _complete(self, number: str, hops: Sequence[Step]) -> bool:
        if len(self._heard("Network.requestWillBeSentExtraInfo", number)) < len(hops):
            return False
        if self._heard("Network.loadingFailed", number):
            return True
        if len(self._heard("Network.responseReceivedExtraInfo", number)) < len(hops):
            return False
        if hops[0].via in ("navigate", *_LEAVING):
            return any(
                event["method"] == "Page.lifecycleEvent"
                and event["params"]["name"] == "load"
                and event["params"]["loaderId"] == number
                for event in self._browser.events
            )
        return bool(self._heard("Network.loadingFinished", number))

    def _store(self, site: str) -> list[dict[str, Any]]:
        cookies = self._browser.call("Storage.getCookies")["cookies"]
        return sorted(
            (self._kept_of(cookie) for cookie in cookies if cookie["domain"].endswith(site)),
            key=lambda kept: (kept["domain"], kept["path"], kept["name"], str(kept.get("partitionKey"))),
        )

    def _kept_of(self, cookie: dict[str, Any]) -> dict[str, Any]:
        kept = {key: shortened(cookie[key]) for key in ("name", "value", "domain", "path")}
        kept |= {key: cookie[key] for key in ("httpOnly", "secure", "sameSite", "partitionKey") if cookie.get(key)}
        if cookie["session"]:
            return kept
        key = (cookie["name"], cookie["domain"], cookie["path"], str(cookie.get("partitionKey")))
        expires, lifetime_s = self.lifetimes.get(key, (0.0, 0))
        if abs(cookie["expires"] - expires) > 0.5:  # new, or new again: how long takes this machine no part in it
            lifetime_s = round((cookie["expires"] - self._answered_s) / 10) * 10
            self.lifetimes[key] = (cookie["expires"], lifetime_s)
        return kept | {"lifetime_s": lifetime_s}


def _candidate(associated: dict[str, Any]) -> dict[str, Any]:
    cookie = associated["cookie"]
    candidate = {key: shortened(cookie[key]) for key in ("name", "value", "path", "domain")}
    if "partitionKey" in cookie:
        candidate["partitionKey"] = cookie["partitionKey"]
    return candidate | {"blocked": associated["blockedReasons"]}
