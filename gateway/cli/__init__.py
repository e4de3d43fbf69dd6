"""The command `media-gateway`: one module per command, which loads what it needs only when it is run."""
