"""Rasa's side of the desk: `python -m bot train | serve | parse | evaluate`, run from the repository's root."""

from __future__ import annotations

import argparse
import logging
import os
import re
import sys
import warnings
from typing import TextIO

import structlog

from bot import without_tensorflow
from bot.logs import WithoutWords, print_place
from bot.settings import SettingMissing, Settings, prepare_environment

# Most responses are named by actions, which Rasa cannot see; the other is said of every slot mapping.
_NOT_WORTH_SAYING = re.compile(r"The utterance '.*' is not used|Slot auto-fill has been removed")


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bot", description=__doc__)
    parser.add_argument("--verbose", action="store_true", help="log what Rasa does")
    jobs = parser.add_subparsers(dest="job", required=True)

    train = jobs.add_parser("train", help="config.yml, domain.yml and data/ → a model")
    train.add_argument("--config", default="config.yml")
    train.add_argument("--domain", default="domain.yml")
    train.add_argument("--data", default="data")
    train.add_argument("--out", default="models")
    train.add_argument("--name", help="file name of the model; default: solodesk-<fingerprint of its sources>")

    serve = jobs.add_parser("serve", help="answer the gateway")
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=int, default=5005)
    serve.add_argument("--model", default="models", help="a model, or the folder whose newest is taken")
    serve.add_argument("--endpoints", default="endpoints.yml")
    serve.add_argument("--credentials", default="credentials.yml")

    parse = jobs.add_parser("parse", help="one utterance per line on stdin → one JSON line each")
    parse.add_argument("--model", default="models")

    evaluate = jobs.add_parser("evaluate", help="how well the examples teach, by cross-validation")
    evaluate.add_argument("--data", default="data")
    evaluate.add_argument("--set", action="append", default=[], metavar="JSONL", help="a development set; repeatable")
    evaluate.add_argument("--folds", type=int, default=5)
    evaluate.add_argument("--json", action="store_true", help="figures as JSON")
    return parser


def _quieten(*, verbose: bool) -> None:
    level = logging.INFO if verbose else logging.WARNING
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(WithoutWords("%(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=level, handlers=[handler])
    # Rasa's own switch; it also takes away the progress bars, which would fill a log with one endless line.
    os.environ.setdefault("LOG_LEVEL", logging.getLevelName(level))
    # Unconfigured, structlog prints every debug line, customers' words included.
    # Its own way to show a failure prints the values of all variables.
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.dev.set_exc_info,
            structlog.dev.ConsoleRenderer(colors=False, exception_formatter=print_place),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    if not verbose:
        warnings.showwarning = _show_warning


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    line: int,
    file: TextIO | None = None,
    source: str | None = None,
) -> None:
    # Set here and not as a filter, because libraries that Rasa imports put their own filters in front.
    if issubclass(category, (DeprecationWarning, PendingDeprecationWarning, FutureWarning)):
        return  # inside Rasa 3.6's frozen dependencies: nothing anybody here can act on
    if _NOT_WORTH_SAYING.search(str(message)):
        return
    print(f"{category.__name__}: {message}", file=sys.stderr)


def main(arguments: list[str] | None = None) -> int:
    chosen = _arguments().parse_args(arguments)
    prepare_environment()
    _quieten(verbose=chosen.verbose)
    without_tensorflow.install(serving=chosen.job in ("serve", "parse"))
    try:
        return _run(chosen)
    except (SettingMissing, without_tensorflow.LeftOut) as error:
        print(f"bot {chosen.job}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _run(chosen: argparse.Namespace) -> int:
    # Each job imports what it needs: `parse` starts in a fraction of a server's time.
    if chosen.job == "train":
        from bot.training import train

        return train(chosen.config, chosen.domain, chosen.data, chosen.out, chosen.name)
    if chosen.job == "serve":
        Settings.from_env()
        from bot.server import NoModel, serve

        try:
            serve(
                host=chosen.host,
                port=chosen.port,
                model=chosen.model,
                endpoints=chosen.endpoints,
                credentials=chosen.credentials,
            )
        except NoModel as error:
            print(f"bot serve: {error}", file=sys.stderr)
            return 1
        return 0
    if chosen.job == "parse":
        from bot.parsing import parse_lines

        return parse_lines(chosen.model, sys.stdin, sys.stdout)
    from bot.evaluate import evaluate

    return evaluate(chosen.data, chosen.set, folds=chosen.folds, as_json=chosen.json)


if __name__ == "__main__":
    sys.exit(main())
