"""Regular expressions for the details in bot/entities.py; they run on `aligned` text, ignoring case."""

from __future__ import annotations

import re

from bot.numerals import CHINESE, DECIMAL, ENGLISH

_I = re.IGNORECASE | re.ASCII  # \w, \b and \d are ASCII: a Han character is a boundary for Latin letters and digits


def _compile(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, _I)


_NUMBER = rf"(?:{DECIMAL}|\b{ENGLISH}|(?:{CHINESE}))"
_SMALL = rf"(?:\d{{1,6}}|\b{ENGLISH}|(?:{CHINESE}))"
_TIME = r"(?:seconds?|min(?:ute)?s?|hours?|hrs?|days?|weeks?|months?|years?|business|working|am\b|pm\b|o'clock|个?小时|分钟|天|周|星期|个?月|年|点|号|日|工作日|岁|次|words)"
_MONEY_BEFORE = r"(?:[$¥€£]|(?:us|s|hk|nt)\$|usd|sgd|rmb|cny|eur|hkd)"
_MONEY_AFTER = r"(?:元|块钱?|圆|刀|美金|美元|新币|人民币|欧元|港币|usd|sgd|rmb|cny|eur|hkd|dollars?|bucks?|quid|yuan|euros?|pounds?|francs?|[$¥€£])"

EMAIL = _compile(r"(?P<id>[a-z0-9][\w.%+-]{0,63}\s?@\s?[a-z0-9-]{1,63}(?:[.。][a-z0-9-]{1,63}){0,4}[.。][a-z]{2,24})")
_PROVIDERS = r"gmail|googlemail|outlook|hotmail|yahoo|icloud|proton(?:mail)?|live|qq|163|126|foxmail|sina|example"
_TLD = r"(?:com|net|org|io|cn|sg|hk|tw|uk|de|fr|eu|co|me|shop)"
_DOT = r"\s*(?:\(dot\)|\[dot\]|\bdot\b|[.。])\s*"
SPOKEN_EMAIL = _compile(
    rf"(?P<id>(?P<name>(?!(?:look(?:ing|ed)?|shop|store|order(?:ed)?|bought|me|us|you|is|was|are|see|find|found|available|here|site|mail)\s)\b[a-z0-9][\w.+-]{{1,63}}(?:\s+(?:dot|underscore)\s+[\w-]{{1,30}}){{0,2}})(?:\s*(?:\(at\)|\[at\])\s*|\s+at\s+(?=(?:{_PROVIDERS})\b|[a-z0-9-]{{1,63}}\s+dot\s))"
    rf"(?P<domain>[a-z0-9-]{{1,63}}(?:{_DOT}[a-z0-9-]{{2,20}}){{0,2}}{_DOT}{_TLD}\b))"
)
URL = _compile(r"(?:https?://|www\.)[^\s，。！？；]+")
LAST_DIGITS = _compile(
    r"(?:尾号|后[四4]位|最后[四4]位|ending(?: in| with)?|last (?:four|4)(?: digits)?)\s*(?:是|为|is|are|:|：)?\s*\d{2,6}"
)

_PHONE_ID = r"[+(]?\d[\d\s().-]{5,20}\d"
NAMED_PHONE = _compile(
    r"(?:电话|手机|联系方式|\b(?:phone|tel|telephone|mobile|whatsapp|cell|call me|ring me|text me|my number|reach me))(?:号码?|号)?(?:'s)?\s*(?:number|no\.?|on|at)?\s*(?:是|为|is|:|：)?\s*"
    rf"(?P<id>{_PHONE_ID})(?![\w-])"
)
PHONE = _compile(
    r"(?<![\w.#/+-])(?P<id>"
    r"\+\d[\d\s().-]{6,20}\d"
    r"|\(\+?\d{1,5}\)\s?\d{3,4}[\s-]?\d{3,4}(?:[\s-]?\d{1,4})?"
    r"|(?:86[\s-]?)?1[3-9]\d[\s-]?\d{4}[\s-]?\d{4}"
    r"|(?:86[\s-]?)?1[3-9]\d[\s-]\d{3}[\s-]\d{5}"
    r"|0\d{1,4}[\s-]\d{3,4}[\s-]?\d{3,4}"
    r"|0\d{9,10}"
    r"|\d{3}[-.\s]\d{3}[-.\s]\d{4}"
    r"|[3689]\d{3}[\s-]\d{4}"
    r")(?![\w/]|[.-]\d)"
)

DATE = _compile(
    r"(?<![\w-])(?:(?:19|20)\d{2}[-/.](?:0?[1-9]|1[0-2])[-/.](?:[0-2]?\d|3[01])|\d{1,2}[/.-]\d{1,2}[/.-](?:19|20)?\d{2})(?![\w-])"
    r"|(?:19|20)\d{2}\s?年(?:\s?\d{1,2}\s?月(?:\s?\d{1,2}\s?[日号])?)?|\d{1,2}\s?月\s?\d{1,2}\s?[日号]?"
    r"|\b(?:in|since|year|during|from|until)\s+(?:early |late )?(?:19|20)\d{2}\b(?!-)"
    r"|\b(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]*\.?\s+\d{1,2}(?:st|nd|rd|th)?(?:,?\s+(?:19|20)\d{2})?\b"
    r"|\b\d{1,2}(?:st|nd|rd|th)?\s+(?:of\s+)?(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]*\.?(?:,?\s+(?:19|20)\d{2})?\b"
    r"|\b\d{1,2}:\d{2}(?::\d{2})?\b"
)

_NOT_ORDER_AFTER = rf"(?!\w|[.,]\d|-?\d|\s?(?:{_MONEY_AFTER}|pcs|pieces|units|boxes|%|折|个(?!单|订)|件|盒|箱|{_TIME}))"
_ORDER_ID = r"[a-z]{0,5}-?\d[\da-z]{0,23}(?:-[\da-z]{1,12}){0,3}"
_IS = r"(?:'s)?\s*(?:是|为|就是|叫|is|was|it's|=|:|：|,|，|-|–|—)*\s*(?:number\s+)?#?\s*"
NAMED_ORDER = _compile(
    r"(?:(?:订单|单号|订单号|单子|编号|流水号)(?:号码?|编号|号)?"
    r"|\b(?:order|ordr|oder|purchase|reference|ref\.|booking)\s*(?:no\.?|number|num(?:ber)?\.?|nr\.?|id|ref|code)?)"
    rf"{_IS}(?P<id>(?=[a-z-]{{0,6}}\d{{3}}){_ORDER_ID}){_NOT_ORDER_AFTER}"
    r"|(?:(?:订单|单)(?:号码?|编号|号)|\border\s*(?:no\.?|number|num|nr\.?|id)|#)"
    rf"{_IS}(?P<id2>(?=[a-z-]{{0,6}}\d){_ORDER_ID}){_NOT_ORDER_AFTER}"
)
THIS_ORDER = _compile(
    r"(?<![\w.-])(?P<id>[a-z]{0,4}-?\d{3,20}(?:-\d{1,6}){0,2})\s?(?:号?(?:这|那|的)?(?:个|张|一)?(?:订单|单(?!价|位|件))|号订单)"
)
ORDER_CODE = _compile(
    rf"(?<![\w.@#/-])(?P<id>(?!(?:usd|sgd|rmb|cny|eur|hkd|gbp|covid|iphone|win)\d)[a-z]{{1,4}}-?\d{{3,20}}(?:-[\da-z]{{1,12}}){{0,3}}){_NOT_ORDER_AFTER}(?![-@])"
)
BARE_NUMBER = _compile(
    rf"(?<![\w.$¥€£@/:,+-])(?<!last )(?P<id>(?:\d{{4,20}}|\d{{2,3}}(?=-\d{{4}}))(?:-\d{{1,8}}|-[a-z]\b){{0,2}}){_NOT_ORDER_AFTER}(?![/@:])"
)
# No detail has so many figures in a row; long runs only cost time.
ENDLESS_FIGURES = _compile(r"[\d一二三四五六七八九零〇两十百千万,.]{33,}|(?:[\d]\W){40,}")
BARE_ORDER_ANSWER = _compile(
    rf"\s*(?:(?:it'?s|it is|是|号码是)\s*)?#?\s*(?P<id>(?=[a-z-]{{0,6}}\d){_ORDER_ID})\s*(?:号|吧|[.。!！])*\s*"
)
BARE_PHONE_ANSWER = _compile(rf"\s*(?:(?:it'?s|it is|是)\s*)?(?P<id>{_PHONE_ID})\s*(?:吧|[.。!！])*\s*")
BARE_NUMBER_ANSWER = _compile(
    rf"\s*(?:(?:it'?s|it is|about|around|maybe|just|是|大概|大约|就|给|打|要)\s*)*(?:{_MONEY_BEFORE})?\s*(?P<n>{_NUMBER}(?:\s?k\b)?)\s*"
    rf"(?:{_MONEY_AFTER}|左右|个|件|分|星|吧|please|pls|stars?|[.。!！])*\s*"
)

OUT_OF_FIVE = _compile(
    r"(?P<whole>(?<![\w/.$-])(?P<n>[1-5](?:\.\d)?|one|two|three|four|five)\s?(?:/|out of)\s?(?:5|five)(?!\d|[/.]\d|\w))"
)
RATING = _compile(
    rf"(?P<whole>(?<![\w.第十百])(?P<n>[1-5](?:\.\d)?|\b(?:one|two|three|four|five))\s?-?\s?stars?\b"
    rf"|\b(?:rat(?:ed?|ing)(?: it| this| you)?(?: an?)?|(?:give|giving|gave)\s(?:\S+\s){{1,4}}?an?|solid|score(?: of)?)\s?:?\s?(?P<n3>[1-5])(?![\w%]|[.,]\d|\s?(?:{_TIME}|{_MONEY_AFTER}))"
    rf"|(?<![\w.第十百千几扣减差少一二三四五六七八九零])(?P<n2>[1-5](?:\.\d)?|[一二两三四五])\s?(?:颗|个)?(?:星(?!期|巴|球|座)|分(?![钟之期开批享别类店手公米])))"
)
STARS = _compile(r"(?P<whole>(?:[★⭐🌟]\uFE0F?\s?)*[★⭐🌟])")

_CAP = (
    r"(?:\b(?:under|below|less than|up to|max(?:imum)?(?: of)?|at most|no more than|not more than|nothing (?:above|over)|not over|cheaper than|cap(?:ped)? (?:of|at)|budget(?: is| of|:)?(?: about| around)?"
    r"|spend(?:ing)?(?: about| around| up to)?|set aside|collected|put aside)|不超过|不要超过|别超过|低于|最多|顶多|(?:预算|手头|手上)(?:大概|大约|差不多|是|为|在|就|只有|有|抓个|抓|:|：)*|控制在)"
)
_NO_TIME = rf"(?!\s?-?(?:{_TIME}|pcs|pieces|units|boxes|kg|公斤|斤|个|件|盒|箱|%|折|stars?|星|分)|[\d.,]*\d)"
BUDGET_RANGE = _compile(
    rf"(?P<whole>(?:{_MONEY_BEFORE}\s?\d[\d,.]*\s?(?:-|–|~|到|至|to)\s?(?:{_MONEY_BEFORE})?\s?(?P<n>{DECIMAL})"
    rf"|(?:{_CAP}\s?)?(?:{DECIMAL}|(?:{CHINESE}))\s?(?:{_MONEY_AFTER})?\s?(?:-|–|~|到|至|\bto\b)\s?(?P<n2>{_NUMBER})\s?(?:{_MONEY_AFTER})"
    rf"|(?:预算|budget|between)\s?(?:of|is|:|：|是|在|大概)?\s?(?:{_MONEY_BEFORE})?\s?(?:{DECIMAL}|(?:{CHINESE}))\s?(?:-|–|~|到|至|\b(?:to|and)\b)\s?(?:{_MONEY_BEFORE})?\s?(?P<n3>\d{{2,7}}|{CHINESE})){_NO_TIME})"
)
BUDGET_BEFORE = _compile(
    rf"(?P<whole>{_CAP}\s?(?:{_MONEY_BEFORE})?\s?(?P<n>{_NUMBER}(?:\s?k\b)?)(?:\s?(?:{_MONEY_AFTER}))?){_NO_TIME}"
)
BUDGET_AFTER = _compile(
    rf"(?P<whole>(?<![\d.])(?:{_MONEY_BEFORE})?\s?(?P<n>{_NUMBER}(?:\s?[k千万](?!\w))?)\s?(?:多|来)?\s?(?:{_MONEY_AFTER})?\s?"
    r"(?:以内|以下|之内|之下|左右|上下|出头|封顶|顶天|(?:的|块)?预算|to spend|or less|or under|max\b|tops\b))"
)
# An amount by itself is a price; next to these words it is what somebody wants to spend.
SPENDING = _compile(
    r"\b(?:gift|present|birthday|something|ideas?|recommend|suggest|spare|advise|for (?:my|a|an|the) (?:new )?(?:dad|mum|mom|friend|wife|husband|boss|colleague|teacher))\b|礼物|推荐|送(?:老|长|男|女|朋|妈|爸|人|同|客|领)|生日"
)
BUDGET_AMOUNT = _compile(
    rf"(?P<whole>(?<![\w.])(?:{_MONEY_BEFORE}\s?(?P<n>{_NUMBER})|(?P<n2>{_NUMBER})\s?{_MONEY_AFTER})(?!\w))"
)
BUDGET_BETWEEN = _compile(
    rf"(?P<whole>\b(?:within|around|about|roughly|maybe|大概|大约|差不多|approximately|give or take)\s?(?:(?:{_MONEY_BEFORE})\s?(?P<n>{_NUMBER})|(?P<n2>{_NUMBER})\s?(?:{_MONEY_AFTER}))){_NO_TIME}"
)
PRICE = _compile(
    rf"(?:{_MONEY_BEFORE})\s?\d[\d,.]*k?|\d[\d,.]*k?\s?(?:{_MONEY_AFTER})(?!\w)|\d[\d.]*\s?(?:%|折|percent\b)|(?:{CHINESE})(?:块钱?|元|折)"
)

_COUNTER = (
    r"(?:个(?!半|赞|问题|星期|月|小时|人|礼拜|工作日|地址|疑问|事|电话|忙|东西|订单|说法|解释|答复|朋友|多|字|差评|好评)|件(?!事)|盒|箱|包(?!裹)|瓶|袋|份|套|双|支|枝|只|条(?!信息|消息|短信)"
    r"|台|本|罐|杯|副|把(?![我它你这那])|对(?!于|不)|块(?!钱|左|以|上|到|多|内|出)|样|桶|卷|片|组|面|根|粒|颗(?!星)|株|束|匹|头|幅|张(?!单|图|券|优惠|代金|卡|票|照|发票))"
)
_COUNTED = (
    r"(?:pcs?\b|pieces?\b|units?\b|box(?:es)?\b|bottles?\b|packs?\b|packets?\b|items?\b|nos\b|qty\b|sets?\b|pairs?\b|bags?\b|cups?\b|tins?\b|jars?\b|cans?\b"
    r"|copies\b|cartons?\b|cases\b|rolls?\b|of (?:them|these|those|each)\b|of the(?=\s\d))"
)
QUANTITY = _compile(
    rf"(?P<whole>(?<![\w.第每哪同任某几$¥€£#])(?<!随便)(?P<n>\d{{1,6}}|{CHINESE})[来几多余]?\s?{_COUNTER}(?!装)"
    rf"|(?<![\w.$¥€£#-])(?:\d{{1,5}}\s?[-–~]\s?)?(?P<n2>\d{{1,6}}|\b{ENGLISH})(?:\s?-?ish|\sor so|\sodd)?\s?(?:x\s?|more\s+)?{_COUNTED})"
)
QUANTITY_NAMED = _compile(
    rf"(?P<whole>(?:数量|件数|\b(?:quantity|qty))\s?(?:是|为|改成|改为|to|of|is|:|：|=)*\s?(?P<n>{_SMALL}))(?!\w)"
)
QUANTITY_ALONE = _compile(rf"\A\s*(?P<whole>(?P<n>\d{{1,3}}|{ENGLISH}))\s(?:please|pls|plz|thanks?)\W*\Z")
QUANTITY_TIMES = _compile(
    r"(?P<whole>(?<!\w)[x×*]\s?(?P<n>\d{1,4})(?!\w)|(?<![\w.])(?P<n2>\d{1,4})\s?[x×](?![\w\d]|\s?[+=]))"
)
QUANTITY_WANTED = _compile(
    rf"\b(?:want|need|buy|bought|take|get|got|have|order|ordered|received|send|sent|like|give me|make it|make|call it|rather than|instead of|than|to)\s+(?:another\s+)?(?P<whole>(?P<n>\d{{1,3}}(?:,\d{{3}})?|{ENGLISH}))(?![\w/:-]|[.,]\d|\s?(?:{_TIME}|%|percent|more question|question|stars?|thing|of my|out))"
)
QUANTITY_EACH = _compile(
    rf"(?<!at )(?<!for )(?P<whole>(?<![\w.$¥€£#-])(?P<n>\d{{1,4}}|\b{ENGLISH})\s(?:of\s)?each\b"
    rf"|各(?:来|要|拿|买|订)?(?P<n2>\d{{1,3}}|{CHINESE})(?!\d))"
)
QUANTITY_DOZENS = _compile(
    rf"(?P<whole>(?<![\w.])(?P<n>\d{{1,3}})\s?dozens?\b|(?<![每论几第])(?P<n2>\d{{1,3}}|{CHINESE}|半)打(?![开包印扰听工电折错算扮车字断]))"
)
QUANTITY_IN_DOZENS = _compile(rf"(?P<whole>\b(?P<n>{ENGLISH})(?<=dozen)\b)(?!\stimes)")
# "要俩", "仨就行": two and three that carry their counter in themselves, unless people are counted.
QUANTITY_IN_ONE_WORD = _compile(
    r"(?:[要来买拿订拍加留发寄换]了?|给我|收到|只有)(?P<whole>(?P<n>[俩仨]))(?![人口儿家])|\A\s*(?P<n2>[俩仨])(?=就[行好够]|吧|够|[\s。！!，,.]*\Z)"
)
# 块 is also what a yuan is called: only in front of what comes in blocks, and where a number is to be made up.
QUANTITY_BLOCKS = _compile(
    rf"凑(?:得齐|不齐|齐|够|得够)(?P<whole>(?P<n>\d{{1,4}}|{CHINESE})块)(?!钱)"
    rf"|(?P<id2>(?<![\w.第每])(?P<n2>\d{{1,4}}|{CHINESE})块)(?=[\u4e00-\u9fff]{{0,3}}?(?:皂|布|蛋糕|巧克力|毛巾|毯|垫|板|砖|玻璃|披萨|面包|豆腐|木头|饼|手表|香膏))"
)
QUANTITY_ROUGHLY = _compile(
    rf"\A\s*(?:about |around |say |maybe |roughly )?(?P<whole>(?P<n>\d{{1,4}}|{ENGLISH}))(?:\s?-?ish|\sor so)\W*\Z"
    rf"|\A\s*(?P<id2>(?P<n2>{ENGLISH}))(?=,\s?(?:maybe|perhaps|probably|or|no|i think)\b)"
)
_HURT = r"(?:broken|missing|damaged|cracked|chipped|faulty|smashed|shattered|defective|torn|scratched|dead|leaking)"
QUANTITY_HURT = _compile(
    rf"(?P<whole>(?<![\w.$¥€£#/:-])(?<!order )(?<!number )(?P<n>\d{{1,3}}|{ENGLISH}))\s(?:of (?:them|these|those)\s)?(?:(?:is|are|were|was|came|arrived|got)\s)?{_HURT}\b"
)
# What a thing fell into, consists of or weighs is no number of goods.
_ABOUT = r"(?:(?:about|around|roughly|like|some|over|at least|nearly|a good)\s)*"
SHARDS = _compile(
    rf"\b(?:in|into)\s{_ABOUT}(?:\d{{1,4}}|{ENGLISH})\s(?:(?:tiny|small|little)\s)?(?:pieces|bits|parts|shards|fragments)\b"
)
PIECES_OF_A_SET = _compile(r"(?<![\w.])(?!1\b)\d{1,5}[ -]piece\b")
PUZZLE = _compile(r"puzzle|jigsaw|lego|拼图|积木")
PUZZLE_PIECES = _compile(rf"(?:\d{{1,5}}|{ENGLISH}|{CHINESE})\s?-?(?:pieces?\b|pcs?\b|片|块)")
WEIGHT = _compile(
    rf"(?<![\w.])(?:\d[\d.,]*|{ENGLISH})\s?-?(?:kilos?|kgs?|kilograms?|grams?|litres?|liters?|met(?:re|er)s?|ounces?|oz|lbs?|pounds?|feet|ft|yards?|gallons?|pints?|miles?|tonn?e?s?)\b"
)
# "250 candles", "four blue cushions": figures in front of something that there are several of.
QUANTITY_PLURAL = _compile(
    rf"(?P<whole>(?<![\w.$¥€£#/:-])(?<!last )(?<!order )(?<!number )(?P<n>\d{{1,3}}(?:,\d{{3}})?|{ENGLISH}))(?:\s?-?ish|\sor so|\sodd)?\s(?!(?:{_TIME}|{_MONEY_AFTER}|of my|or|and|to|in)\b)(?:(?!(?:is|was|has|for|in|on|at|to|from|and|or|but|this|its|per|i|people)\b)[a-z'-]+\s){{0,2}}?"
    r"(?!(?:is|was|has|this|its|stars|days|weeks|months|years|hours|minutes|seconds|times|things|questions|problems|issues|requests|people|persons|kids|emails|calls|messages|reasons|options|orders|addresses|parcels"
    r"|pounds|euros|bucks|dollars|francs|ways|steps|percents|points|business|address|less|plus|as|us|yes|texts|digits|letters|numbers|parts|shops|brands|languages|rooms|seaters|bars|cards|payments|vouchers|coupons|codes|players|kilos|grams|litres|inches|wears|children|cats|dogs|nieces|nephews|friends|sisters|brothers)\b)[a-z]{2,}(?:[a-rt-z])s\b"
)
MEASURE = _compile(
    rf"\d[\d.,]*\s?(?:{_TIME}|cm|mm|m\b|km|kg|g\b|ml|l\b|gb|tb|mb|inch(?:es)?|公斤|克|厘米|毫米|毫升|升|米|号码|码|v\b|w\b|mah)|[x×]\s?\d+\s?cm"
)
