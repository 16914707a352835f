"""A draft put before the server: what it refuses is changed until it lets the rows in."""

from __future__ import annotations

from collections.abc import Iterator

from harness.errors import DatabaseError
from harness.ports import Engine, Rows, Session
from harness.ports.table_specs import Formula
from harness.row_generation import variety
from harness.row_generation.draft import Choice, Draft, nothing
from harness.row_generation.narrowing import narrow

SAVEPOINT = "before_filling"


class Trial:
    """One session in which statements may fail; in a transaction each is undone by itself.

    ``plainly``: a row that is there already is refused first, and left out only then.
    """

    def __init__(self, engine: Engine, session: Session, plainly: bool = False) -> None:
        self.engine, self.session, self._plainly = engine, session, plainly
        self.in_transaction = False
        self.refusal = ""
        """What the server said last against rows, even if others went in."""

    def put(self, draft: Draft, unchecked: bool = False) -> str:
        """Insert the rows of the draft, changed as little as it needs; "" or why there are none.

        ``unchecked``: foreign keys are not looked at. A lost connection is the only DatabaseError
        that leaves this.
        """
        self.refusal = ""
        why_not = self._put(draft, unchecked)
        if why_not and (sound := self._sound(draft)) is not draft:
            why_not = self._put(sound, unchecked)
        return why_not

    def _put(self, draft: Draft, unchecked: bool) -> str:
        narrowed = narrow(self.engine, self.ask, draft, self._sound)
        if narrowed.unmet:
            return f"no values were found that satisfy the check {narrowed.unmet}"
        draft = variety.varied(self.engine, self.ask, narrowed.draft, narrowed.checks)
        module = self.engine.table_specs
        if unchecked:
            self.session.run(module.UNCHECKED)
        for changed in self._ways(draft):
            if not (said := self._insert(changed)):
                break
            self._said = said
        if unchecked:
            self.session.run(module.CHECKED)
        return f"the server refused: {said}" if said else ""

    def ask(self, sql: str) -> Rows:
        """Run it; a DatabaseError leaves the transaction, if there is one, as it was."""
        if not self.in_transaction:
            return self.session.run(sql)
        self.session.run(f"SAVEPOINT {SAVEPOINT}")
        try:
            rows = self.session.run(sql)
        except DatabaseError as error:
            if not error.lost:
                self.session.run(f"ROLLBACK TO SAVEPOINT {SAVEPOINT}")
            raise
        self.session.run(f"RELEASE SAVEPOINT {SAVEPOINT}")
        return rows

    def attempt(self, sql: str) -> str:
        """What the server says against it, or ""."""
        try:
            self.ask(sql)
        except DatabaseError as error:
            if error.lost:
                raise
            return error.message
        return ""

    # ------------------------------------------------------------------ ways

    def _ways(self, draft: Draft) -> Iterator[Draft]:
        """The draft, then with ever fewer seldom values, then with ever fewer values.

        What the server names in its refusal is given up first.
        """
        self._said = ""
        yield draft
        while named := self._named(draft) & {n for n, of in draft.variants.items() if of}:
            draft = variety.without(draft, named, half=True)
            yield draft
        if any(draft.variants.values()):
            able = variety.computable(self.ask, draft)
            if able != draft:
                draft = able
                yield draft
        if any(draft.variants.values()):
            draft = variety.without(draft, draft.variants.keys())
            yield draft
        gone = set[str]()
        while (cured := self._cured(draft, gone)) is not None:
            draft = cured
            yield draft

    def _named(self, draft: Draft) -> set[str]:
        """The columns that the last refusal names, or that what it names is computed from."""
        spec = draft.spec
        named = [
            column.name
            for column in spec.columns
            if f"'{column.name}'" in self._said or f'"{column.name}"' in self._said
        ]
        return set[str]().union(*map(spec.sources, named))

    def _cured(self, draft: Draft, gone: set[str]) -> Draft | None:
        """Without a value in a column that the server refuses by its name."""
        keyed = {name for key in draft.spec.keys for name in key.columns}
        for column in draft.spec.columns:
            name, formula = column.name, draft.choices[column.name].formula
            if formula is None or column.served or column.generated or not column.nullable:
                continue
            if name not in keyed | draft.fixed | gone and (
                f"'{name}'" in self._said or f'"{name}"' in self._said
            ):
                gone.add(name)
                return draft.with_choices({name: Choice(nothing(formula))})
        return None

    def _insert(self, draft: Draft) -> str:
        """The server's first refusal, or "" if one way to insert went through."""
        refusal = ""
        columns, select = draft.columns(), draft.select()
        module = self.engine.table_specs
        ways = module.inserts(draft.spec, columns, select)
        if self._plainly:
            ways.sort(key=len)
        for sql in ways:
            if not (said := self.attempt(sql)):
                return ""
            self.refusal = refusal = refusal or said
        return refusal

    def _sound(self, draft: Draft) -> Draft:
        """The draft without formulas that the server cannot compute; the next best instead."""
        if not self.attempt(f"SELECT * FROM ({draft.select(whole=True)}) AS drafted LIMIT 1"):
            return draft
        changes = {}
        for column in draft.spec.columns:
            formula = draft.choices[column.name].formula
            if formula is None or column.served or self._can_be_made(draft, formula):
                continue
            others = self.engine.table_specs.formulas(column.kind)[1:]
            able = next((other for other in others if self._can_be_made(draft, other)), None)
            changes[column.name] = Choice(able or nothing(formula))
        return draft.with_choices(changes)

    def _can_be_made(self, draft: Draft, formula: Formula) -> bool:
        value = formula.at("series.n - 1")
        return not self.attempt(f"SELECT count({value}) FROM {draft.series}")
