"""What a message says beyond the topic it is about: a general question is answered by the shop's own facts.

"What is your return policy?" says nothing beyond returns; "who pays for the postage?" does, and an article may know.
"""

import re
from collections.abc import Sequence

from actions.references import content_words
from crm.text import latin_words, normal

_EVERYWHERE = (
    "general usually normally typically roughly approximately exactly currently available option options offer offers "
    "shop store by way btw anyway please thanks thank hi hello also guys folks team question "
    "know explain happen happens work works"
)
_WORDS = {
    "discount": (
        "discount discounts code codes coupon coupons promo promos promotion promotions voucher vouchers sale sales "
        "deal deals first order running percent off any anything special"
    ),
    "contact": (
        "open opening opened close closing closed hours hour time times email mail contact reach support today weekend "
        "weekends monday tuesday wednesday thursday friday saturday sunday phone number message write"
    ),
    "return": (
        "return returns returning returned send back policy policies refund refunds exchange exchanges days "
        "long many accept allow take possible after until window period terms conditions rule rules something "
        "item items thing things goods products unwanted didn't like anything order orders"
    ),
    "delivery": (
        "ship ships shipping shipped shipment deliver delivers delivery deliveries delivered fast quick "
        "quickly soon time times long days rate rates fee fees charge charges cost costs price much send "
        "sends sending sent post postage parcel package arrive arrives arrival free "
        "worldwide international internationally abroad overseas country countries orders order region "
        "regions estimated standard address get over minimum threshold"
    ),
    "payment": (
        "pay pays paying paid payment payments method methods way ways accept accepts take takes card cards "
        "credit debit use using checkout options"
    ),
    "change": (
        "change changes changing changed modify edit update alter amend adjust correct swap switch replace "
        "order orders address delivery shipping details detail something placed wrong mistake different "
        "parcel still possible quantity size colour color item items product products add remove purchase"
    ),
}
_HAN = {
    "discount": "优惠码|优惠券|折扣码?|打折|活动|促销|优惠|现在|目前|最近|首单|新人|新客|什么|券|码|折",
    "contact": (
        "几点|开门|关门|营业|上班|下班|时间|邮箱|邮件|联系方式|联系|客服|号码|电话|怎么|如何|多少|今天|"
        "周末|周[一二三四五六日]"
    ),
    "return": (
        "退货|退换货?|退款|换货|退|换|政策|规定|规则|无理由|七天|天内|期限|多久|几天|多少天|支持|申请|怎么|"
        "如何|商品|东西|订单|收到|以后|之后|后|不喜欢|不满意|不合适"
    ),
    "delivery": (
        "运费|邮费|配送|快递|发货|送货|物流|邮寄|寄送?|发到|发往|送到|到货|包邮|免邮|免运费?|满多少|几天|"
        "多久|多少天|多少钱|时间|费用|收费|怎么算|下单|订单|一般|国外|海外|国际|国内|地区|哪些|国家|发|送|寄|"
        "到"
    ),
    "payment": ("付款|支付|付钱|方式|怎么付|如何付|信用卡|借记卡|刷卡|支持|哪些|用|付"),
    "change": ("修改|更改|变更|改|换|订单|地址|收货|信息|内容|数量|颜色|尺码|错|填|下单|商品|东西|一下|单"),
}


def beyond(text: str, topic: str, *, besides: Sequence[str] = ()) -> list[str]:
    """The words and character pairs of a message that its topic does not account for, nor the names ``besides``."""
    said = normal(text)
    for name in besides:
        said = said.replace(normal(name), " ")
    said = re.sub(r"[\w.+-]+@[\w.-]+", " ", said)
    rest = re.sub(_HAN[topic], " ", said)
    known = set(latin_words(f"{_EVERYWHERE} {_WORDS[topic]}"))
    return [word for word in content_words(rest) if word not in known]
