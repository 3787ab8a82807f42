"""`isthmus lab link | connect | install | uninstall`: what is done to a lab that is up."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from isthmus.lab import clusterset
from isthmus.lab import lab as labs
from isthmus.lab.install import install as install_daemons
from isthmus.lab.install import uninstall as uninstall_daemons
from isthmus.lab.progress import report
from isthmus.lab.wan import lab_router, read_states, set_link
from isthmus.lab.wanplan import LinkState
from isthmus.reconcile.errors import Fatal

app = typer.Typer()
Name = Annotated[str, typer.Option("--name", help="Which lab.")]
Clusters = Annotated[list[str] | None, typer.Argument(metavar="[CLUSTER]...", help="[all clusters]")]


@app.command()
def link(  # noqa: PLR0913 - an option each
    first: Annotated[str, typer.Argument(metavar="SITE", help="One site.")] = "",
    second: Annotated[str, typer.Argument(metavar="SITE", help="The other.")] = "",
    delay: Annotated[float | None, typer.Option(metavar="MS", help="Delay one way, in milliseconds.")] = None,
    loss: Annotated[
        float | None, typer.Option(metavar="PCT", help="Packets lost each way, in percent.")
    ] = None,
    cut: Annotated[bool, typer.Option("--cut", help="Let nothing through.")] = False,
    restore: Annotated[bool, typer.Option("--restore", help="Undo cut, delay and loss.")] = False,
    name: Name = labs.DEFAULT_NAME,
) -> None:
    """Cut, slow or restore the WAN between two sites; without sites, show all links."""
    router = lab_router(labs.opened(name))
    if first or second:
        chosen = router.link(first, second)
        state = LinkState() if restore else read_states(router)[chosen]
        set_link(router, chosen, changed(state, delay, loss, cut))
    for shown, state in read_states(router).items():
        print(f"{shown.first.site} - {shown.second.site}: {state}")


def changed(state: LinkState, delay: float | None, loss: float | None, cut: bool) -> LinkState:
    """Return *state* with what was asked for; Fatal for a delay or loss that cannot be."""
    if delay is not None and not 0 <= delay <= 10_000:
        raise Fatal(f"--delay {delay:g}: use 0 to 10000 milliseconds")
    if loss is not None and not 0 <= loss <= 100:
        raise Fatal(f"--loss {loss:g}: use 0 to 100 percent")
    return replace(
        state,
        cut=state.cut or cut,
        delay_ms=state.delay_ms if delay is None else delay,
        loss_percent=state.loss_percent if loss is None else loss,
    )


@app.command()
def connect(name: Name = labs.DEFAULT_NAME) -> None:
    """Deploy a broker in the first cluster, join all, start the daemons and wait for the tunnels."""
    clusterset.join_all(labs.opened(name), report)


@app.command()
def install(clusters: Clusters = None, name: Name = labs.DEFAULT_NAME) -> None:
    """Start the daemons on the nodes of clusters that have joined."""
    lab = labs.opened(name)
    install_daemons(lab, _chosen(lab, clusters), report)


@app.command()
def uninstall(clusters: Clusters = None, name: Name = labs.DEFAULT_NAME) -> None:
    """Stop the daemons and remove from the nodes all that they made."""
    lab = labs.opened(name)
    uninstall_daemons(lab, _chosen(lab, clusters), report)


def _chosen(lab: labs.Lab, clusters: list[str] | None) -> list[str]:
    return [lab.topology.cluster(given).name for given in clusters or [c.name for c in lab.topology.clusters]]
