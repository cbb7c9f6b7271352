"""Prices for lines of which a source tells only what and how many."""

from collections.abc import Sequence

from crm.importers.records import LineRecord


def share(total_minor: int, named: Sequence[tuple[str | None, str, int]]) -> list[LineRecord]:
    """Lines of which only sku, title and quantity are known: the order's goods shared out evenly by piece.

    The lines add up to ``total_minor``: what a rounded-up piece is too much stands as the line's discount.
    """
    pieces = sum(quantity for _, _, quantity in named)
    lines: list[LineRecord] = []
    left, pieces_left = total_minor, pieces
    for sku, title, quantity in named:
        amount = left * quantity // pieces_left if pieces_left else 0
        left, pieces_left = left - amount, pieces_left - quantity
        unit = -(-amount // quantity)
        lines.append(LineRecord(sku, title, quantity, unit, unit * quantity - amount))
    return lines
