"""`isthmus lab …`: the lab's commands. Thin: each reads its arguments, calls the lab and prints."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from isthmus.lab import lab as labs
from isthmus.lab import operations, process
from isthmus.lab.binaries import find_programs
from isthmus.lab.progress import report
from isthmus.lab.topology import default_topology, load_topology
from isthmus.reconcile.errors import Fatal, Transient

app = typer.Typer(
    help="Kubernetes clusters on this machine, for demos, tests and figures (root).", no_args_is_help=True
)
app.add_typer(operations.app)
Name = Annotated[str, typer.Option("--name", help="Which lab; several can be up at once.")]


@app.command()
def up(
    name: Name = labs.DEFAULT_NAME,
    topology: Annotated[
        Path | None, typer.Option(help="YAML file; default: two clusters of two nodes.")
    ] = None,
    nftables: Annotated[bool, typer.Option(help="Run kube-proxy in nftables mode.")] = False,
) -> None:
    """Bring a lab up; harmless if it is up already."""
    wanted = load_topology(topology) if topology else default_topology("nftables" if nftables else "iptables")
    lab = labs.up(wanted, report, name)
    print(f"export KUBECONFIG={lab.paths.kubeconfig}")


@app.command()
def down(name: Name = labs.DEFAULT_NAME) -> None:
    """Remove a lab and everything it made, also one that was killed half-way."""
    labs.down(report, name)


@app.command()
def status(name: Name = labs.DEFAULT_NAME) -> None:
    """Show clusters, nodes, pods and what runs on each node."""
    lab = labs.opened(name)
    print(f"KUBECONFIG={lab.paths.kubeconfig}   kubectl: {find_programs(report).path('kubectl')}")
    for cluster in lab.topology.clusters:
        print(
            f"{cluster.name}: site {cluster.site}, API server {lab.plane(cluster.name).address}, "
            f"pods {cluster.pod_cidr}, Services {cluster.service_cidr}, kube-proxy {cluster.proxy_mode}"
        )
        for node in cluster.nodes:
            units = ", ".join(lab.machine(node.name).running()) or "nothing"
            pods = ", ".join(f"{cluster.name}/{pod.name} {pod.address}" for pod in node.pods)
            print(f"  {node.name}: {node.address.ip}, runs {units}; pods: {pods}")


# Options after the place belong to the command that is run there, --help and --name included.
@app.command("exec", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
def execute(
    place: Annotated[str, typer.Argument(help="A node, a pod as cluster/pod, a cluster, or `wan`.")],
    command: Annotated[list[str], typer.Argument(help="What to run there.")],
    name: Name = labs.DEFAULT_NAME,
) -> None:
    """Run a command on a node, in a pod, or in the WAN's router."""
    words = command[1:] if command[0] == "--" else command
    raise typer.Exit(process.attach(labs.opened(name).command(place, words)))


@app.command()
def logs(
    place: Annotated[str, typer.Argument(help="A node or a cluster.")],
    program: Annotated[str | None, typer.Argument(help="One program; default: list them.")] = None,
    lines: Annotated[int, typer.Option("-n", help="How many lines from the end.")] = 50,
    name: Name = labs.DEFAULT_NAME,
) -> None:
    """Show what a program on a node, or of a control plane, has written."""
    found = labs.log_files(labs.opened(name), place)
    if program is None:
        print("\n".join(found))
    elif program in found:
        print("\n".join(found[program].read_text(errors="replace").splitlines()[-lines:]))
    else:
        raise Fatal(f"{place} has no log of {program!r}; it has {', '.join(found) or 'none'}")


@app.command()
def demo(name: Name = labs.DEFAULT_NAME) -> None:
    """Bring up two clusters, join them and show what happens; the lab stays up."""
    from isthmus.lab.demo import demo as run_demo  # rich and charon are not needed by the other commands

    run_demo(name)


@app.command()
def binaries() -> None:
    """Build the Kubernetes programs, if they are not in the cache."""
    print(find_programs(report).directory)


def main() -> None:
    try:
        app()
    except (Fatal, Transient) as error:
        print(f"isthmus lab: {error}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
