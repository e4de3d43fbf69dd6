"""Forgetting through the graph."""

from dataclasses import replace

import pytest

from domain.identity.policy import Scope
from domain.sync.operations import Position
from resolvers.ids import encode
from tests.accounts import somebody
from tests.catalogue import add_movie
from tests.viewers import Asker, did, refused

FORGET = """mutation ($input: ForgetTitleInput!) {
  done: forgetTitle(input: $input) { viewings userErrors { code field } } }"""
KEEP = """mutation ($input: KeepHistoryInput!) {
  done: keepHistory(input: $input) { days userErrors { code field } } }"""
HISTORY = "{ viewer { historyDays history { totalCount } } }"


async def test_a_title_is_forgotten(ask: Asker, ada: str) -> None:
    movie = await add_movie(ask.house.database, runtime_seconds=1000)
    await ask.house.sync.record_progress(ada, movie, Position(300))

    done = await did(ask, FORGET, ada, contentId=encode("Movie", movie))

    assert done == {"viewings": 1, "userErrors": []}
    assert (await ask.data(HISTORY, ada))["viewer"] == {"historyDays": None, "history": {"totalCount": 0}}
    assert await did(ask, FORGET, ada, contentId=encode("Movie", movie)) == {"viewings": 0, "userErrors": []}


async def test_what_is_no_title_is_refused(ask: Asker, ada: str) -> None:
    done = await did(ask, FORGET, ada, contentId=encode("Movie", 987_654))

    assert (done["viewings"], refused(done)) == (None, [("NOT_FOUND", ["contentId"])])


async def test_a_history_is_kept_for_some_days_and_for_good_again(ask: Asker, ada: str) -> None:
    assert await did(ask, KEEP, ada, days=30) == {"days": 30, "userErrors": []}
    assert (await ask.data(HISTORY, ada))["viewer"]["historyDays"] == 30
    refusal = await did(ask, KEEP, ada, days=0)
    assert (refusal["days"], refused(refusal)) == (None, [("INVALID", ["days"])])
    assert (await ask.data(HISTORY, ada))["viewer"]["historyDays"] == 30

    assert await did(ask, KEEP, ada, days=None) == {"days": None, "userErrors": []}

    assert (await ask.data(HISTORY, ada))["viewer"]["historyDays"] is None


async def test_who_may_not_write_progress_has_nothing_forgotten(
    ask: Asker, ada: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    movie = await add_movie(ask.house.database, runtime_seconds=1000)
    await ask.house.sync.record_progress(ada, movie, Position(300))
    context = ask.house.context(ada)
    context.caller = replace(somebody(ada), scopes=frozenset({Scope.READ_PROGRESS}))
    monkeypatch.setattr(ask.house, "context", lambda _account: context)

    forget = await ask.code(FORGET, ada, input={"contentId": encode("Movie", movie)})
    keep = await ask.code(KEEP, ada, input={"days": 1})

    assert (forget, keep) == ("FORBIDDEN", "FORBIDDEN")
    assert (await ask.data(HISTORY, ada))["viewer"] == {"historyDays": None, "history": {"totalCount": 1}}
