"""Any sequence of commands, through two connections on one file, answers as a ledger made of plain dicts does."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule

from costpol.commands import Account, Exceeded, Failed, Granted, Hold, Reserve, Settle, Standing
from costpol.ledger.sqlite import SqliteLedger

SLICE, WINDOW, LIMIT = 10.0, 20.0, 100
NAMES = ("company", "tenant", "user")
AMOUNTS = st.integers(0, 60)


@dataclass
class Open:
    """One reservation of the model, until it is settled."""

    holds: tuple[Hold, ...]
    expires: float


@dataclass
class Model:
    """The ledger by its definition: sums over everything that was ever booked or is held."""

    booked: list[tuple[Account, int]] = field(default_factory=list)
    open: dict[int, Open] = field(default_factory=dict)

    def used(self, account: Account, now: float) -> int:
        return sum(self.slices(account, now).values())

    def slices(self, account: Account, now: float) -> dict[float, int]:
        held = [(hold.account, hold.amount) for each in self.open.values() if each.expires > now for hold in each.holds]
        found: dict[float, int] = {}
        for of, amount in self.booked + held:
            if of.name == account.name and of.bucket >= account.since:
                found[of.bucket] = found.get(of.bucket, 0) + amount
        return found

    def refused(self, command: Reserve) -> Exceeded | None:
        for position, hold in enumerate(command.holds):
            earlier = [other.amount for other in command.holds[:position] if other.account.name == hold.account.name]
            used = self.used(hold.account, command.now) + sum(earlier)
            if used + hold.amount > hold.limit:
                oldest = min((at for at, n in self.slices(hold.account, command.now).items() if n), default=None)
                return Exceeded(hold, used, oldest)
        return None


class LedgerMachine(RuleBasedStateMachine):
    """Time only moves on, as on one host. A refund is negative where more was used than held."""

    open = Bundle("open")
    settled = Bundle("settled")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.ledgers = [SqliteLedger(self.folder / "ledger.db") for _ in range(2)]
        self.model = Model()
        self.now = 1000.0
        self.reserved = self.refunded = 0

    def teardown(self) -> None:
        for ledger in self.ledgers:
            ledger.close()
        shutil.rmtree(self.folder)

    def account(self, name: str) -> Account:
        """`company` counts by calendar, the others roll."""
        bucket = self.now // SLICE * SLICE
        return Account(name, bucket if name == "company" else self.now - WINDOW, bucket, bucket + WINDOW)

    @rule(
        target=open,
        side=st.integers(0, 1),
        wanted=st.lists(st.tuples(st.sampled_from(NAMES), AMOUNTS), max_size=6),
        seconds=st.integers(1, 30),
    )
    def reserve(self, side: int, wanted: list[tuple[str, int]], seconds: int) -> object:
        holds = tuple(Hold(self.account(name), amount, LIMIT, name) for name, amount in wanted)
        command = Reserve(holds, self.now, self.now + seconds)
        refused = self.model.refused(command)
        answer = self.ledgers[side].reserve(command)
        if refused is not None:
            assert answer == refused
            return multiple()
        assert isinstance(answer, Granted)
        assert answer.reservation not in self.model.open
        self.model.open[answer.reservation] = Open(holds, command.expires)
        self.reserved += sum(hold.amount for hold in holds)
        for hold in holds:
            assert self.model.used(hold.account, self.now) <= LIMIT
        return answer.reservation

    @rule(target=settled, side=st.integers(0, 1), reservation=consumes(open), data=st.data())
    def settle(self, side: int, reservation: int, data: st.DataObject) -> int:
        holds = self.model.open.pop(reservation).holds
        amounts = tuple(data.draw(AMOUNTS) for _ in holds)
        assert self.ledgers[side].settle(Settle(reservation, amounts, self.now)) is None
        self.model.booked += [(hold.account, amount) for hold, amount in zip(holds, amounts, strict=True)]
        self.refunded += sum(hold.amount - amount for hold, amount in zip(holds, amounts, strict=True))
        return reservation

    @rule(side=st.integers(0, 1), reservation=settled, amount=AMOUNTS)
    def settle_again(self, side: int, reservation: int, amount: int) -> None:
        command = Settle(reservation, (amount,), self.now)
        assert self.ledgers[side].settle(command) == Failed("reservation-not-open")

    @rule(seconds=st.floats(0.5, 15))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule(side=st.integers(0, 1))
    def sweep(self, side: int) -> None:
        self.ledgers[side].sweep(self.now)

    @rule(side=st.integers(0, 1))
    def reopen(self, side: int) -> None:
        self.ledgers[side].close()
        self.ledgers[side] = SqliteLedger(self.folder / "ledger.db")

    @invariant()
    def both_stand_as_the_model_does(self) -> None:
        accounts = tuple(self.account(name) for name in NAMES)
        expected = tuple(self.model.used(account, self.now) for account in accounts)
        assert [ledger.standing(Standing(accounts, self.now)) for ledger in self.ledgers] == [expected] * 2

    @invariant()
    def what_was_reserved_is_used_refunded_held_or_lapsed(self) -> None:
        rows = self.ledgers[0].usage_report(self.now)
        used, held = sum(row.used for row in rows), sum(row.held for row in rows)
        lapsed = sum(
            hold.amount for each in self.model.open.values() if each.expires <= self.now for hold in each.holds
        )
        assert self.reserved == used + self.refunded + held + lapsed


TestLedgerMachine = LedgerMachine.TestCase
TestLedgerMachine.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
