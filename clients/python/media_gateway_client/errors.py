"""What can go wrong.

ClientError
├── Offline     nobody answered, or not in time; nothing is lost, try again later
├── SignedOut   the token is not accepted any more
└── Rejected    the server understood and said no; the message says why
"""


class ClientError(Exception):
    """The message is meant for people."""


class Offline(ClientError):
    def __init__(self, message: str, retry_seconds: float = 0.0) -> None:
        """`retry_seconds`: how long the server asked to wait."""
        super().__init__(message)
        self.retry_seconds = retry_seconds


class SignedOut(ClientError):
    pass


class Rejected(ClientError):
    def __init__(self, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.code = code
