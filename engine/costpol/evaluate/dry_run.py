"""A log through a policy, and through a second one where two are compared: the figures of both.

Both policies see each record before the next is read, each with stores of its own, so a log of any length is read once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace

from costpol.errors import UsageError
from costpol.evaluate.comparison import Comparison
from costpol.evaluate.corpus import Corpus
from costpol.evaluate.log_registry import log_findings
from costpol.evaluate.rehearsal import Rehearsal, rehearse
from costpol.evaluate.replay import Replay
from costpol.evaluate.savings import REQUESTED, Tally
from costpol.evaluate.seen import Seen, Watch
from costpol.reporting.savings.figures import Against, Estimates, Savings

_TELL_EVERY = 100


async def dry_run(
    corpus: Corpus,
    files: Mapping[str, bytes],
    *,
    clock: Callable[[], float],
    against: Mapping[str, bytes] | None = None,
    baseline: str = REQUESTED,
    progress: Callable[[int], None] | None = None,
) -> Savings:
    """What the policy of `files` makes of a log. Prices are those at `clock`; `progress` is told the requests so far.

    Raises `BundleError` and `ProvisionError` for a policy that does not load or lacks what it needs, `UsageError` for a
    baseline model that nobody knows the price of.
    """
    async with AsyncExitStack() as opened:
        rehearsal = await opened.enter_async_context(rehearse(files, clock))
        new = _tally(rehearsal, baseline)
        old = None
        if against is not None:
            old = _tally(await opened.enter_async_context(rehearse(against, clock)), baseline)
        comparison, watch = Comparison(), Watch()
        for count, record in enumerate(corpus, 1):
            replayed = await new.replay.run(record)
            new.add(replayed)
            watch.add(replayed)
            if old is not None:
                before = await old.replay.run(record)
                old.add(before)
                comparison.add(before, replayed)
            if progress is not None and count % _TELL_EVERY == 0:
                progress(count)
        savings = _report(new, corpus)
        seen = Seen(savings, watch.medians())
        savings = replace(savings, findings=log_findings(rehearsal.snapshot.bundle, seen))
        if old is None:
            return savings
        return replace(savings, against=Against(_report(old, corpus), comparison.changed, comparison.changes()))


def _tally(rehearsal: Rehearsal, baseline: str) -> Tally:
    replay = Replay(rehearsal)
    if baseline != REQUESTED and replay.pipeline.baseline(baseline) is None:
        raise UsageError(
            f"no price of the baseline model `{baseline}` is known", "name a model of the policy, or write `requested`"
        )
    return Tally(replay, baseline)


def _report(tally: Tally, corpus: Corpus) -> Savings:
    gaps, skipped = corpus.gaps, corpus.skipped
    estimates = Estimates(usage=gaps.usage, answers=gaps.answers, times=gaps.times, backwards=gaps.backwards)
    return tally.savings(estimates, skipped.count, tuple(skipped.first))
