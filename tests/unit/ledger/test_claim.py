from __future__ import annotations

from pathlib import Path

import pytest

from costpol.errors import ProvisionError, StoreLockedError
from costpol.ledger.claim import Claim


def test_one_process_alone_or_several_together(tmp_path: Path) -> None:
    ledger = tmp_path / "data" / "ledger.sqlite"
    alone = Claim(ledger, shared=False)
    for shared in (False, True):
        with pytest.raises(StoreLockedError, match="in use by another process"):
            Claim(ledger, shared=shared)
    alone.release()
    together = [Claim(ledger, shared=True), Claim(ledger, shared=True)]
    with pytest.raises(StoreLockedError):
        Claim(ledger, shared=False)
    for claim in (*together, *together):
        claim.release()
    Claim(ledger, shared=False).release()


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ProvisionError, match="cannot be made"):
        Claim(tmp_path / "file" / "ledger.sqlite", shared=False)
