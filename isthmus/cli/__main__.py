"""The argument tree of `isthmus`: one function per command, which imports what it runs only when it runs.

Help and completion must not wait for a Kubernetes client to load. Exit codes: 0 done, 1 not done, 2 misused.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from isthmus.cli.faults import FAILED, Fault
from isthmus.cli.output import Format, to_stderr
from isthmus.reconcile.errors import Fatal, Transient

app = typer.Typer(
    name="isthmus",
    help="Joins Kubernetes clusters: encrypted Pod and Service traffic between them.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=True,
)
show_app = typer.Typer(
    help="Show what the clusters report of themselves.", no_args_is_help=True, rich_markup_mode=None
)
app.add_typer(show_app, name="show")

Kubeconfig = Annotated[
    str, typer.Option("--kubeconfig", metavar="FILE", help="Kubeconfig to use. [$KUBECONFIG, ~/.kube/config]")
]
Context = Annotated[
    str, typer.Option("--context", metavar="NAME", help="Context of the kubeconfig. [its current context]")
]
Contexts = Annotated[
    str,
    typer.Option("--contexts", metavar="A,B", help="Several contexts. [every cluster of the kubeconfig]"),
]
Output = Annotated[Format, typer.Option("--output", "-o", help="Form of the result.")]
Namespace = Annotated[str, typer.Option("--namespace", "-n", help="Namespace of Isthmus in the clusters.")]
BrokerUrl = Annotated[
    str, typer.Option("--broker-url", metavar="URL", help="Address of the broker's API server, if another.")
]


@app.command("deploy-broker")
def deploy_broker(
    kubeconfig: Kubeconfig = "",
    context: Context = "",
    namespace: Annotated[
        str, typer.Option("--namespace", "-n", help="Namespace of the broker.")
    ] = "submariner-k8s-broker",
    broker_url: BrokerUrl = "",
    psk_from: Annotated[
        str, typer.Option("--ipsec-psk-from", metavar="FILE", help="Take the key of another broker file.")
    ] = "",
) -> None:
    """Make a cluster the broker.

    Writes broker-info.subm in this directory: the file that other clusters join with.
    """
    from isthmus.cli.deploybroker import BrokerRequest
    from isthmus.cli.run import Way, run_deploy_broker

    run_deploy_broker(Way(kubeconfig, context), BrokerRequest(namespace, broker_url), psk_from)


@app.command("join")
def join(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="The broker-info.subm that deploy-broker wrote.")
    ],
    kubeconfig: Kubeconfig = "",
    context: Context = "",
    cluster_id: Annotated[
        str, typer.Option("--clusterid", metavar="ID", help="Id to join under. [the kubeconfig's name]")
    ] = "",
    cluster_cidr: Annotated[
        str, typer.Option("--clustercidr", metavar="CIDRS", help="Range of the Pods. [detected]")
    ] = "",
    service_cidr: Annotated[
        str, typer.Option("--servicecidr", metavar="CIDRS", help="Range of the Services. [detected]")
    ] = "",
    gateway_node: Annotated[
        list[str] | None,
        typer.Option("--gateway-node", metavar="NODE", help="Node to label as gateway; repeatable."),
    ] = None,
    label_gateway: Annotated[
        bool, typer.Option("--label-gateway/--no-label-gateway", help="Label a gateway node if none is.")
    ] = True,
    cable_driver: Annotated[str, typer.Option("--cable-driver", help="Kind of tunnel.")] = "libreswan",
    natt_port: Annotated[int, typer.Option("--nattport", help="UDP port of the tunnels.")] = 4500,
    natt: Annotated[
        bool, typer.Option("--natt/--no-natt", help="Peers reach us at the public address.")
    ] = True,
    force_udp_encaps: Annotated[
        bool, typer.Option("--force-udp-encaps", help="ESP in UDP even where no NAT is found.")
    ] = False,
    preferred_server: Annotated[
        bool, typer.Option("--preferred-server", help="Let the peers start the tunnels.")
    ] = False,
    air_gapped: Annotated[
        bool, typer.Option("--air-gapped", help="Do not ask outside for the public address.")
    ] = False,
    health_check: Annotated[
        bool, typer.Option("--health-check/--no-health-check", help="Ping the peers through the tunnels.")
    ] = True,
    health_check_interval: Annotated[int, typer.Option(help="Seconds between two pings.")] = 1,
    health_check_max_packet_loss_count: Annotated[int, typer.Option(help="Lost pings until down.")] = 5,
    broker_url: BrokerUrl = "",
    check_broker_certificate: Annotated[
        bool,
        typer.Option(
            "--check-broker-certificate/--no-check-broker-certificate", help="Trust only the file's CA."
        ),
    ] = True,
    pod_debug: Annotated[bool, typer.Option("--pod-debug", help="Let the daemons log in detail.")] = False,
) -> None:
    """Make a cluster a member.

    FILE is the broker-info.subm of the clusterset. Running it again repairs.
    """
    from isthmus.cli.joinplan import JoinArguments
    from isthmus.cli.run import Way, run_join
    from isthmus.cli.settings import HealthCheck, Tunnel

    arguments = JoinArguments(
        cluster_id=cluster_id,
        cluster_cidr=cluster_cidr,
        service_cidr=service_cidr,
        gateway_nodes=tuple(gateway_node or ()),
        label_gateway=label_gateway,
        tunnel=Tunnel(cable_driver, natt_port, natt, force_udp_encaps, preferred_server, air_gapped),
        health=HealthCheck(health_check, health_check_interval, health_check_max_packet_loss_count),
        debug=pod_debug,
    )
    run_join(file, Way(kubeconfig, context), broker_url, arguments, insecure=not check_broker_certificate)


@app.command("leave")
def leave(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="The broker file, to remove the account too.")
    ] = None,
    kubeconfig: Kubeconfig = "",
    context: Context = "",
    broker_url: BrokerUrl = "",
    local_only: Annotated[
        bool, typer.Option("--local-only", help="Leave the broker as it is, for one that is gone.")
    ] = False,
    purge_crds: Annotated[
        bool, typer.Option("--purge-crds", help="Remove the custom resource definitions as well.")
    ] = False,
) -> None:
    """Take a cluster out of its clusterset.

    Stop the daemons first (in the lab: isthmus lab uninstall). With FILE, the broker-info.subm, the cluster's
    account at the broker goes too.
    """
    from isthmus.cli.run import Way, run_leave

    run_leave(file, Way(kubeconfig, context), broker_url, local_only=local_only, purge_schemas=purge_crds)


def _show(subject: str, kubeconfig: str, context: str, contexts: str, namespace: str, output: Format) -> None:
    from isthmus.cli.run import Selection, run_show

    run_show(subject, Selection(kubeconfig, context, contexts), namespace, output)


@show_app.command("clusters")
def show_clusters(
    kubeconfig: Kubeconfig = "",
    context: Context = "",
    contexts: Contexts = "",
    namespace: Namespace = "submariner-operator",
    output: Output = Format.TABLE,
) -> None:
    """Show the members and their ranges."""
    _show("clusters", kubeconfig, context, contexts, namespace, output)


@show_app.command("endpoints")
def show_endpoints(
    kubeconfig: Kubeconfig = "",
    context: Context = "",
    contexts: Contexts = "",
    namespace: Namespace = "submariner-operator",
    output: Output = Format.TABLE,
) -> None:
    """Show the gateways' addresses, here and there."""
    _show("endpoints", kubeconfig, context, contexts, namespace, output)


@show_app.command("connections")
def show_connections(
    kubeconfig: Kubeconfig = "",
    context: Context = "",
    contexts: Contexts = "",
    namespace: Namespace = "submariner-operator",
    output: Output = Format.TABLE,
) -> None:
    """Show the tunnels, their state and round-trip time."""
    _show("connections", kubeconfig, context, contexts, namespace, output)


@show_app.command("gateways")
def show_gateways(
    kubeconfig: Kubeconfig = "",
    context: Context = "",
    contexts: Contexts = "",
    namespace: Namespace = "submariner-operator",
    output: Output = Format.TABLE,
) -> None:
    """Show the gateway nodes and which one leads."""
    _show("gateways", kubeconfig, context, contexts, namespace, output)


@app.command(
    "lab",
    # All that follows belongs to the lab's own argument tree, `--help` and `--` included.
    context_settings={
        "ignore_unknown_options": True,
        "allow_extra_args": True,
        "allow_interspersed_args": False,
        "help_option_names": [],
    },
)
def lab(context: typer.Context) -> None:
    """Run whole clusters on this machine (root)."""
    from isthmus.lab.commands import app as lab_app

    lab_app(args=context.args, prog_name="isthmus lab")


@app.command("version")
def version() -> None:
    """Show the version."""
    from importlib.metadata import version as installed_version

    typer.echo(f"isthmus version: {installed_version('isthmus')}")


def main() -> None:
    """Run the command line; a user's mistake is one line on stderr, never a traceback."""
    try:
        app()
    except Fault as fault:
        to_stderr().failed(str(fault))
        sys.exit(fault.exit_code)
    except (Transient, Fatal) as error:
        to_stderr().failed(str(error))
        sys.exit(FAILED)


if __name__ == "__main__":
    main()
