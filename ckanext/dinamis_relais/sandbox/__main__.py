"""Commands of the sandbox: ``serve`` starts it, ``scenes`` writes the synthetic catalogue."""

from __future__ import annotations

import argparse
import errno
import sys
from pathlib import Path
from typing import Any

from gunicorn.app.base import BaseApplication


def main(arguments: list[str] | None = None) -> int:
    """Run one command.

    :param arguments: words of the command line; those of the process when None
    :returns: exit status
    """
    options = _parser().parse_args(arguments)
    return options.run(options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sandbox", description="Bac à sable : ceci n'est pas DINAMIS.")
    commands = parser.add_subparsers(required=True)
    serve = commands.add_parser("serve", help="start the web server and the mail sink")
    serve.set_defaults(run=_serve)
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=int, required=True)
    serve.add_argument("--smtp-port", type=int, required=True)
    serve.add_argument("--data", type=Path, required=True, help="folder of its memory")
    serve.add_argument("--public-url", required=True)
    serve.add_argument("--stac-url", default="")
    serve.add_argument("--ckan-url", default="")
    serve.add_argument("--gateway-token", required=True)
    serve.add_argument("--signing-secret", required=True)
    words = "host whose addresses are signed besides its own, with its subdomains; may be repeated"
    serve.add_argument("--signing-host", action="append", default=[], help=words)
    serve.add_argument("--issuer", default="", help="Keycloak realm that knows people, in place of the sandbox itself")
    scenes = commands.add_parser("scenes", help="write collections.ndjson and items.ndjson")
    scenes.set_defaults(run=_scenes)
    scenes.add_argument("--count", type=int, default=2000)
    scenes.add_argument("--asset-base", required=True, help="address of the object store")
    scenes.add_argument("--out", type=Path, required=True)
    scenes.add_argument("--seed", type=int, default=1)
    return parser


def _scenes(options: argparse.Namespace) -> int:
    from ckanext.dinamis_relais.sandbox import scenes

    options.out.mkdir(parents=True, exist_ok=True)
    scenes.write(options.out, options.count, options.asset_base, options.seed)
    return 0


def _serve(options: argparse.Namespace) -> int:
    Server(options).run()
    return 0


class Server(BaseApplication):
    """Gunicorn with two processes of eight threads: services in earnest answer several callers at once too.

    All memory is in files, so that it does not matter who answers. One of the two takes the mail port; when it dies,
    the process that replaces it does.

    :param options: what ``serve`` was given
    """

    def __init__(self, options: argparse.Namespace):
        self.options = options
        self.sink: Any = None
        super().__init__()

    def load_config(self) -> None:
        """Gunicorn's settings, without any file of the machine."""
        values = {
            "bind": f"{self.options.host}:{self.options.port}",
            "workers": 2,
            "threads": 8,
            "worker_class": "gthread",
            "timeout": 120,
            "graceful_timeout": 5,
            "proc_name": "dinamis-sandbox",
            "control_socket_disable": True,
            "post_worker_init": lambda _worker: self.start_sink(),
            "worker_exit": lambda _server, _worker: self.stop_sink(),
        }
        for name, value in values.items():
            # ``control_socket_disable`` exists since gunicorn 25 only.
            if self.cfg is not None and name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Any:
        """The application, made in the worker."""
        from ckanext.dinamis_relais.sandbox.app import Settings, create_app

        self.application = create_app(
            Settings(
                data=self.options.data,
                public_url=self.options.public_url.rstrip("/"),
                stac_url=self.options.stac_url.rstrip("/"),
                ckan_url=self.options.ckan_url.rstrip("/"),
                gateway_token=self.options.gateway_token,
                signing_secret=self.options.signing_secret,
                signing_hosts=tuple(self.options.signing_host),
                issuer=self.options.issuer.rstrip("/"),
            )
        )
        return self.application

    def start_sink(self) -> None:
        """Listen for mail beside the pages, unless the other process does."""
        from ckanext.dinamis_relais.sandbox import mail

        state = self.application.extensions["sandbox-state"]
        sink = mail.sink(state, self.options.host, self.options.smtp_port)
        try:
            sink.start()
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
        else:
            self.sink = sink

    def stop_sink(self) -> None:
        """Give the mail port back."""
        if self.sink is not None:
            self.sink.stop(no_assert=True)
            self.sink = None


if __name__ == "__main__":
    sys.exit(main())
