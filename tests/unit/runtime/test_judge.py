from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from msgspec import structs

from costpol.commands import Admit, Admitted, Check, Checked, Entry, Failed, Hit, Judge, Judged, Learn, Scope
from costpol.errors import StoreError
from costpol.runtime.judge import CacheJudge, open_judge

SCOPE = Scope("tenant", "tenant:acme")
DIMENSION = 16


def body(content: str) -> bytes:
    message = {"role": "assistant", "content": content}
    return json.dumps({"choices": [{"message": message, "finish_reason": "stop"}]}).encode()


def hit(text: str, similarity: float, *, answer: str | None = None, content: str = "yes") -> Hit:
    entry = Entry(
        partition="p", question=text, scope=SCOPE, intent="faq", text=text, body=body(content), model="m", created=0.0,
        expires=1e9, cost_picodollars=1, answer_id=answer,
    )  # fmt: skip
    return Hit(entry, similarity)


def question(number: int, hits: tuple[Hit, ...], chance: float = 0.99) -> Judge:
    vector = np.random.default_rng(number).normal(size=DIMENSION).astype(np.float32)
    return Judge(vector / np.linalg.norm(vector), f"question {number}", hits, "faq", 0.02, chance, 0.04)


def opened(path: Path | None = None) -> CacheJudge:
    return open_judge(path, "embedder", DIMENSION, "v1", floor=0.95)


def judged(judge: CacheJudge, command: Judge) -> Judged:
    reply = judge.judge(command)
    assert isinstance(reply, Judged)
    return reply


def test_until_there_is_evidence_only_what_is_nearer_than_the_embedders_own_threshold_is_given() -> None:
    judge = opened()
    assert judged(judge, question(1, (hit("a", 0.96, answer="x"),))).place == 0
    assert judged(judge, question(2, (hit("a", 0.94, answer="x"),))).place is None
    assert judged(judge, question(3, ())).place is None


def test_neighbours_that_disagree_are_not_given_before_there_is_evidence() -> None:
    judge = opened()
    assert judged(judge, question(1, (hit("a", 0.96, answer="x"), hit("b", 0.955, answer="y")))).place is None


def test_what_a_hit_teaches_is_learned_once_its_answer_has_left_or_before_anything_else() -> None:
    judge, later = opened(), []
    judge.soon = later.append
    for number in (1, 2):
        assert judged(judge, question(number, (hit("a", 0.96, answer="x"),))).place == 0
        assert judge.state.hits == number - 1
    later[0]()
    assert judge.state.hits == 2
    later[1]()
    assert judge.state.hits == 2


def guarded(*hits: Hit) -> Judge:
    command = question(1, hits)
    return structs.replace(command, text="how do I enable it", guards=frozenset({"negation"}))


def test_what_a_guard_refuses_is_not_given_and_its_verdict_is_awaited() -> None:
    judge = opened()
    reply = judged(judge, guarded(hit("how do I disable it", 0.99, answer="off")))
    assert (reply.place, reply.refused) == (None, (0, "negation"))
    assert judge.learn(Learn(reply.ticket, "so", "on")) == "on"
    assert judge.state.stored == 1


def test_another_question_with_the_same_answer_is_given_where_it_would_be_given_alone() -> None:
    judge = opened()
    nearest = hit("how do I disable it", 0.99, answer="x")
    reply = judged(judge, guarded(nearest, hit("enabling it", 0.97, answer="x")))
    assert (reply.place, reply.refused) == (1, (0, "negation"))


@pytest.mark.parametrize("similarity", [0.05, 0.6, 0.94])
def test_a_far_question_with_the_same_answer_does_not_stand_in_for_one_that_is_refused(similarity: float) -> None:
    """Many questions are answered by a mere yes."""
    judge = opened()
    far = hit("where do I park", similarity, answer="yes")
    reply = judged(judge, guarded(hit("can I disable it", 0.99, answer="yes"), far))
    assert (reply.place, reply.refused) == (None, (0, "negation"))


def test_of_two_refusals_the_nearest_is_told() -> None:
    command = structs.replace(
        guarded(hit("how do I enable 20 of them", 0.99, answer="x"), hit("how do I disable it", 0.98, answer="x")),
        text="how do I enable 200 of them", guards=frozenset({"negation", "numbers"}),
    )  # fmt: skip
    assert judged(opened(), command).refused == (0, "numbers")


def test_a_hit_is_checked_against_the_answer_that_was_given() -> None:
    judge = opened()
    hits = (hit("how do I disable it", 0.99, content="so"), hit("enabling it", 0.97, content="so"))
    one_name = tuple(Hit(replace(each.entry, answer_id="x", body=body(text)), each.similarity)
                     for each, text in zip(hits, ("no", "yes"), strict=True))  # fmt: skip
    reply = judged(judge, structs.replace(guarded(*one_name), chance=0.0))
    assert (reply.place, reply.verify) == (1, True)
    assert judge.check(Check(reply.ticket, "yes", None)) == Checked(True, "x")


def test_what_a_guard_refuses_is_no_verdict_on_a_score() -> None:
    judge = opened()
    reply = judged(judge, guarded(hit("how do I disable it", 0.99, answer="off")))
    judge.learn(Learn(reply.ticket, "so", "on"))
    assert not judge.state.calibration.verdicts
    free = judged(judge, question(2, (hit("b", 0.5, answer="off"),)))
    judge.learn(Learn(free.ticket, "so", "on"))
    assert [verdict.sampled for verdict in judge.state.calibration.verdicts] == [False]


def test_warming_examines_what_no_guard_refuses() -> None:
    judge = opened()
    for command in (
        guarded(hit("how do I disable it", 0.99, answer="off")),
        guarded(hit("enabling", 0.99, answer="on")),
    ):
        judge.learn(Learn(judge.examine(command).ticket, "so", "on"))  # type: ignore[union-attr]
    assert [verdict.sampled for verdict in judge.state.calibration.verdicts] == [True]


def test_questions_are_new_until_they_come_back() -> None:
    judge = opened()
    before = judge.state.calibration.novelty
    for number in range(20):
        judged(judge, question(number, (hit("a", 0.96, answer="x"),)))
    known = judge.state.calibration.novelty
    assert known < before
    for number in range(20):
        judge.learn(Learn(judged(judge, question(number, (hit("a", 0.5, answer="x"),))).ticket, "so", f"new {number}"))
    assert judge.state.calibration.novelty > known


def test_what_a_log_says_is_the_name_of_the_answer() -> None:
    judge = opened()
    ticket = judged(judge, question(1, (hit("a", 0.5, answer="x"),))).ticket
    assert judge.learn(Learn(ticket, "whatever", "x")) == "x"


def test_a_stated_name_is_no_verdict_on_an_answer_that_no_log_has_named() -> None:
    judge = opened()
    nameless = hit("a", 0.96, answer=None)
    given = judged(judge, question(1, (nameless,), chance=0.0))
    assert given.verify
    assert judge.check(Check(given.ticket, "whatever", "x")) == Checked(None, "x")
    ticket = judged(judge, question(2, (hit("a", 0.5, answer=None),))).ticket
    before = judge.state.calibration.learned
    assert judge.learn(Learn(ticket, "whatever", "x")) == "x"
    assert judge.state.calibration.learned == before
    own = judge.learn(Learn(judged(judge, question(3, ())).ticket, "whatever", None))
    assert isinstance(own, str)
    assert replace(nameless.entry, answer_id=own).stated_answer is None
    assert replace(nameless.entry, answer_id="x").stated_answer == "x"


def test_an_answer_that_says_the_same_takes_the_name_of_the_kept_one() -> None:
    judge = opened()
    kept = hit("a", 0.5, answer="x", content="Open the settings and choose the second entry.")
    same = judged(judge, question(1, (kept,))).ticket
    assert judge.learn(Learn(same, "open the settings and choose the second entry.", None)) == "x"
    other = judged(judge, question(2, (kept,))).ticket
    assert judge.learn(Learn(other, "That is not possible.", None)) not in ("x", None)


def test_a_judgement_teaches_once() -> None:
    judge = opened()
    ticket = judged(judge, question(1, (hit("a", 0.5, answer="x"),))).ticket
    judge.learn(Learn(ticket, "yes", None))
    assert judge.learn(Learn(ticket, "yes", None)) == Failed("judgement-forgotten")


def test_a_reported_answer_is_a_verdict_against_every_question_that_it_was_given_for() -> None:
    judge = opened()
    given = hit("a", 0.97, answer="x")
    for number in range(2):
        assert judged(judge, question(number, (given,))).place == 0
    assert judge.report_wrong(given.entry.id) == 2
    assert [verdict.right for verdict in judge.state.choice.verdicts] == [None, None]
    assert judge.report_wrong(given.entry.id) == 0, "it counts once"
    assert judge.report_wrong("never given") == 0


def test_what_was_learned_survives_a_restart(tmp_path: Path) -> None:
    judge = opened(tmp_path / "learned.npz")
    for number in range(200):
        ticket = judged(judge, question(number, (hit("a", 0.6, answer=f"x{number % 3}"),))).ticket
        judge.learn(Learn(ticket, "yes", f"x{number % 3 if number % 4 else 7}"))
    judge.save()
    again = opened(tmp_path / "learned.npz")
    assert again.state.calibration.learned == judge.state.calibration.learned > 0
    assert again.state.stored == judge.state.stored == 200
    assert opened(tmp_path / "learned.npz").report() == judge.report()


@pytest.mark.parametrize("change", ["embedder", "templates", "damage"])
def test_what_was_learned_of_something_else_is_learned_anew(tmp_path: Path, change: str) -> None:
    path = tmp_path / "learned.npz"
    judge = opened(path)
    judge.learn(Learn(judged(judge, question(1, (hit("a", 0.5, answer="x"),))).ticket, "yes", "x"))
    judge.save()
    if change == "damage":
        path.write_bytes(path.read_bytes()[:-40])
    again = open_judge(
        path, "other" if change == "embedder" else "embedder", DIMENSION, "v2" if change == "templates" else "v1", 0.95
    )
    assert again.state.stored == 0


def test_judging_and_learning_go_on_by_the_state_as_it_is_while_a_fit_runs() -> None:
    fits: list[tuple[Callable[[], None], Callable[[BaseException | None], None]]] = []
    judge = opened()
    judge.fit_elsewhere = lambda work, then: fits.append((work, then))
    for number in range(400):
        ticket = judged(judge, question(number, (hit("a", 0.6, answer=f"x{number % 3}"),))).ticket
        assert judge.learn(Learn(ticket, "yes", f"x{number % 5}")) == f"x{number % 5}"
    assert len(fits) == 1  # another waits for this one
    fits[0][0]()
    assert judge.state.answers.directions is None
    fits[0][1](None)
    assert judge.state.answers.directions is not None
    assert judge.state.answers.learned == 400


Work = tuple[Callable[[], None], Callable[[BaseException | None], None]]


def learning(path: Path) -> tuple[CacheJudge, list[Work]]:
    """A judge that has learned something, and what it wants to be done elsewhere."""
    works: list[Work] = []
    judge = opened(path)
    judge.fit_elsewhere = lambda work, then: works.append((work, then))
    teach(judge, 1)
    return judge, works


def teach(judge: CacheJudge, number: int) -> None:
    judge.learn(Learn(judged(judge, question(number, (hit("a", 0.5, answer="x"),))).ticket, "yes", "x"))


def do(work: Work) -> None:
    work[0]()
    work[1](None)


def test_a_killed_process_loses_a_minute_of_learning_at_most(tmp_path: Path) -> None:
    judge, works = learning(tmp_path / "learned.npz")
    judge.keep_up(1000.0)
    teach(judge, 2)  # while it is written
    do(works.pop())
    assert opened(tmp_path / "learned.npz").state.stored == 1
    judge.keep_up(1059.0)
    assert not works
    judge.keep_up(1060.0)
    do(works.pop())
    again = opened(tmp_path / "learned.npz")
    assert (again.state.stored, again.state.learned) == (2, judge.state.learned)
    judge.keep_up(2000.0)
    again.fit_elsewhere = judge.fit_elsewhere
    again.keep_up(2000.0)
    assert not works, "nothing is new"


def test_an_older_draft_does_not_take_a_newer_one_s_place(tmp_path: Path) -> None:
    judge, works = learning(tmp_path / "learned.npz")
    judge.keep_up(1000.0)
    teach(judge, 2)
    judge.save()
    do(works.pop())
    assert opened(tmp_path / "learned.npz").state.stored == 2


def test_what_cannot_be_written_is_told_once_and_tried_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    judge, works = learning(tmp_path / "learned.npz")
    (tmp_path / "learned.new").mkdir()
    for minute in range(3):
        judge.keep_up(60.0 * minute)
        work, then = works.pop()
        with pytest.raises(StoreError) as failed:
            work()
        then(failed.value)
    assert caplog.text.count("cannot be written") == 1
    (tmp_path / "learned.new").rmdir()
    judge.keep_up(180.0)
    do(works.pop())
    assert opened(tmp_path / "learned.npz").state.stored == 1


def test_a_fit_that_fails_leaves_the_state_as_it_is_and_is_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    fits: list[Callable[[BaseException | None], None]] = []
    judge = opened()
    judge.fit_elsewhere = lambda work, then: fits.append(then)
    for number in range(400):
        ticket = judged(judge, question(number, (hit("a", 0.6, answer="x"),))).ticket
        judge.learn(Learn(ticket, "yes", "x"))
        if len(fits) == 1 and number == 200:
            fits[0](ArithmeticError("singular"))
    assert judge.state.answers.directions is None
    assert "singular" in caplog.text
    assert len(fits) == 2


def admit(judge: CacheJudge, similarity: float = 0.95, chance: float = 0.0, **entry: str) -> Admitted:
    return judge.admit(Admit(hit("a", similarity, **entry), "faq", 0.9, 0.1, 0.5, chance))


def check(judge: CacheJudge, ticket: int | None, content: str, answer: str | None = None) -> Checked:
    assert ticket is not None
    checked = judge.check(Check(ticket, content, answer))
    assert isinstance(checked, Checked)
    return checked


def test_the_share_that_is_declared_is_picked_to_be_verified() -> None:
    judge = opened()
    assert admit(judge, chance=0.49).ticket is not None
    assert admit(judge, chance=0.5).ticket is None


def test_an_answer_that_differs_is_counted_and_kept_under_its_own_name() -> None:
    judge = opened()
    same = check(judge, admit(judge, answer="x", content="It is blue.").ticket, "it is blue.")
    assert (same.same, same.answer_id) == (True, "x")
    other = check(judge, admit(judge, answer="x", content="It is blue.").ticket, "Ask the support.")
    assert other.same is False
    assert other.answer_id not in ("x", None)
    track = judge.verdicts.tracks["faq"]
    assert (track.hits, track.checked, track.different) == (2, 2, 1)


def test_a_log_that_names_the_right_answer_decides() -> None:
    judge = opened()
    assert check(judge, admit(judge, answer="x").ticket, "whatever", "x").same is True
    assert check(judge, admit(judge, answer="x").ticket, "yes", "y").same is False


def test_the_threshold_rises_where_too_many_differ_and_reports_count_too(caplog: pytest.LogCaptureFixture) -> None:
    judge = opened()
    for _ in range(40):
        admitted = admit(judge, 0.92, content="It is blue.")
        if admitted.ticket is None:
            break
        check(judge, admitted.ticket, "Ask the support.")
        check(judge, admit(judge, 0.97, content="It is blue.").ticket, "It is blue.")
    assert 0.92 < admit(judge, 0.92).threshold <= 0.97
    assert admit(judge, 0.92).ticket is None
    assert caplog.text.count("the threshold rises from 0.9") == 1
    given = hit("b", 0.99)
    for _ in range(3):
        judge.admit(Admit(given, "terms", 0.9, 0.1, 0.0, 0.5))
    assert judge.report_wrong(given.entry.id) == 3
    assert judge.verdicts.tracks["terms"].suspended
    assert [row["suspended"] for row in judge.report()] == [False, True]


def trained(judge: CacheJudge) -> CacheJudge:
    """Taught by a log that three answers are told apart by their likeness."""
    for number in range(600):
        right = number % 3
        vector = np.zeros(DIMENSION, np.float32)
        vector[right] = 1.0
        near = 0.9 + (number % 7) / 100
        hits = (hit(f"q{right}", near, answer=f"x{right}"), hit("r", 0.3, answer="x9"))
        reply = judge.judge(Judge(vector, f"word{right}", hits, "faq", 0.1, 0.99, 0.04))
        assert isinstance(reply, Judged)
        if reply.place is None:
            judge.learn(Learn(reply.ticket, "yes", f"x{right}"))
    return judge


def test_a_judged_hit_that_is_picked_is_given_and_its_verdict_is_learned() -> None:
    judge = trained(opened())
    vector = np.zeros(DIMENSION, np.float32)
    vector[1] = 1.0
    command = Judge(vector, "word1", (hit("q1", 0.93, answer="x1"),), "faq", 0.1, 0.0, 0.04)
    before = judge.state.calibration.learned
    picked = judged(judge, command)
    assert (picked.place, picked.verify) == (0, True)
    assert check(judge, picked.ticket, "yes", "x1").same is True
    assert judge.state.calibration.learned == before + 1
    figures = judge.report()[0]
    assert (figures["checked"], figures["diverged"]) == (1, 0)


def test_judged_hits_that_keep_turning_out_wrong_ask_for_more_confidence(caplog: pytest.LogCaptureFixture) -> None:
    judge = trained(opened())
    vector = np.zeros(DIMENSION, np.float32)
    vector[1] = 1.0
    confidence = judge.report()[0]["confidence"]
    for _ in range(10):
        picked = judge.judge(Judge(vector, "word1", (hit("q1", 0.93, answer="x1"),), "faq", 0.1, 0.0, 0.04))
        if not (isinstance(picked, Judged) and picked.verify):
            break
        check(judge, picked.ticket, "no", "other")
        if judge.report()[0]["tightened"]:
            break
    assert judge.report()[0]["tightened"] == 1
    assert str(judge.report()[0]["confidence"]) > str(confidence)
    assert caplog.text.count("similar hits are more strictly judged") == 1


def test_without_a_share_nothing_is_verified() -> None:
    judge = opened()
    none = Judge(*(getattr(question(1, (hit("a", 0.97, answer="x"),)), name) for name in (
        "vector", "text", "hits", "intent", "limit")), chance=0.0, verify=0.0)  # fmt: skip
    assert judged(judge, none).verify is False
    assert judge.admit(Admit(hit("a", 0.97), "faq", 0.9, 0.1, 0.0, 0.0)).ticket is None
