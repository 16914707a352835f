"""Queries by which a person tells whether one object is there: as on MySQL."""

from __future__ import annotations

from harness.engines.mysql.probing import probe_sql

__all__ = ["probe_sql"]
