"""Countries as customers name them, in Chinese and English, and the one that a sentence mentions."""

import re
import unicodedata
from dataclasses import dataclass
from functools import cache

from babel import Locale
from babel.core import get_global

from crm.text import normal

_SHORT_NAMES = {
    "en": {"HK": "Hong Kong", "MO": "Macau", "MM": "Myanmar", "CZ": "Czech Republic", "TR": "Turkey"},
    "zh": {"HK": "香港", "MO": "澳门", "AE": "阿联酋"},
}
_ALIASES = {
    "uk": "GB", "u.k.": "GB", "britain": "GB", "great britain": "GB", "england": "GB", "scotland": "GB", "wales": "GB",
    "northern ireland": "GB", "英格兰": "GB", "苏格兰": "GB", "usa": "US", "u.s.": "US", "u.s.a.": "US",
    "the states": "US", "america": "US", "holland": "NL", "korea": "KR", "韩": "KR", "南韩": "KR", "turkey": "TR",
    "czech republic": "CZ", "uae": "AE", "emirates": "AE", "阿联酋": "AE", "迪拜": "AE", "hk": "HK", "hong kong": "HK",
    "hongkong": "HK", "香港": "HK", "中国香港": "HK", "macau": "MO", "macao": "MO", "澳门": "MO", "中国澳门": "MO",
    "中国台湾": "TW", "burma": "MM", "nz": "NZ", "prc": "CN", "mainland china": "CN", "中国大陆": "CN", "大陆": "CN",
    "内地": "CN", "俄国": "RU", "russia": "RU", "eire": "IE", "rsa": "ZA", "ivory coast": "CI", "澳洲": "AU",
    "纽西兰": "NZ", "狮城": "SG", "大马": "MY", "vatican": "VA", "bali": "ID", "巴厘岛": "ID", "hawaii": "US",
    "夏威夷": "US",
}  # fmt: skip
_CHINA = (
    "安徽 福建 甘肃 广东 广西 贵州 海南 河北 河南 黑龙江 湖北 湖南 江苏 江西 吉林 辽宁 内蒙古 内蒙 宁夏 青海 陕西 山东 "
    "山西 四川 西藏 新疆 云南 浙江 北京 天津 上海 重庆 广州 深圳 杭州 南京 苏州 成都 武汉 西安 厦门 青岛 大连 宁波 "
    "无锡 长沙 郑州 济南 福州 合肥 昆明 沈阳 哈尔滨 长春 东莞 佛山 江浙沪 "
    "beijing guangzhou shenzhen hangzhou nanjing suzhou chengdu wuhan xiamen"
).split()
# Uppercase words of English and of shops that are also country codes.
_NOT_CODES = frozenset("AI AM AS AT BE BY CC DO GL ID IM IN IS IT ME ML MY NO OK PM PS SO TO TV VC VG".split())
# Cities of the time-zone list whose names are also common words or people.
_NOT_CITIES = frozenset(
    "adak boise canary casey center chatham chita creston darwin davis dawson eastern easter juba kirov knox mahe "
    "marengo marigot mawson menominee midway nome oral palmer phoenix regina resolute rothera samara sitka stanley "
    "syowa thule troll vostok wake wallis".split()
)
_NOT_COUNTRIES = frozenset(("jersey", "chad", "reunion"))  # also a garment, a first name and a party
_UNREAL = frozenset(("EU", "EZ", "UN", "XA", "XB", "ZZ", "QO"))
_DIRECTION = re.compile(r"(?:\b(?:to|towards|into|for)(?: the)?|[到往去至寄送发])\s*$")
_CONTINENTS = {
    "Europe": ("europe", "eu", "european union", "欧洲", "欧盟"),
    "Africa": ("africa", "非洲"),
    "Asia": ("asia", "亚洲"),
}


@dataclass(frozen=True)
class Place:
    """A country, or one of several when a continent was named; ``start`` is where in the sentence."""

    countries: tuple[str, ...]
    start: int


@cache
def country_codes() -> frozenset[str]:
    """ISO 3166 alpha-2 codes."""
    return frozenset(
        code for code in map(str, Locale("en").territories) if len(code) == 2 and code.isalpha() and code not in _UNREAL
    )


def country_name(code: str, language: str) -> str:
    """The country as a shop calls it in that language: "Hong Kong", "香港"."""
    short = _SHORT_NAMES.get(language, {}).get(code)
    return short or str(Locale(language).territories.get(code, code))


def plain(text: str) -> str:
    """A text in the form that names are compared in: lower case, simplified, without accents."""
    decomposed = unicodedata.normalize("NFKD", normal(text).replace("’", "'"))
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


@cache
def _names() -> dict[str, tuple[str, ...]]:
    names: dict[str, tuple[str, ...]] = {}
    zones = get_global("zone_territories")
    for locale in ("en", "zh", "zh_Hant"):
        cities = Locale.parse(locale).time_zones
        for zone, territory in zones.items():
            # CLDR leaves out an English city that is spelt as in the zone's own name.
            known = cities.get(zone, {}).get("city") or (zone.partition("/")[2] if locale == "en" else "")
            city = plain(str(known).replace("_", " "))
            if territory in country_codes() and zone.count("/") == 1 and len(city) > 1 and city not in _NOT_CITIES:
                names.setdefault(city, (territory,))
    for locale in ("en", "zh", "zh_Hant"):
        territories = Locale.parse(locale).territories
        for code in country_codes():
            names[plain(str(territories.get(code, code)))] = (code,)
    names |= {plain(country_name(code, language)): (code,) for code in country_codes() for language in ("en", "zh")}
    names |= dict.fromkeys(_CHINA, ("CN",)) | {name: (code,) for name, code in _ALIASES.items()}
    for continent, words in _CONTINENTS.items():
        countries = {code for zone, code in zones.items() if zone.startswith(continent + "/")} & country_codes()
        names |= dict.fromkeys(words, tuple(sorted(countries)))
    return names


@cache
def _mention() -> re.Pattern[str]:
    latin, han = [], []
    for name in sorted(_names(), key=len, reverse=True):
        if name.isascii():
            if name not in _NOT_COUNTRIES:
                latin.append(re.escape(name))
        elif len(name) > 1:
            # "欧美国家" and "沿海地区" contain country names without naming a country.
            after = "(?!家)" if name.endswith("国") else "(?!区)" if name.endswith("地") else ""
            han.append(re.escape(name) + after)
    return re.compile(rf"(?<![a-z])(?:{'|'.join(latin)})(?![a-z])|{'|'.join(han)}")


def country_named(text: str) -> str | None:
    """The code of the country that ``text`` is the name or code of: "SG", "Singapore", "新加坡", "UK"."""
    cleaned = plain(text).strip()
    if cleaned.upper() in country_codes():
        return cleaned.upper()
    found = _names().get(cleaned.removeprefix("the "), ())
    return found[0] if len(found) == 1 else None


def places_in(sentence: str) -> list[Place]:
    """The places a sentence mentions: those it says something goes to come first, else in reading order."""
    said = plain(sentence)
    found = [Place(_names()[match.group()], match.start()) for match in _mention().finditer(said)]
    # Somebody who shouts writes "US" for "us".
    shouted = sentence.isupper() and len(re.findall(r"[A-Z]+", sentence)) > 1
    if not shouted:
        codes = re.finditer(r"(?<![A-Za-z])[A-Z]{2}(?![A-Za-z])", unicodedata.normalize("NFKC", sentence))
        found += [
            Place((match.group(),), match.start())
            for match in codes
            if match.group() in country_codes() and match.group() not in _NOT_CODES
        ]
    found.sort(key=lambda place: (_DIRECTION.search(said[: place.start]) is None, place.start))
    return found
