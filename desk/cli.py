"""The ``desk`` command. Each command imports what it needs, so that all of them start quickly."""

import os
import sys
from importlib import metadata
from pathlib import Path
from typing import Annotated

import typer

from desk.places import enter_root

app = typer.Typer(
    name="desk",
    help="The customer desk for a company of one.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
imports = typer.Typer(help="Take in a shop's records.", no_args_is_help=True)
exports = typer.Typer(help="What the newest analysis says, as CSV on stdout.", no_args_is_help=True)
app.add_typer(imports, name="import")
owner = typer.Typer(help="The owner's own accounts.", no_args_is_help=True)
app.add_typer(owner, name="owner")
app.add_typer(exports, name="export")

customers = typer.Typer(help="A customer's own data.", no_args_is_help=True)
app.add_typer(customers, name="customer")
personal = typer.Typer(help="What is kept of customers, and for how long.", no_args_is_help=True)
app.add_typer(personal, name="privacy")

reports = typer.Typer(help="Figures that leave the shop.", no_args_is_help=True)
app.add_typer(reports, name="report")

File = Annotated[Path | None, typer.Option(exists=True, dir_okay=False, readable=True, resolve_path=True)]


@app.command()
def up(
    only: Annotated[
        list[str] | None, typer.Option(help="One process: gateway, rasa, actions or scheduler. Repeatable.")
    ] = None,
) -> None:
    """Start all processes and keep them running; Ctrl-C stops them."""
    from desk.up import up as start

    start(only or [])


@imports.command()
def shopify(products: File = None, customers: File = None, orders: File = None) -> None:
    """Shopify's standard CSV exports."""
    from desk.importing import import_files

    raise typer.Exit(import_files("shopify", products=products, customers=customers, orders=orders))


@imports.command()
def woocommerce(products: File = None, orders: File = None) -> None:
    """WooCommerce's product export, and the order exports of its usual plugins."""
    from desk.importing import import_files

    raise typer.Exit(import_files("woocommerce", products=products, orders=orders))


@imports.command()
def taobao(
    orders: File = None,
    lines: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, readable=True, resolve_path=True, help="ExportOrderDetailList."),
    ] = None,
) -> None:
    """Taobao's and Tmall's ExportOrderList, with the articles of the orders if you have them."""
    from desk.importing import import_taobao

    raise typer.Exit(import_taobao(orders, lines))


@imports.command()
def csv(products: File = None, customers: File = None, orders: File = None) -> None:
    """Plain CSV; docs/importing.md says which columns."""
    from desk.importing import import_files

    raise typer.Exit(import_files("csv", products=products, customers=customers, orders=orders))


@imports.command()
def knowledge(
    folder: Annotated[Path, typer.Argument(exists=True, file_okay=False, readable=True, resolve_path=True)],
    prune: Annotated[bool, typer.Option(help="Remove the articles that the folder no longer holds.")] = False,
) -> None:
    """A folder of Markdown articles with title, language, questions and tags."""
    from desk.importing import import_knowledge

    raise typer.Exit(import_knowledge(folder, prune=prune))


@owner.command()
def pair() -> None:
    """Print a code; whoever sends it to the shop's bot on Telegram is the owner."""
    from desk.owner import pair as print_code

    enter_root()
    print_code()


@owner.command()
def chats() -> None:
    """Print which Telegram chats are the owner's."""
    from desk.owner import chats as print_chats

    enter_root()
    print_chats()


Person = Annotated[
    str, typer.Argument(help="The shop's own customer id, an e-mail, an order number or the store's id.")
]


@customers.command("export")
def export_customer(person: Person) -> None:
    """Print all that the store holds about a customer, as JSON."""
    from desk.customers import export_customer as export

    raise typer.Exit(export(person))


@customers.command("erase")
def erase_customer(
    person: Person, yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether you are sure.")] = False
) -> None:
    """Forget a customer; what was sold stays, without the person. Prints a receipt."""
    from desk.customers import erase_customer as erase

    raise typer.Exit(erase(person, confirmed=yes))


@customers.command("merges")
def list_merges() -> None:
    """List which customers became one, and why."""
    from desk.customers import list_merges as show

    raise typer.Exit(show())


@customers.command("merge")
def merge_customers(kept: Person, merged: Person) -> None:
    """Make one customer of two that you know to be one person."""
    from desk.customers import merge_customers as merge

    raise typer.Exit(merge(kept, merged))


@customers.command("unmerge")
def unmerge(merge_id: Annotated[int, typer.Argument(help="The number in the list of merges.")]) -> None:
    """Make two customers of one again."""
    from desk.customers import unmerge as part

    raise typer.Exit(part(merge_id))


@personal.command("prune")
def prune(
    dry_run: Annotated[bool, typer.Option(help="Only count what would go.")] = False,
    days: Annotated[int | None, typer.Option(min=1, help="Instead of [privacy] retention_days.")] = None,
) -> None:
    """Delete messages and visitors older than [privacy] retention_days in shop.toml."""
    from desk.customers import prune as run

    raise typer.Exit(run(dry_run=dry_run, days=days))


@reports.command("sharing")
def report_sharing(
    epsilon: Annotated[float, typer.Option(min=0.01, max=10.0, help="How much privacy it may cost.")] = 0.2,
    week: Annotated[str | None, typer.Option(help="Such as 2026-W47; without it, the last that is over.")] = None,
) -> None:
    """Count a week's people for others, with noise that hides each of them."""
    from desk.sharing import report_sharing as report

    raise typer.Exit(report(week=week, epsilon=epsilon))


@app.command()
def chat(
    language: Annotated[str | None, typer.Option(help="en or zh; without it, as you write.")] = None,
    url: Annotated[str | None, typer.Option(help="Another desk than the one set up here.")] = None,
) -> None:
    """Talk to the running desk in the terminal."""
    from desk.chat import chat as talk

    talk(url=url, language=language)


@app.command()
def parse() -> None:
    """Understand one utterance per line of stdin; print one line of JSON each."""
    from desk.parse import parse_lines

    enter_root()
    raise typer.Exit(parse_lines(sys.stdin.buffer, sys.stdout.buffer))


@app.command()
def analyse(
    as_of: Annotated[str | None, typer.Option(help="Such as 2026-11-22: the store as it stood that night.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print what came of it as JSON.")] = False,
    daily: Annotated[bool, typer.Option(help="Only bring up to date what serves; try no other methods.")] = False,
) -> None:
    """Rerun every model now: churn risk, segments, values, recommendations, forecasts."""
    # Threads that wait must not keep a small machine's cores from the customers; read when the libraries load.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from desk.analysing import run

    raise typer.Exit(run(as_of=as_of, as_json=json, daily=daily))


@exports.command("scores")
def export_scores() -> None:
    """One row per customer."""
    from desk.exporting import export

    raise typer.Exit(export("scores"))


@exports.command("recommendations")
def export_recommendations() -> None:
    """One row per customer and rank."""
    from desk.exporting import export

    raise typer.Exit(export("recommendations"))


@exports.command("recommendation-effect")
def export_recommendation_effect() -> None:
    """What personal recommendations bring in, against the customers who are shown what sells just now."""
    from desk.exporting import export_effect

    raise typer.Exit(export_effect())


@exports.command("forecast")
def export_forecast() -> None:
    """One row per day and segment."""
    from desk.exporting import export

    raise typer.Exit(export("forecast"))


@app.command()
def digest(
    week: Annotated[str | None, typer.Option(help="Such as 2026-W47; without it, the last full week.")] = None,
    preview: Annotated[
        Path | None, typer.Option(file_okay=False, help="Write it into this folder; nothing is kept or sent.")
    ] = None,
    send: Annotated[bool, typer.Option("--send", help="Send it to the owner, once.")] = False,
    due: Annotated[bool, typer.Option("--due", help="Send it if its day and hour have come.")] = False,
) -> None:
    """The week's digest: what changed, and what to do."""
    from desk.digesting import digest as write

    raise typer.Exit(write(week=week, preview=preview, send=send, due=due))


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="Where to; with --daily, a folder.")],
    encrypt: Annotated[bool, typer.Option("--encrypt", help="Asks for a passphrase.")] = False,
    daily: Annotated[bool, typer.Option("--daily", help="One more file in the folder; old ones are removed.")] = False,
    keep: Annotated[int, typer.Option(min=1, help="How many daily files to keep.")] = 7,
) -> None:
    """Back up the whole store, while the desk goes on serving."""
    from desk.backing_up import back_up, back_up_daily

    raise typer.Exit(back_up_daily(file, keep=keep) if daily else back_up(file, encrypt=encrypt))


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, resolve_path=True)],
    force: Annotated[bool, typer.Option("--force", help="Replace a store that is not empty.")] = False,
) -> None:
    """Put a backup in the place of the store; the desk has to be stopped."""
    from desk.backing_up import put_back

    raise typer.Exit(put_back(file, force=force))


@app.command("rotate-key")
def rotate_key() -> None:
    """Encrypt the personal data with a new key; the desk has to be stopped."""
    from desk.rotating import rotate_key as rotate

    raise typer.Exit(rotate())


@app.command("follow-ups")
def follow_ups() -> None:
    """Draft what the follow-up rules call for, and send what the owner approved."""
    from desk.following_up import follow_up

    raise typer.Exit(follow_up())


@app.command()
def alerts() -> None:
    """Notice what should not wait for the digest, and tell the owner on Telegram."""
    from desk.alerting import alert

    raise typer.Exit(alert())


@app.command("not-understood")
def not_understood(
    week: Annotated[str | None, typer.Option(help="Such as 2026-W47; without it, the running week.")] = None,
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """The week's questions that the bot could not answer, alike ones together."""
    from desk.not_understood import show

    raise typer.Exit(show(week=week, as_json=json))


@app.command()
def sentiment() -> None:
    """Say how one text per line of stdin sounds; print one line of JSON each."""
    from desk.sentiment import judge_lines

    enter_root()
    raise typer.Exit(judge_lines(sys.stdin.buffer, sys.stdout.buffer))


@app.command()
def doctor() -> None:
    """Check the installation and say what to mend."""
    from desk.doctor import examine

    enter_root()
    raise typer.Exit(examine())


@app.command()
def train(
    force: Annotated[bool, typer.Option(help="Train even if nothing changed.")] = False,
) -> None:
    """Train the model if its sources changed."""
    from desk import model, sentiment
    from desk.console import tell

    enter_root()
    sentiment.train(force=force)
    tell("model", f"{model.train(force=force).name} is up to date")


@app.command()
def version() -> None:
    """Print the version."""
    print(f"solodesk {metadata.version('solodesk')}")


def main() -> None:
    """Every error ends in one sentence; DESK_DEBUG=1 shows where it came from."""
    from crm.errors import CrmError

    if os.environ.get("DESK_DEBUG") == "1":
        app()
    try:
        app()
    except CrmError as error:
        print(f"desk: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # Whoever read our output has seen enough; nothing may be flushed into the closed pipe at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except Exception as error:
        print(f"desk: {type(error).__name__}: {error} (DESK_DEBUG=1 shows where)", file=sys.stderr)
        sys.exit(1)
