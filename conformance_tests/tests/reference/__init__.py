"""Correct adapters of invented providers, one for each shape of API: what the broken ones differ from."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from mailcore import AdapterSpec
from mailcore_conformance import Kit

__all__ = ["REFERENCES", "Reference"]


@attrs.frozen(kw_only=True)
class Reference:
    """One correct adapter and its kit."""

    spec: AdapterSpec
    kit: Kit


def _references() -> Mapping[str, Reference]:
    from reference import form_api, json_api, least_api, mime_api, multipart_api, smtp_api

    found = {
        "json": json_api,
        "form": form_api,
        "multipart": multipart_api,
        "mime": mime_api,
        "least": least_api,
        "smtp": smtp_api,
    }
    return {name: Reference(spec=module.SPEC, kit=module.KIT) for name, module in found.items()}


REFERENCES: Mapping[str, Reference] = _references()
