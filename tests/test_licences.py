"""The licence check says no when it should."""

from pathlib import Path

import pytest
from licences import complaints


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("License-Expression: MIT OR (Apache-2.0 AND BSD-3-Clause)", ""),
        ("License-Expression: MIT AND GPL-3.0-only", "acme: GPL-3.0-only is not among the allowed licences"),
        ("Classifier: License :: OSI Approved :: MIT License", ""),
        ("License: Proprietary", "acme: Proprietary is not among the allowed licences"),
        ("Summary: says nothing", "acme: no licence found"),
    ],
)
def test_a_licence_is_read_from_installed_metadata(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, complaint: str
) -> None:
    (tmp_path / "acme-1.dist-info").mkdir()
    (tmp_path / "acme-1.dist-info" / "METADATA").write_text(f"Metadata-Version: 2.4\nName: acme\nVersion: 1\n{line}\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert "".join(complaints(["acme"])).startswith(complaint)
    assert len(complaints(["acme"])) == bool(complaint)
