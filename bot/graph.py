"""Runs Rasa's graph one node after the other: it never has two nodes that could run at once when serving."""

from __future__ import annotations

from typing import Any

from rasa.engine.exceptions import GraphRunError
from rasa.engine.runner.dask import DaskGraphRunner


class PlainGraphRunner(DaskGraphRunner):
    """Dask plans the same few nodes anew for every message; here the plan is made once."""

    def run(self, inputs: dict[str, Any] | None = None, targets: list[str] | None = None) -> dict[str, Any]:
        wanted = tuple(targets or self._graph_schema.target_names)
        results: dict[str, Any] = {name: (name, value) for name, value in (inputs or {}).items()}
        for name, needs in self._plan(wanted, frozenset(results)):
            results[name] = self._instantiated_nodes[name](*(results[need] for need in needs))
        return {name: results[name][1] for name in wanted}

    def _plan(self, targets: tuple[str, ...], given: frozenset[str]) -> list[tuple[str, tuple[str, ...]]]:
        plans: dict[Any, list[tuple[str, tuple[str, ...]]]] = self.__dict__.setdefault("_plans", {})
        if (targets, given) not in plans:
            plans[targets, given] = self._make_plan(targets, given)
        return plans[targets, given]

    def _make_plan(self, targets: tuple[str, ...], given: frozenset[str]) -> list[tuple[str, tuple[str, ...]]]:
        nodes = self._graph_schema.minimal_graph_schema(list(targets)).nodes
        waiting = {name: tuple(node.needs.values()) for name, node in nodes.items()}
        ready, plan = set(given), []
        while waiting:
            runnable = [name for name, needs in waiting.items() if ready.issuperset(needs)]
            if not runnable:
                raise GraphRunError(f"nothing provides what {', '.join(sorted(waiting))} need")
            for name in runnable:
                plan.append((name, waiting.pop(name)))
                ready.add(name)
        return plan
