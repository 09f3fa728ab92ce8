"""A file that was deleted is uploaded again when a later call needs it; one that was not deleted is not."""

from __future__ import annotations

import importlib.util
from types import SimpleNamespace
from typing import Any, Final

import pytest

from tess_openai.core.calls import Answer, UploadedFile, UploadResult
from tess_openai.core.options import Options
from tess_openai.core.refusals import Refused, refuse
from tess_openai.edge.adapter import Adapter
from tess_openai.edge.call_driver import NOT_SENT
from tess_openai.edge.families import FAMILY_NAMES, FamilyName, load_family
from tess_openai.edge.origins import Origin
from tess_openai.edge.sync_driver import SyncDriver

INSTALLED: Final = [name for name in FAMILY_NAMES if importlib.util.find_spec(name)]


@pytest.mark.parametrize("name", INSTALLED)
@pytest.mark.parametrize(
    ("path", "extensions", "is_forgotten"),
    [
        pytest.param("/files/7", {}, True, id="this file"),
        pytest.param("/files/7/", {}, True, id="with a slash at the end"),
        pytest.param("/files/api/files/7", {}, True, id="below a path of a proxy"),
        pytest.param("/files/70", {}, False, id="another file"),
        pytest.param("/files/7", {NOT_SENT: True}, False, id="a request that pacing did not send"),
    ],
)
def test_a_deleted_file_is_no_longer_cached(
    name: FamilyName, path: str, extensions: dict[str, Any], is_forgotten: bool
) -> None:
    """Its number would lead to nothing."""
    family = load_family(name)
    adapter = Adapter(Origin("https", "tess.example", None, ""), Options())
    adapter.uploads.find("digest", lambda: UploadedFile(7))
    request = family.Request("DELETE", f"https://tess.example{path}")
    transport = SimpleNamespace(adapter=adapter, family=family)
    driver = SyncDriver(refuse(Refused("unused", param=None, code="unused")), transport, request)
    driver.set_response(request, family.Response(200, extensions=extensions))

    def upload_again() -> UploadResult:
        return Answer(500)

    assert isinstance(adapter.uploads.find("digest", upload_again), Answer) is is_forgotten
