"""Runs the application under uvicorn: its socket, its signals, and a start that fails in one line."""

import asyncio
import contextlib
import errno
import signal
import socket
import time
from collections.abc import Awaitable, Callable, Iterator

import structlog
import uvicorn
from starlette.applications import Starlette
from uvicorn.server import HANDLED_SIGNALS

from gateway.app import create_app
from gateway.cli.encoder_bar import encoder_bar
from gateway.cli.errors import Failed
from gateway.cli.preparation import prepare
from gateway.cli.protocol import HttpProtocol, close_quiet
from gateway.cli.signals import stopping_on_sigterm
from gateway.cli.stalled import Stalled
from gateway.cli.welcome import welcome
from gateway.collector import spare_what_stays
from gateway.settings import Settings

log = structlog.get_logger(__name__)

# The doors refuse larger messages themselves, with a reason; this is where uvicorn stops reading.
SOCKET_MESSAGE_BYTES = 2 << 20
LEAST_SECONDS = 1
"""For requests in flight, where sending subscribers away has taken all the time there is."""
KEEP_ALIVE_SECONDS = 75
"""For a connection to be asked again. Who closes first had better not be the server, which may do so just as
it is asked: load balancers keep theirs for 60 s, and a device that waits to be let in asks every five.
"""
PING_SECONDS = 20.0
"""After so long a client is asked whether it is there."""
LOOK_SECONDS = 0.1
TICKS = 10
"""uvicorn counts so many in a second."""


class Server(uvicorn.Server):
    """Announces that it answers, tells subscribers to come again before it stops, and ends with status 0."""

    def __init__(
        self,
        config: uvicorn.Config,
        *,
        announce: Callable[[], None],
        drain: Callable[[], Awaitable[None]],
        stalled: Stalled,
    ) -> None:
        super().__init__(config)
        self._announce = announce
        self._drain = drain
        self._stalled = stalled

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._announce()

    async def on_tick(self, counter: int) -> bool:
        if counter % TICKS == 0:
            close_quiet(list(self.server_state.connections), asyncio.get_running_loop().time())
            aborted = self._stalled.look(list(self.server_state.connections))
            if aborted:
                log.info("server.stalled_connections_aborted", count=aborted)
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for listener in self.servers:
            listener.close()  # first, so that those who are sent away come to another process
        began = time.monotonic()
        await self._sent_away()
        # Requests had the same time already; what is left of it is for those that are still in flight.
        left = (self.config.timeout_graceful_shutdown or 0) - (time.monotonic() - began)
        self.config.timeout_graceful_shutdown = max(LEAST_SECONDS, round(left))
        await super().shutdown(sockets)

    async def _sent_away(self) -> None:
        """Until every subscriber is told to come again, or somebody insists on an end."""
        draining = asyncio.ensure_future(self._drain())
        while not draining.done() and not self.force_exit:
            await asyncio.wait({draining}, timeout=LOOK_SECONDS)
        if not draining.cancel():
            draining.result()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        # uvicorn's own raises the signal again in the end: a stop that went well would look like a crash.
        before = {number: signal.signal(number, self.handle_exit) for number in HANDLED_SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def allow_open_files() -> None:
    """As many as the system lets us have: each WebSocket is one, and shells start with 1,024."""
    try:
        import resource  # noqa: PLC0415 - not on every platform
    except ImportError:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with contextlib.suppress(ValueError, OSError):  # some systems name a limit that they do not keep
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def run(settings: Settings) -> None:
    """Serves until SIGTERM or SIGINT; raises what kept the application from starting."""
    allow_open_files()
    with asyncio.Runner(loop_factory=_loop_factory()) as runner, contextlib.suppress(asyncio.CancelledError):
        runner.run(serve(settings))


async def serve(settings: Settings) -> None:
    with listening(settings.host, settings.port) as listener:
        give_up_silent(listener, settings.send_seconds)
        with stopping_on_sigterm():
            await prepare(settings)
        app = create_app(settings, encoder_bar(settings))
        # Not left to uvicorn, which turns an error of the start into a logged traceback.
        async with app.router.lifespan_context(app):
            spare_what_stays()
            server = Server(
                configuration(app, settings),
                announce=lambda: welcome(settings),
                drain=app.state.drain,
                stalled=Stalled(settings.send_seconds),
            )
            with in_use_as_failure(settings.host, settings.port):
                await server.serve(sockets=[listener])


def configuration(app: Starlette, settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        loop="none",
        http=HttpProtocol,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        ws_max_size=SOCKET_MESSAGE_BYTES,
        ws_per_message_deflate=True,
        # Whose line was cut says nothing of it, and its device would count as there.
        ws_ping_interval=PING_SECONDS,
        ws_ping_timeout=settings.send_seconds,
        # A stranger's header must not choose the address that limits are counted by.
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        timeout_graceful_shutdown=round(settings.drain_seconds),
    )


@contextlib.contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """A socket bound before anything slow begins; nobody can connect until the server starts."""
    with in_use_as_failure(host, port):
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(
                host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
        except socket.gaierror as error:
            raise Failed(f"MEDIA_GATEWAY_HOST: {host} is no address ({error.strerror}).") from error
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
        except BaseException:
            listener.close()
            raise
    with listener:
        yield listener


def give_up_silent(listener: socket.socket, seconds: float) -> None:
    """Has the system end connections of which nothing was acknowledged for so long, where it can.

    It would wait for a quarter of an hour: streams other than WebSockets have no other way to find out that
    nobody is there any more.
    """
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # of Linux; connections have it from their listener
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(1000 * seconds))


@contextlib.contextmanager
def in_use_as_failure(host: str, port: int) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reasons = {
            errno.EADDRINUSE: f"Port {port} of {host} is taken; choose another with --port.",
            errno.EACCES: f"Port {port} is reserved; choose one above 1023 with --port.",
            errno.EADDRNOTAVAIL: f"MEDIA_GATEWAY_HOST: {host} is not an address of this machine.",
        }
        if error.errno in reasons:
            raise Failed(reasons[error.errno]) from error
        raise


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415 - not on every platform
    except ImportError:
        return None
    return uvloop.new_event_loop
