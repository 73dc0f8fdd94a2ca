"""An image from hand-made layers, in the two ways in which lamina learns what files contain."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.layer_tars import Stacking, opened, stack


@pytest.fixture(params=["hashed in passing", "archive opened in place"])
def image_of(request: pytest.FixtureRequest, tmp_path: Path) -> Stacking:
    """Makes an image of layers, each given by its members. A test that asks for it runs once for each way."""
    if request.param == "hashed in passing":
        return stack
    return lambda *layers, **options: opened(tmp_path, *layers, **options)
