"""Tries every recovery on copies of one crash state, and judges each by what it leaves."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from harness.errors import DatabaseError, DeadlineExceeded, EnvironmentProblem
from harness.state.difference import difference
from harness.sweep import verdicts
from harness.sweep.cures import RE_RUN, Cure, Shown, first_cure
from harness.sweep.recoveries import Recoveries, Recovery, shortened
from harness.sweep.reference import Reference
from harness.sweep.subject import Crash
from harness.sweep.sweep_server import SweepServer, TrialDatabase
from harness.sweep.verdicts import Attempt, Probe

KEPT = "crash"
PROBES = 8
"""Queries that a person is given to tell a state; more would not be read in an emergency."""


class RecoveryTrials:
    """Tries the recoveries of one crash after the other."""

    def __init__(
        self, server: SweepServer, recoveries: Recoveries, tables: Collection[str]
    ) -> None:
        self._server = server
        self._recoveries = recoveries
        self._tables = tuple(tables)
        self._kept: dict[str, TrialDatabase] = {}

    def probe(self, reference: Reference, database: str) -> tuple[Probe, ...]:
        """The queries that tell the migration's states apart, and what each finds in this one."""
        found = []
        for key in reference.landmarks():
            sql = self._server.engine.probing.probe_sql(key)
            if sql:
                count = self._server.session(database).run(sql).scalar()
                found.append(Probe(key, sql, int(count)))
        return tuple(found[:PROBES])

    def as_shown(self, crash: Crash, shown: Shown) -> tuple[Attempt, ...]:
        """By rule: each recovery as it came out on an earlier state of this kind."""
        every = self._recoveries.of(crash)
        return tuple(
            Attempt(
                recovery.name,
                recovery.kind,
                was.healed,
                "" if was.healed else f"as {shown.state} by rule",
                recovery.commands,
                was.blocked,
            )
            for recovery, was in zip(every, shown.attempts, strict=False)
        )

    def heal(
        self,
        crash: Crash,
        trial: TrialDatabase,
        strike: Callable[[TrialDatabase], None],
        likely: Cure | None = None,
    ) -> tuple[Attempt, ...]:
        """Every recovery, each on its own copy of the state; all of them, also after one heals.

        ``strike`` brings the state about once more: what a server cannot make anew, as tables of
        which only their own history explains how they go together, is struck again for each. Where
        it is known what heals such a state, the plain re-run and that are tried, and the others
        only if it does not.
        """
        kept = self._kept.setdefault(trial.database, TrialDatabase(f"{KEPT}_of_{trial.database}"))
        every = list(self._recoveries.of(crash))
        first = [one for one in every if one.kind == RE_RUN or _is(one, likely, every)]
        alone = likely is not None and len(first) == 1
        copied = not alone and self._is_copied(crash, trial, kept)
        trial.holds = crash.snapshot
        tried: dict[str, Attempt] = {}
        for recovery in (*first, *every) if likely else every:
            if recovery.name in tried:
                continue
            if recovery not in first and likely and first_cure(list(tried.values())):
                break
            if copied:
                self._server.prepare(trial, kept.database, crash.snapshot)
            elif trial.holds != crash.snapshot:
                strike(trial)
            if not copied and trial.holds != crash.snapshot:
                tried[recovery.name] = _not_tried(recovery)
                continue
            trial.holds = None
            tried[recovery.name] = self._attempt(crash, trial, recovery)
        if copied and not first_cure(list(tried.values())) and not self._copies_files:
            tried |= self._on_the_state_itself(crash, trial, strike, every)
        return tuple(tried[one.name] for one in every if one.name in tried)

    def _on_the_state_itself(
        self,
        crash: Crash,
        trial: TrialDatabase,
        strike: Callable[[TrialDatabase], None],
        every: Sequence[Recovery],
    ) -> dict[str, Attempt]:
        """The first recovery that heals the state where it was struck, if none healed its copy.

        A server remembers more of a table than it tells: MySQL drops the index that it made for a
        foreign key by itself, and in a copy it is one like any other.
        """
        for recovery in every:
            strike(trial)
            if trial.holds != crash.snapshot:
                break
            trial.holds = None
            attempt = self._attempt(crash, trial, recovery)
            if attempt.healed:
                return {recovery.name: attempt}
        return {}

    @property
    def _copies_files(self) -> bool:
        return "copies-files" in self._server.engine.traits

    def _is_copied(self, crash: Crash, trial: TrialDatabase, kept: TrialDatabase) -> bool:
        """Keep a copy of the state; False if the server does not make one that is the same.

        A copy of the files needs no look.
        """
        try:
            self._server.prepare(kept, trial.database, crash.snapshot)
        except DatabaseError as error:
            if error.lost:
                raise
            return False
        if self._copies_files:
            return True
        volatile = crash.subject.reference.volatile
        return not difference(crash.snapshot, self._server.snapshot(kept.database, volatile))

    def _attempt(self, crash: Crash, trial: TrialDatabase, recovery: Recovery) -> Attempt:
        blocked, said = False, ""
        try:
            said = recovery.act(trial)
        except DeadlineExceeded as error:
            blocked, said = True, str(error)
        except (DatabaseError, EnvironmentProblem) as error:
            said = str(error)
        subject = crash.subject
        reference = subject.reference
        snapshot = self._server.snapshot(trial.database, reference.volatile)
        trial.holds = snapshot
        healed, differs = verdicts.judge(snapshot, reference, self._tables)
        settled = self._recoveries.settled(subject.migration, trial.database, down=subject.down)
        if healed and not settled:
            word = "reverted" if subject.down else "applied"
            healed, differs = False, f"the tool does not take it for {word}"
        return Attempt(
            recovery.name,
            recovery.kind,
            healed,
            "" if healed else "; ".join(part for part in (shortened(said), differs) if part),
            recovery.commands,
            blocked,
            verdicts.lost(snapshot, reference, self._tables),
        )


def _is(recovery: Recovery, cure: Cure | None, every: Sequence[Recovery]) -> bool:
    of_kind = [one for one in every if one.kind == recovery.kind]
    return cure is not None and cure == Cure(recovery.kind, of_kind.index(recovery))


def _not_tried(recovery: Recovery) -> Attempt:
    says = "not tried: the server cannot copy this state, and it could not be brought about again"
    return Attempt(recovery.name, recovery.kind, False, says, recovery.commands)
