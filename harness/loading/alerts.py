"""An alert of a scenario is three claims: silent before, loud in the damage, silent at the end."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

from harness.model import ATOMIC, Claim, Damage, Mode, Scenario, Scope

SOON_S = 3.0
"""How soon an alert has to be silent: nothing is wrong then."""

OF_A_MODE = frozenset({ATOMIC, *get_args(Mode)})
"""Words of ``where`` that say how a migration is sent, and nothing of the engine."""


def spread(scenario: Scenario) -> Scenario:
    """The scenario with those claims in the sections they belong to.

    ``where`` and ``faults`` of an alert say in which damage it is loud. Silent it is everywhere on
    engines on which it can ring: on others its silence would be a check that cannot fail.
    """
    if not scenario.alerts:
        return scenario
    silent = tuple(map(_silent, scenario.alerts))
    loud = tuple(Damage((_loud(alert),), alert.scope) for alert in scenario.alerts)
    return replace(
        scenario,
        steady_state=(*scenario.steady_state, *silent),
        damage=(*scenario.damage, *loud),
        verify=(*scenario.verify, *silent),
    )


def _silent(alert: Claim) -> Claim:
    probe = replace(alert.probe, fires=False, within_s=SOON_S)
    engines = (w for w in alert.scope.where if w.removeprefix("not-") not in OF_A_MODE)
    scope = Scope(tuple(engines))
    return replace(alert, name=f"silent: {alert.name}", probe=probe, scope=scope)


def _loud(alert: Claim) -> Claim:
    return replace(alert, name=f"alert: {alert.name}")
