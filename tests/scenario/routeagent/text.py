"""A node's plan as one text of the commands that a reader knows."""

from __future__ import annotations

from isthmus.dataplane import render
from routeagent.plan.node import NodePlan


def render_plan(plan: NodePlan) -> str:
    """The whole plan; two plans with the same text do the same."""
    lines = [
        *map(render.render_link, plan.links),
        *map(render.render_address, plan.addresses),
        *map(render.render_neighbour, plan.neighbours),
        *map(render.render_fdb_entry, plan.fdb),
        *render.render_routes(plan.routes),
        *map(render.render_policy_rule, plan.rules),
        *render.render_sysctls(dict(plan.settings)),
    ]
    return "\n".join([*lines, render.render_ruleset(plan.ruleset)])
