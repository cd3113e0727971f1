"""`costpol simulate`: a provider that only pretends, for demos and tests."""

from __future__ import annotations

import click


@click.command("simulate", short_help="pretend to be a provider, for demos and tests")
@click.option("--host", default="127.0.0.1", show_default=True, help="The interface to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=9000, show_default=True, help="The port; 0 takes one that is free."
)
@click.option(
    "--latency", type=click.FloatRange(0, 60), default=0.0, show_default=True, help="Seconds until an answer begins."
)
@click.option(
    "--pause", type=click.FloatRange(0, 10), default=0.0, show_default=True, help="Seconds between events of a stream."
)
def command(host: str, port: int, latency: float, pause: float) -> int:
    """Serve an OpenAI-compatible API whose answers follow from the question alone. No model, no key, no bill.

    A model name that ends with `:fail-429` (or another status), `:fail-hang`, `:fail-garbage`, `:fail-cut` or
    `:fail-stall` fails in that way.
    """
    import uvicorn

    from costpol.proxy.identity import Identities
    from costpol.proxy.server import listen
    from costpol.proxy.simulated import SimulatedProvider

    sock = listen(host, port, Identities())
    click.echo(f"a simulated provider listens on http://{host}:{sock.getsockname()[1]}/v1")
    provider = SimulatedProvider(latency, pause)
    config = uvicorn.Config(
        provider,
        http="httptools",
        ws="none",
        lifespan="off",
        access_log=False,
        log_level="critical",
    )
    uvicorn.Server(config).run(sockets=[sock])
    return 0
