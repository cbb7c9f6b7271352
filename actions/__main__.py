"""``python -m actions``: the action server on DESK_ACTIONS_URL's port, for Rasa only."""

import logging
import sys
from urllib.parse import urlsplit

import crm
from actions import desk
from actions.server import make_app
from crm import logs, migrate
from crm.errors import CrmError
from crm.settings import load_settings


def main() -> int:
    logs.set_up()
    for chatty in ("rasa_sdk", "sanic", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    try:
        settings = load_settings()
        migrate.check(crm.bind(settings.database_url))
        desk.open_desk(settings.shop_file, base_url=settings.base_url)
        app = make_app(settings.require("internal_secret"))
    except CrmError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the one sentence the owner has to read
        return 2
    at = urlsplit(settings.actions_url)
    app.run(host=at.hostname or "127.0.0.1", port=at.port or 5055, single_process=True, access_log=False, motd=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
