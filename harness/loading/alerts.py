"""An alert of a scenario is three claims: silent before, loud in the damage, silent at the end."""

from __future__ import annotations

from dataclasses import replace

from harness.model import Claim, Damage, Scenario, Scope

SOON_S = 3.0
"""How soon an alert has to be silent: nothing is wrong then."""


def spread(scenario: Scenario) -> Scenario:
    """The scenario with those claims in the sections they belong to.

    ``where`` and ``faults`` of an alert say in which damage it is loud; silent it is everywhere
    else.
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
    return replace(alert, name=f"silent: {alert.name}", probe=probe, scope=Scope())


def _loud(alert: Claim) -> Claim:
    return replace(alert, name=f"alert: {alert.name}")
