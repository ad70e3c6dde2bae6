"""Lines of a case's timeline, ready to insert."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ..data.models import CaseRow, EntryRow
from ..types import Agent, AuthorKind, EntryKind


def entry(
    row: CaseRow,
    kind: EntryKind,
    at: datetime,
    *,
    agent: Agent | None = None,
    author: AuthorKind | None = None,
    author_name: str | None = None,
    public: bool = False,
    text: str | None = None,
    data: dict[str, Any] | None = None,
    key: str | None = None,
) -> dict[str, Any]:
    """Make a line of ``row``'s timeline; every column is there, so that many insert as one."""
    return {
        "case_id": row.id,
        "case_version": row.version,
        "at": at,
        "kind": kind,
        "author": author or (AuthorKind.AGENT if agent else AuthorKind.SYSTEM),
        "author_ref": str(agent.ref) if agent else None,
        "author_name": agent.name if agent else author_name,
        "public": public,
        "text": text,
        "data": data,
        "key": key,
    }


def as_change(line: EntryRow) -> dict[str, Any]:
    """Return what a reader of a conflict is told about a line."""
    return {
        "at": line.at,
        "kind": line.kind,
        "author": line.author,
        "name": line.author_name,
        "text": line.text,
        "data": line.data,
    }
