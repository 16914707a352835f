"""An index, as the catalogue has it."""

from __future__ import annotations

from dataclasses import dataclass

from harness.ports import Answer, Finding
from harness.verbs.protocols import ClaimKind, Target


@dataclass(frozen=True)
class IndexClaim(ClaimKind):
    """``index: users.idx_users_phone`` exists (or not) and is ``valid``, ``unique``, ``visible``.

    ``valid`` is PostgreSQL's indisvalid and indisready: a killed CREATE INDEX CONCURRENTLY leaves
    an index that exists, costs every write, and serves no query.
    """

    index: str
    exists: bool = True
    valid: bool = True
    unique: bool | None = None
    visible: bool | None = None

    def check(self, target: Target) -> Finding:
        table, _, name = self.index.partition(".")
        with target.asking() as session:
            index = target.engine.catalog.indexes(session, table).get(name)
        if index is None:
            found, right = "not there", not self.exists
        else:
            facts = {
                "valid": (index.valid, self.valid),
                "unique": (index.unique, self.unique),
                "visible": (index.visible, self.visible),
            }
            found = "there" + "".join(
                f", {'' if is_so else 'not '}{word}" for word, (is_so, _) in facts.items()
            )
            right = self.exists and all(
                want is None or is_so == want for is_so, want in facts.values()
            )
        wanted = "not there"
        if self.exists:
            wants = {"valid": self.valid, "unique": self.unique, "visible": self.visible}
            wanted = "there" + "".join(
                f", {'' if want else 'not '}{word}"
                for word, want in wants.items()
                if want is not None
            )
        return Finding(Answer.HELD if right else Answer.NOT_HELD, found, wanted)


KIND = IndexClaim
