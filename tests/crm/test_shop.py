from collections.abc import Callable
from pathlib import Path

import pytest

from crm.errors import ConfigError
from crm.shop import Shop, Text, halves, load_shop
from tests.crm.conftest import ROOT

TEA_SHOP = """\
name = "Sample Tea 样品茶铺"
languages = ["en", "zh"]
default_language = "en"
timezone = "Asia/Singapore"
currency = "SGD"
opening_hours = "Mon-Fri 10:00-18:00"
contact_email = "hello@sampletea.example.com"

[shipping]
handling_days = 2
free_over = 60.00

[[shipping.regions]]
name = "Singapore 新加坡"
countries = ["SG"]
days = "2-3"
cost = 5.00

[[shipping.regions]]
name = {en = "Hong Kong, Macau and Taiwan", zh = "港澳台地区"}
countries = ["HK", "MO", "TW"]
days = "5"
cost = 12

[[shipping.regions]]
name = "Everywhere else 其他地区"
countries = []
days = "8-14"
cost = 20.00

[returns]
days = 14
conditions = "Unopened tea, unused teaware 未拆封的茶叶，未使用的茶具"

[payment]
methods = ["Visa", "Alipay 支付宝"]

[digest]
weekday = "Monday"
hour = 8
language = "zh"

[privacy]
retention_days = 730
"""
File = Callable[..., Path]


@pytest.fixture
def tea_shop(file: File) -> Shop:
    return load_shop(file(TEA_SHOP, "shop.toml"))


def test_every_field_is_read_in_its_own_terms(tea_shop: Shop) -> None:
    assert tea_shop.name.in_language("zh") == "样品茶铺"
    assert tea_shop.name.in_language("en") == "Sample Tea"
    assert str(tea_shop.name) == "Sample Tea 样品茶铺"
    assert tea_shop.shipping.free_over_minor == 6000
    assert [region.cost_minor for region in tea_shop.shipping.regions] == [500, 1200, 2000]
    assert [region.days for region in tea_shop.shipping.regions] == [(2, 3), (5, 5), (8, 14)]
    assert [method.in_language("zh") for method in tea_shop.payment.methods] == ["Visa", "支付宝"]
    assert tea_shop.digest.weekday == "monday"
    assert tea_shop.digest_language == "zh"
    assert tea_shop.zone.key == "Asia/Singapore"


def test_an_empty_file_is_a_shop_with_defaults(file: File) -> None:
    shop = load_shop(file("", "shop.toml"))
    assert shop.languages == ("en", "zh")
    assert shop.shipping.region_for("SG") is None


def test_a_shop_with_one_language_speaks_it(file: File) -> None:
    assert load_shop(file('languages = ["zh"]', "shop.toml")).default_language == "zh"


def test_the_demo_shop_is_right() -> None:
    assert load_shop(ROOT / "demo" / "shop.toml").currency == "CNY"


def test_amounts_follow_the_digits_of_the_currency(file: File) -> None:
    assert (
        load_shop(file('currency = "JPY"\n[shipping]\nfree_over = 5000', "shop.toml")).shipping.free_over_minor == 5000
    )
    with pytest.raises(ConfigError, match=r"line 3: \[shipping\] free_over expects .* at most 0 decimals \(JPY\)"):
        load_shop(file('currency = "JPY"\n[shipping]\nfree_over = 50.5', "shop.toml"))


NOT_A_DAY = (
    "expects 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday' or 'sunday', not 'mondy'; "
    "did you mean monday?"
)
THIRD = "[shipping.regions.3]"


@pytest.mark.parametrize(
    ("line", "instead", "message"),
    [
        ("handling_days = 2", "handling_dayz = 2", "[shipping] handling_dayz is not a known field; did "
         "you mean handling_days?"),
        ('name = "Sample', 'nmae = "Sample', "nmae is not a known field; did you mean name?"),
        ("[privacy]", "[privcy]", "privcy is not a known field; did you mean privacy?"),
        ('days = "8-14"', 'days = "14-8"', f'{THIRD} days expects the shorter time first: "8-14"'),
        ('days = "8-14"', 'days = "soon"', f'{THIRD} days expects days such as "5-8" or 3'),
        ("cost = 20.00", "cost = 20.005", f"{THIRD} cost expects an amount of 0 or more with at most 2 decimals (SGD)"),
        ("cost = 20.00", "cost = -1", f"{THIRD} cost expects an amount of 0 or more with at most 2 decimals (SGD)"),
        ("cost = 20.00", 'cost = "20 USD"', f"{THIRD} cost expects an amount such as 5.00, but it is in USD, "
         "not in SGD"),
        ('countries = ["SG"]', 'countries = ["SG", "UK"]', "[shipping.regions.1] countries item 2 expects two-letter "
         "ISO country codes such as SG, not 'UK'; did you mean GB?"),
        ('timezone = "Asia/Singapore"', 'timezone = "Asia/Singapor"', "timezone expects a time zone such as "
         "Asia/Singapore, not 'Asia/Singapor'; did you mean Asia/Singapore?"),
        ('currency = "SGD"', 'currency = "SGX"', "currency expects an ISO 4217 currency code such as SGD, not 'SGX'"),
        ('languages = ["en", "zh"]', 'languages = ["en", "de"]', "languages item 2 expects 'en' or 'zh', not 'de'"),
        ('default_language = "en"', 'default_language = "fr"', "default_language expects 'en' or 'zh', not 'fr'"),
        ('name = {en = "Hong', 'name = {fr = "x", en = "Hong', "[shipping.regions.2.name] fr is not a known field"),
        ('weekday = "Monday"', 'weekday = "mondy"', f"[digest] weekday {NOT_A_DAY}"),
        ("hour = 8", "hour = 24", "[digest] hour expects 23 or less, not 24"),
        ("hello@sample", "hello.sample", "contact_email expects an e-mail address, not 'hello.sampletea.example.com'"),
        ('"Sample Tea 样品茶铺"', '""', "name must not be empty"),
        ('["Visa", "Alipay 支付宝"]', '"Visa"', "[payment] methods expects a list, not 'Visa'"),
        ("retention_days = 730", "retention_days = 0", "[privacy] retention_days expects 1 or more, not 0"),
        ('"Sample Tea 样品茶铺"', '"Sample', "this is not valid TOML: illegal character"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_line(file: File, line: str, instead: str, message: str) -> None:
    number = TEA_SHOP[: TEA_SHOP.index(line)].count("\n") + 1
    with pytest.raises(ConfigError) as caught:
        load_shop(file(TEA_SHOP.replace(line, instead, 1), "shop.toml"))
    assert str(caught.value).startswith(f"shop.toml line {number}: {message}")


@pytest.mark.parametrize(
    ("line", "instead", "message"),
    [
        ("cost = 20.00", "", "shop.toml line 25: [shipping.regions.3] cost is missing"),
        ('languages = ["en", "zh"]', 'languages = ["zh"]', "shop.toml line 3: default_language expects one of "
         "languages, not 'en'"),
        ('countries = ["SG"]', 'countries = ["HK"]', "shop.toml line 9: shipping names HK in two regions"),
        ('countries = ["SG"]', "countries = []", "shop.toml line 9: shipping names everywhere else (an empty countries "
         "list) in two regions"),
    ],
)  # fmt: skip
def test_a_mistake_without_a_line_of_its_own_is_named_where_it_belongs(
    file: File, line: str, instead: str, message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load_shop(file(TEA_SHOP.replace(line, instead), "shop.toml"))
    assert str(caught.value) == message


def test_lines_are_right_below_texts_of_several_lines(file: File) -> None:
    text = 'opening_hours = """\n[shipping]\nfree_over = 3\n"""\nlanguages = [\n  "en", # "zh"\n]\n[digest]\nhour = "x"'
    with pytest.raises(ConfigError, match=r"^shop.toml line 9: \[digest\] hour expects a whole number, not 'x'$"):
        load_shop(file(text, "shop.toml"))


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(file: File) -> None:
    with pytest.raises(ConfigError) as caught:
        load_shop(file("foo = 1\n[digest]\nhour = 99\n[returns]\ndayz = 1\n", "shop.toml"))
    assert [line.split(":")[0] for line in str(caught.value).splitlines()] == [
        "shop.toml line 1",
        "shop.toml line 3",
        "shop.toml line 5",
    ]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml does not exist"):
        load_shop(tmp_path / "nowhere.toml")


@pytest.mark.parametrize(
    ("text", "english", "chinese"),
    [
        ("Singapore 新加坡", "Singapore", "新加坡"),
        ("新加坡 / Singapore", "Singapore", "新加坡"),
        ("Singapore（新加坡）", "Singapore", "新加坡"),
        ("Unopened, unused 未拆封的茶叶，未使用的茶具", "Unopened, unused", "未拆封的茶叶，未使用的茶具"),
        ("Mon-Fri 10-18 周一至周五 10-18", "Mon-Fri 10-18", "周一至周五 10-18"),
        ("Jasmine 80 °C 茉莉 80 °C", "Jasmine 80 °C", "茉莉 80 °C"),
        ("支持 PayPal 和 Visa", None, None),
        ("Visa", None, None),
        ("支付宝", None, None),
    ],
)  # fmt: skip
def test_a_text_in_both_languages_is_split_only_where_that_is_clean(
    text: str, english: str | None, chinese: str | None
) -> None:
    assert halves(text) == (english, chinese)


def test_a_text_that_cannot_be_split_is_given_whole() -> None:
    assert Text.model_validate("支持 PayPal 和 Visa").in_language("en") == "支持 PayPal 和 Visa"
    assert Text.model_validate({"en": "Tea"}).in_language("zh") == "Tea"


@pytest.mark.parametrize("name", ["SG", "sg", "Singapore", "singapore", "新加坡"])
def test_a_region_is_found_by_the_country(tea_shop: Shop, name: str) -> None:
    region = tea_shop.shipping.region_for(name)
    assert region is not None
    assert region.countries == ("SG",)


def test_a_region_is_found_by_its_own_name_and_other_countries_are_elsewhere(tea_shop: Shop) -> None:
    shipping = tea_shop.shipping
    assert shipping.region_for("港澳台地区") == shipping.regions[1]
    assert shipping.region_for("Everywhere else") == shipping.regions[2]
    assert shipping.region_for("荷兰") == shipping.regions[2]
    assert shipping.region_for("Atlantis") is None


@pytest.mark.parametrize(
    ("sentence", "region", "en", "zh"),
    [
        ("寄新加坡要几天", 0, "Singapore", "新加坡"),
        ("do you ship to the Netherlands?", 2, "Netherlands", "荷兰"),
        ("寄到美国", 2, "United States", "美国"),
        ("to the UK", 2, "United Kingdom", "英国"),
        ("台湾", 1, "Taiwan", "台湾"),
        ("寄到台灣要多久", 1, "Taiwan", "台湾"),
        ("HK", 1, "Hong Kong", "香港"),
        ("港澳台包邮吗", 1, "Hong Kong, Macau and Taiwan", "港澳台地区"),
        ("I live in Japan, can you send it to Singapore?", 0, "Singapore", "新加坡"),
        ("how long to Tokyo", 2, "Japan", "日本"),
        ("你们发海外吗", 2, "Everywhere else", "其他地区"),
        ("你们发欧洲吗", 2, "Everywhere else", "其他地区"),
    ],
)
def test_a_sentence_tells_where_to(tea_shop: Shop, sentence: str, region: int, en: str, zh: str) -> None:
    destination = tea_shop.shipping.mentioned_in(sentence)
    assert destination is not None
    assert destination.region == tea_shop.shipping.regions[region]
    assert (destination.name_in("en"), destination.name_in("zh")) == (en, zh)


@pytest.mark.parametrize(
    "sentence", ["", "can you ship it to us", "我的 ID 是 2003", "欧美国家", "还有其他问题吗", "OK"]
)
def test_a_sentence_without_a_place_names_none(tea_shop: Shop, sentence: str) -> None:
    assert tea_shop.shipping.mentioned_in(sentence) is None


def test_a_shop_that_does_not_ship_there_says_so(file: File) -> None:
    text = '[[shipping.regions]]\nname = "Singapore"\ncountries = ["SG"]\ndays = 2\ncost = 1'
    destination = load_shop(file(text, "shop.toml")).shipping.mentioned_in("do you ship to Norway?")
    assert destination is not None
    assert destination.region is None
    assert destination.name_in("zh") == "挪威"
