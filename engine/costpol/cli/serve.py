"""`costpol serve`: the sidecar in front of the providers."""

from __future__ import annotations

import socket
from pathlib import Path

import click

from costpol.errors import BundleError, UsageError
from costpol.units import parse_duration, parse_size

_LEAST_BODY, _MOST_BODY = 2**10, 2**30

_KEY_FORM = """
A callers file declares who may ask, each by the SHA-256 digest of its key:

\b
  callers:
    - {key_sha256: 3f0a..., tenant: acme, may_name: [user, session]}
    - {key_sha256: 91bc..., tenant: operations, admin: true}
"""


class _Duration(click.ParamType[float]):
    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        try:
            return parse_duration(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class _Size(click.ParamType[int]):
    name = "size"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            size = value if isinstance(value, int) else parse_size(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if not _LEAST_BODY <= size <= _MOST_BODY:
            self.fail("expected a size between 1KiB and 1GiB", param, ctx)
        return size


@click.command("serve", short_help="answer requests by a policy", epilog=_KEY_FORM)
@click.option(
    "--policies",
    type=click.Path(path_type=Path),
    default=Path("policies"),
    show_default=True,
    help="The bundle to serve.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="The interface to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="The port; 0 takes one that is free."
)
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Processes; they share the ledger, each has a cache of its own.",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    default=Path(".costpol"),
    show_default=True,
    help="The folder of ledger and answer cache.",
)
@click.option(
    "--poll", type=_Duration(), default="1s", show_default=True, help="How often to look for a changed policy."
)
@click.option("--callers", type=click.Path(path_type=Path), help="A file that declares who may ask.")
@click.option(
    "--upstream",
    "upstreams",
    multiple=True,
    metavar="NAME=URL",
    help="Reach a provider at another address (tests, demos).",
)
@click.option(
    "--max-body",
    type=_Size(),
    default="10MiB",
    show_default=True,
    help="The largest request body that is read; a larger one is answered with 413.",
)
@click.option(
    "--record",
    type=click.Path(path_type=Path),
    help="Write what is asked and answered to a file, as `costpol dry-run` reads it. It holds what users write.",
)
@click.option(
    "--record-size",
    type=_Size(),
    default="256MiB",
    show_default=True,
    help="How large that file grows; then it becomes FILE.1, and the FILE.1 before goes.",
)
@click.option(
    "--grace",
    type=_Duration(),
    default="30s",
    show_default=True,
    help="How long requests in flight have when the service stops.",
)
@click.option("--worker", type=int, hidden=True)
@click.option("--listener", type=int, hidden=True)
def command(
    *, policies: Path, host: str, port: int, workers: int, data: Path, poll: float, callers: Path | None,
    upstreams: tuple[str, ...], max_body: int, record: Path | None, record_size: int, grace: float,
    worker: int | None, listener: int | None,
) -> int:  # fmt: skip
    """Serve an OpenAI-compatible API that answers by a policy, and take up the policy's changes while it runs.

    Stops on SIGTERM after the requests in flight have ended. SIGHUP and `POST /-/reload` take up the policy at once.
    """
    from costpol.proxy.identity import Identities, read_identities
    from costpol.proxy.server import ServerOptions, listen, log_to_stderr, run
    from costpol.proxy.workers import Workers
    from costpol.runtime.snapshot import Snapshot

    identities = Identities() if callers is None else read_identities(_read(callers), str(callers))
    options = ServerOptions(
        policies,
        data,
        identities,
        dict(map(_upstream, upstreams)),
        interval=max(poll, 0.05),
        body_limit=max_body,
        record=record,
        record_size=record_size,
        grace=grace,
        worker=worker,
    )
    sock = socket.socket(fileno=listener) if listener is not None else listen(host, port, identities)
    shown = f"http://{f'[{host}]' if ':' in host else host}:{sock.getsockname()[1]}"
    log_to_stderr()

    def announce(snapshot: Snapshot) -> None:
        models = len(snapshot.bundle.models.models)
        click.echo(f"costpol listens on {shown} (policy {snapshot.label}, {models} model{'s' if models != 1 else ''})")

    try:
        if workers > 1:
            arguments = ["serve", f"--policies={policies}", f"--host={host}", f"--data={data}", f"--poll={poll}s"]
            arguments += [f"--grace={grace}s", f"--max-body={max_body}B", *(f"--upstream={each}" for each in upstreams)]
            arguments += [] if callers is None else [f"--callers={callers}"]
            arguments += [] if record is None else [f"--record={record}", f"--record-size={record_size}B"]
            return Workers(arguments, sock, workers).run(click.echo)
        run(options, sock, announce)
    except BundleError as error:
        _show(error, policies)
        return 1
    finally:
        sock.close()
    return 0


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"`{path}` cannot be read: {(error.strerror or str(error)).lower()}") from error


def _upstream(text: str) -> tuple[str, str]:
    from costpol.policy.scalars import read_url

    name, _, url = text.partition("=")
    try:
        if not name:
            raise ValueError("expected the name of a provider before it")
        return name, read_url(url)
    except ValueError as error:
        raise UsageError(
            f"`{text}` names no provider and address: {error}", "write `--upstream openai=http://127.0.0.1:9000/v1`"
        ) from error


def _show(error: BundleError, folder: Path) -> None:
    """The findings, with the lines they are about."""
    from costpol.policy.loader import load_folder
    from costpol.reporting.findings import render, summary

    click.echo(render(error.diagnostics, load_folder(folder).files, "full"), err=True)
    click.echo(f"the policy is refused: {summary(error.diagnostics)}", err=True)
