"""`media-gateway worker`: the work behind the scenes, in a process of its own."""


def worker() -> None:
    """Ship events, keep the vectors of the catalogue up to date, and tidy up; until SIGTERM or Ctrl+C.

    `serve` does the same beside answering, unless MEDIA_GATEWAY_BACKGROUND_WORK is false. Several workers may
    run at once. Nothing is lost when one is stopped: the next goes on where it was.
    """
    from gateway.cli.opening import configured  # noqa: PLC0415 - `--help` must not wait for it
    from gateway.cli.working import run  # noqa: PLC0415

    run(configured())
