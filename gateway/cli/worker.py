"""`media-gateway worker`."""


def worker() -> None: ...
