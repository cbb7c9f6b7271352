"""Short words that are easy to read, say and type, for passwords people can copy from a screen."""

WORDS: tuple[str, ...] = tuple(
    """
    acorn almond amber anchor apple apron arrow atlas autumn badge bagel bamboo banjo barley basil basket beacon berry
    birch bison blanket blossom bonnet bottle branch bread breeze brick bridge bronze brook broom brush bucket butter
    button cabin cactus camel camera candle canoe canvas caramel carbon cargo carpet carrot castle cedar cello chalk
    cherry chess cider cinder circle citrus clay clever cliff clover cobalt cocoa coffee comet copper coral corner
    cotton crane crater crayon cricket crystal cumin curtain daisy dancer dawn delta denim desert dolphin domino donkey
    dragon drum dune eagle early easel echo elbow ember emerald engine evening fabric falcon feather fennel fern ferry
    fiddle field finch flame flannel flint flute forest fossil fountain fox frost galaxy garden garlic gentle ginger
    glacier globe golden goose granite grape gravel guitar hammer harbor harvest hazel helmet heron hickory honey
    horizon hornet hotel island ivory jacket jasmine jelly jigsaw juniper kayak kernel kettle kitten ladder lagoon lake
    lantern lemon lentil lilac lily linen lizard lobster locket lotus lunar magnet mango maple marble market meadow
    melon mercury mint mirror mitten morning mosaic motor mountain mulberry mustard napkin needle nickel nutmeg oasis
    oat ocean olive onion opal orange orchard orchid otter oyster paddle palm panda papaya paper parrot pastel pasture
    peach peanut pearl pebble pecan pencil pepper petal piano picnic pigeon pillow pilot pine planet plaster plum pocket
    pond poppy potato prairie pretzel puffin pumpkin puzzle quartz quiet quill quilt rabbit raccoon radish rain raven
    ribbon river robin rocket rosemary ruby saddle saffron sail salmon sandal satin scarf sesame shadow shell silver
    sketch slate snow socket sparrow spinach spiral spring spruce squash stable starling stone summer sunset swallow
    table tango teapot temple thimble thistle thunder tiger timber toast tomato topaz tulip tunnel turnip turtle
    umbrella valley vanilla velvet village violet violin waffle walnut walrus water wheat whistle willow window winter
    wool yarrow yellow yogurt zebra zephyr zinc
    """.split()
)
