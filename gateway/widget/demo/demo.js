/* The demo page: its language, the shop's own name and products, and the hints that fill the chat's input. */
(() => {
  "use strict";

  const DEMO_SHOP = "Camphor Lane";
  const MOST = 8;
  const page = document.documentElement;
  // What a product is, by the words in its title; everything else is drawn as a parcel.
  const PICTURES = [
    [/candle|taper|tealight|烛/i, "candle"],
    [/incense|香插|线香|塔香|香炉/i, "incense"],
    [/diffuser|\boil\b|spray|扩香|精油|喷雾|藤条/i, "diffuser"],
    [/vase|flower|瓶|花/i, "vase"],
    [/mug|cup|tea|coffee|杯|茶|咖啡/i, "mug"],
    [/bowl|plate|dish|碗|盘|碟/i, "bowl"],
    [/linen|throw|towel|cushion|cloth|scarf|robe|shirt|麻|毯|巾|布|衣/i, "linen"],
    [/gift|box|set|card|礼/i, "box"],
  ];

  function wantedLanguage() {
    const asked = new URLSearchParams(location.search).get("lang");
    return /^zh/i.test(asked || navigator.language) ? "zh" : "en";
  }

  function speak(language) {
    page.lang = language === "zh" ? "zh-CN" : "en";
    for (const button of document.querySelectorAll("[data-language-button]"))
      button.setAttribute("aria-pressed", String(button.dataset.languageButton === language));
  }

  function pictureFor(title) {
    const found = PICTURES.find(([words]) => words.test(title));
    return `/demo/pictures/${found ? found[1] : "parcel"}.svg`;
  }

  const inBoth = (text) => (typeof text === "string" ? { en: text, zh: text } : { en: text.en || text.zh, zh: text.zh || text.en });

  function webAddress(value) {
    try {
      const url = new URL(value, location.href);
      return /^https?:$/.test(url.protocol) ? url.href : null;
    } catch {
      return null;
    }
  }

  function inBothLanguages(text) {
    const { en, zh } = inBoth(text);
    return [["en", en], ["zh-CN", zh]].map(([language, words]) => {
      const span = document.createElement("span");
      span.className = "t";
      span.lang = language;
      span.textContent = words;
      return span;
    });
  }

  function productNode({ title, price, image, url }) {
    const { en, zh } = inBoth(title);
    const item = document.createElement("li");
    const picture = document.createElement("img");
    const drawn = pictureFor(`${en} ${zh}`);
    picture.src = (image && webAddress(image)) || drawn;
    picture.alt = "";
    picture.loading = "lazy";
    picture.addEventListener("error", () => { picture.src = drawn; }, { once: true });
    const name = document.createElement("h3");
    const address = url && webAddress(url);
    const holder = address ? name.appendChild(Object.assign(document.createElement("a"), { href: address })) : name;
    holder.append(...inBothLanguages(title));
    const cost = document.createElement("p");
    cost.className = "price";
    cost.textContent = price || "";
    item.append(picture, name, cost);
    return item;
  }

  function show(shop) {
    const name = inBoth(shop.name);
    const isDemo = name.en === DEMO_SHOP;
    for (const node of document.querySelectorAll("[data-demo-only]")) node.hidden = !isDemo;
    for (const node of document.querySelectorAll("[data-other-only]")) node.hidden = isDemo;
    document.title = name.en === name.zh ? name.en : `${name.en} ${name.zh}`;
    document.querySelector("[data-shop-name]").replaceChildren(...inBothLanguages(shop.name));
    const products = (shop.products || []).filter((product) => product && product.title).slice(0, MOST);
    if (products.length) document.querySelector(".products").replaceChildren(...products.map(productNode));
    else if (!isDemo) document.querySelector("[data-products]").hidden = true;
  }

  function ready() {
    speak(wantedLanguage());
    document.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (!button) return;
      if (button.dataset.languageButton) {
        const address = new URL(location.href);
        address.searchParams.set("lang", button.dataset.languageButton);
        history.replaceState(null, "", address);
        speak(button.dataset.languageButton);
      } else if ("ask" in button.dataset && window.solodesk) {
        window.solodesk.open(button.textContent.trim());
      }
    });
  }

  speak(wantedLanguage());
  // Another shop's page must not flash the demo shop's name; a desk that does not answer must not keep the page blank.
  page.classList.add("arriving");
  const arrived = () => page.classList.remove("arriving");
  setTimeout(arrived, 1000);
  const loaded = new Promise((done) => document.addEventListener("DOMContentLoaded", done));
  loaded.then(ready);
  Promise.all([fetch("/api/shop").then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error("no shop")))), loaded])
    .then(([shop]) => shop && shop.name && show(shop))
    .catch(() => {})
    .finally(() => loaded.then(arrived));
})();
