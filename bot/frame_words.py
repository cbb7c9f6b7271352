"""The words that hold a sentence together in each language; nouns and names are left out on purpose."""

from __future__ import annotations

CHINESE_FRAME: frozenset[str] = frozenset(
    "的了吗呢吧啊呀嘛哦我你您他她它们这那哪什么怎几多少是不没有在到把被给跟和与就都也还要想能会可以请帮查"
    "谁为因所但如果从对向让叫用去来说看问买退换发收付谢好再已过着得地个件下上里哈喂嗨请麻烦咋啥点"
)

ENGLISH_FRAME: frozenset[str] = frozenset(
    """
    a about after again all already am an and any anyone are as at be because been before but by can cancel could did do
    does doing done else ever find for from get give go going good got had has have he hello help her hey hi him his how
    i if in into is it its just know let like little look looking many may me might more most much must my need never no
    not now of off ok okay on one only or other our out over please put really return same see send she should show since
    so some somebody someone something soon still such take tell than thank thanks that the their them then there these
    they this those to today tomorrow too track try under until up us very want was we were what whats when where wheres
    which while who why will with without won't wont would yes yet you your yours i'm i've i'd it's don't dont can't cant
    what's where's isn't doesn't didn't haven't hasn't i'll you're that's there's let's
    """.split()
)

OTHER_LATIN_FRAME: dict[str, frozenset[str]] = {
    "fr": frozenset(
        """
        je tu il elle nous vous ils elles le la les un une des du de et est sont où ou mon ma mes votre vos notre que qui
        quand comment pourquoi pas ne n'est c'est j'ai avec pour dans sur bonjour merci commande colis livraison
        rembourser combien je voudrais veux puis avez bonsoir oui quel quelle cette ce
        """.split()
    ),
    "de": frozenset(
        """
        ich du er sie wir ihr der die das ein eine einen mein meine meiner dein ist sind und oder nicht kein wo wann wie
        warum was wer mit für auf von zu zum zur bitte danke hallo bestellung paket lieferung haben habe hat kann können
        möchte wird werden guten tag mir mich noch schon
        """.split()
    ),
    "es": frozenset(
        """
        yo tú él ella nosotros el la los las un una unos es son está están dónde donde cuándo cuando cómo como por qué que
        mi mis su con para en de del y no hola gracias pedido paquete envío quiero puedo tengo tiene favor cuánto cuesta
        buenos buenas días tardes mi este esta
        """.split()
    ),
    "pt": frozenset(
        "eu você ele ela o os um uma não onde quando como meu minha obrigado obrigada olá pedido quero por favor está é".split()
    ),
    "it": frozenset(
        "io tu lui lei il lo gli un una è sono dove quando come perché mio mia ciao grazie ordine pacco vorrei per che non con".split()
    ),
    "nl": frozenset(
        "ik jij hij zij wij de het een is zijn waar wanneer hoe waarom mijn niet dank bestelling pakket alstublieft met voor van".split()
    ),
    "id": frozenset(
        "saya kamu anda di mana kapan bagaimana yang dan tidak ini itu pesanan terima kasih tolong dengan untuk apa apakah bisa".split()
    ),
}
