"""The promise of the dry-run: live traffic gets the decisions that the replay of the same traffic makes."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import openai
import pytest

from costpol.evaluate.corpus import Corpus
from costpol.evaluate.record import Record
from costpol.evaluate.rehearsal import rehearse
from costpol.evaluate.replay import Replay
from costpol.pipeline.headers import decision_headers
from costpol.policy.loader import read_bundle

ROOT = Path(__file__).parents[2]
COSTPOL = [sys.executable, "-m", "costpol"]
REQUESTS = 120
DECIDED = ("x-costpol-intent", "x-costpol-route", "x-costpol-model", "x-costpol-cache", "x-costpol-hit")
        given = served(records, address, stream=stream)
    promised = replayed(records)
    assert given == promised
    assert len({decision["x-costpol-cache"].split(";")[0] for decision in given}) == 3, "hits, misses and bypasses"
