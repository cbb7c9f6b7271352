"""Order numbers in one form, however they are typed."""


def normal_number(number: str) -> str:
    """An order number as it is stored: no "#", no spaces, upper case."""
    return "".join(number.split()).lstrip("#＃").upper()
