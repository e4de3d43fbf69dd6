"""`python -m gateway` is `media-gateway`."""

from gateway.cli.main import main

if __name__ == "__main__":
    main()
