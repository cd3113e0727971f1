"""The report as a JSON document. Money is in exact dollars, shares are between 0 and 1."""

from __future__ import annotations

from typing import Any

from msgspec import json

from costpol.reporting.tuning.band import CONFIDENCE
from costpol.reporting.tuning.figures import Curve, Point, Setting, Suspect, Tuning
from costpol.reporting.tuning.words import verdict
from costpol.units import short_usd

_ENCODER = json.Encoder(decimal_format="number")


def render_json(tuning: Tuning) -> str:
    """The document of `to_document`, indented."""
    return json.format(_ENCODER.encode(to_document(tuning)), indent=2).decode()


def to_document(tuning: Tuning) -> dict[str, Any]:
    """The report as plain data; `None` where nothing was measured."""
    return {
        "requests": tuning.requests,
        "orders": tuning.orders,
        "max_wrong": tuning.limit,
        "band": {"method": "Clopper-Pearson", "confidence": CONFIDENCE},
        "policy": tuning.policy,
        "prices": tuning.prices,
        "embedder": tuning.embedder,
        "judged_by": dict(tuning.judged_by),
        "intents": {curve.intent: _curve(curve, tuning) for curve in tuning.curves},
        "skipped_lines": {"count": tuning.skipped, "first": list(tuning.skipped_first)},
    }


def _curve(curve: Curve, tuning: Tuning) -> dict[str, Any]:
    return {
        "requests": curve.requests,
        "written": _setting(curve.written),
        "chosen": None if curve.chosen is None else _setting(curve.chosen),
        "recommendation": verdict(curve, tuning),
        "yaml": curve.snippet,
        "points": [_point(point, tuning) for point in curve.points],
        "suspects": [_suspect(suspect) for suspect in curve.suspects],
    }


def _setting(setting: Setting) -> dict[str, Any]:
    return {"kind": setting.kind, "value": setting.value}


def _point(point: Point, tuning: Tuning) -> dict[str, Any]:
    return {
        "setting": _setting(point.setting),
        "requests": point.requests,
        "hits": point.hits,
        "similar_hits": point.similar,
        "hit_rate": round(point.hit_rate, 6),
        "judged": point.judged,
        "wrong_hits": point.wrong,
        "wrong_hit_rate": None if point.wrong_share is None else round(point.wrong_share, 6),
        "wrong_hit_rate_band": None if point.band is None else [round(end, 6) for end in point.band],
        "worst_wrong_hit_rate": None if point.worst is None else round(point.worst, 6),
        "keeps_limit": point.keeps(tuning.limit),
        "saved_usd": short_usd(point.saved // point.orders),
        "own_cost_usd": short_usd(point.own_cost // point.orders),
        "net_usd": short_usd(point.net),
    }


def _suspect(suspect: Suspect) -> dict[str, Any]:
    return {
        "request": suspect.request,
        "similarity": suspect.similarity,
        "probability": suspect.probability,
        "right": suspect.right,
        "hits": suspect.hits,
        "question": suspect.question,
        "kept_question": suspect.kept_question,
        "answer": suspect.answer,
        "kept_answer": suspect.kept_answer,
    }
