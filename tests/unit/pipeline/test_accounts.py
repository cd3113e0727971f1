"""Windows of budgets by the clock of their zone, and counters that nobody shares by a trick of names."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costpol.inference.caller import Caller
from costpol.pipeline.accounts import Unit, WindowBudget, calendar_window, open_accounts

ZONES = [
    "UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe",
    "America/Santiago", "Pacific/Apia", "America/Havana", "Pacific/Chatham", "Africa/Casablanca",
]  # fmt: skip


def instant(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def budget(
    name: str = "b", unit: Unit = "usd", per: str = "day", *, rolling: bool = False, zone: str = "UTC",
    each: str | None = None, limit: int = 100,
) -> WindowBudget:  # fmt: skip
    return WindowBudget(name, unit, limit, per, rolling, ZoneInfo(zone), each)


@pytest.mark.parametrize(
    ("per", "zone", "now", "start", "end"),
    [
        ("hour", "UTC", "2026-01-15T12:34:56+00:00", "2026-01-15T12:00+00:00", "2026-01-15T13:00+00:00"),
        ("hour", "Asia/Kolkata", "2026-01-15T12:34:56+05:30", "2026-01-15T12:00+05:30", "2026-01-15T13:00+05:30"),
        ("day", "UTC", "2026-01-15T00:00:00+00:00", "2026-01-15T00:00+00:00", "2026-01-16T00:00+00:00"),
        ("day", "Asia/Kathmandu", "2026-01-14T18:20:00+00:00", "2026-01-15T00:00+05:45", "2026-01-16T00:00+05:45"),
        ("day", "Europe/Berlin", "2026-03-29T12:00:00+02:00", "2026-03-29T00:00+01:00", "2026-03-30T00:00+02:00"),
        ("day", "Europe/Berlin", "2026-10-25T02:30:00+01:00", "2026-10-25T00:00+02:00", "2026-10-26T00:00+01:00"),
        # midnight does not exist on this day
        ("day", "America/Santiago", "2026-09-06T12:00:00-03:00", "2026-09-06T01:00-03:00", "2026-09-07T00:00-03:00"),
        # midnight happens twice on this day
        ("day", "America/Havana", "2026-11-01T00:30:00-05:00", "2026-11-01T00:00-04:00", "2026-11-02T00:00-05:00"),
        # the next day was left out of the calendar
        ("day", "Pacific/Apia", "2011-12-29T12:00:00-10:00", "2011-12-29T00:00-10:00", "2011-12-31T00:00+14:00"),
        ("week", "UTC", "2026-01-15T12:00:00+00:00", "2026-01-12T00:00+00:00", "2026-01-19T00:00+00:00"),
        ("week", "Europe/Berlin", "2026-03-29T23:59:59+02:00", "2026-03-23T00:00+01:00", "2026-03-30T00:00+02:00"),
        ("month", "UTC", "2026-02-28T23:59:59+00:00", "2026-02-01T00:00+00:00", "2026-03-01T00:00+00:00"),
        ("month", "UTC", "2028-02-29T23:59:59+00:00", "2028-02-01T00:00+00:00", "2028-03-01T00:00+00:00"),
        ("month", "Europe/Berlin", "2026-12-31T23:59:59+01:00", "2026-12-01T00:00+01:00", "2027-01-01T00:00+01:00"),
        ("month", "Europe/Berlin", "2026-10-31T12:00:00+01:00", "2026-10-01T00:00+02:00", "2026-11-01T00:00+01:00"),
    ],
)
def test_a_calendar_window_follows_the_clock_of_its_zone(per: str, zone: str, now: str, start: str, end: str) -> None:
    assert calendar_window(per, ZoneInfo(zone), instant(now)) == (instant(start), instant(end))


def test_a_day_has_23_or_25_hours_where_the_clock_is_set() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    spring = calendar_window("day", berlin, instant("2026-03-29T12:00:00+02:00"))
    autumn = calendar_window("day", berlin, instant("2026-10-25T12:00:00+01:00"))
    assert [(end - start) / 3600 for start, end in (spring, autumn)] == [23, 25]


INSTANTS = st.integers(1_000_000_000, 2_500_000_000).map(float)


@given(st.sampled_from(["hour", "day", "week", "month"]), st.sampled_from(ZONES), INSTANTS)
def test_a_window_holds_its_instants_and_the_next_begins_where_it_ends(per: str, zone: str, now: float) -> None:
    there = ZoneInfo(zone)
    start, end = calendar_window(per, there, now)
    assert start <= now < end
    if per != "hour":  # clocks that are set by half an hour make hours overlap
        assert calendar_window(per, there, start) == (start, end)
        assert calendar_window(per, there, end - 1) == (start, end)
        assert calendar_window(per, there, end)[0] == end


@given(st.sampled_from(["hour", "day", "week", "month"]), st.sampled_from(ZONES), st.lists(INSTANTS, min_size=1))
def test_what_was_worked_out_before_changes_no_account(per: str, zone: str, instants: list[float]) -> None:
    kept = budget(per=per, zone=zone)
    for now in instants:
        account = kept.account(Caller(), now)
        fresh = budget(per=per, zone=zone).account(Caller(), now)
        assert account is not None and fresh is not None  # noqa: PT018
        assert account.since == account.bucket <= now < account.until
        if per != "hour":
            assert account == fresh


@given(
    st.sampled_from([("hour", 3600), ("day", 86400), ("week", 604800), ("month", 2592000)]), INSTANTS, st.floats(0, 1)
)
def test_a_rolling_window_never_forgets_what_is_younger_than_its_length(
    length: tuple[str, int], now: float, part: float
) -> None:
    per, seconds = length
    rolling = budget(per=per, rolling=True)
    earlier, present = rolling.account(Caller(), now - seconds * part * 0.9999), rolling.account(Caller(), now)
    assert earlier is not None and present is not None  # noqa: PT018
    assert earlier.bucket >= present.since  # a ledger sums the slices from `since` on
    assert present.bucket <= now < present.until <= now + seconds / 60
    old = rolling.account(Caller(), now - seconds * 1.04)
    assert old is not None
    assert old.bucket < present.since


@pytest.mark.parametrize(
    ("each", "caller", "subject"),
    [
        (None, Caller("acme", "ada"), ""),
        ("tenant", Caller("acme", "ada"), "tenant:acme"),
        ("tenant", Caller(), "tenant:-"),
        ("user", Caller("acme", "ada"), "user:acme:ada"),
        ("user", Caller("acme"), "user:acme:-"),
        ("session", Caller("acme", session="s"), "session:acme:s"),
        ("agent", Caller(None, agent="bot"), "agent:-:bot"),
    ],
)
def test_whose_counter_it_is(each: str | None, caller: Caller, subject: str) -> None:
    account = budget("b/c", each=each).account(caller, 0.0)
    assert account is not None
    assert account.name == f"b/c/usd/{subject}"


@pytest.mark.parametrize("each", ["session", "agent"])
def test_outside_any_session_there_is_no_counter_of_one(each: str) -> None:
    budgets = (budget("one", each=each), budget("all"))
    assert [each.name for each, _ in open_accounts(budgets, Caller("acme", "ada"), 0.0)] == ["all"]


NAMES = st.none() | st.text() | st.sampled_from(["-", "%2D", ":", "a:b", "/usd/", "tenant:x", "\ud800"])
CALLERS = st.builds(Caller, NAMES, NAMES, session=NAMES)
EACH = st.sampled_from([None, "tenant", "user", "session"])
BUDGETS = st.tuples(
    st.sampled_from(["b", "b/usd", "b/usd/", "b/usd/tenant:a"]), st.sampled_from(["usd", "calls"]), EACH
)


@given(BUDGETS, CALLERS, BUDGETS, CALLERS)
def test_no_names_spell_the_counter_of_others(
    left: tuple[str, Unit, str | None], caller: Caller, right: tuple[str, Unit, str | None], other: Caller
) -> None:
    ours = budget(left[0], left[1], each=left[2]).account(caller, 0.0)
    theirs = budget(right[0], right[1], each=right[2]).account(other, 0.0)
    if ours is None or theirs is None:
        return

    def subject(each: str | None, who: Caller) -> object:
        return (
            None if each is None else (each, who.tenant) if each == "tenant" else (each, who.tenant, getattr(who, each))
        )

    same = (left, subject(left[2], caller)) == (right, subject(right[2], other))
    assert (ours.name == theirs.name) is same


def test_the_account_of_a_day_can_be_told_by_hand() -> None:
    now = datetime(2026, 1, 15, 12, tzinfo=UTC)
    account = budget("company").account(Caller(), now.timestamp())
    midnight = now.replace(hour=0)
    assert account is not None
    assert (account.since, account.until) == (midnight.timestamp(), (midnight + timedelta(days=1)).timestamp())
