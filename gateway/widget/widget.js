/*
 * The Solodesk chat widget: one file, no dependencies, no build step.
 *
 *   <script src="https://desk.example/widget.js" data-language="auto" async></script>
 *
 * Optional attributes: data-language (auto, zh, en), data-title, data-color (#rgb or #rrggbb),
 * data-identity (signed customer token), data-open. The API is the origin this file came from.
 *
 * The page gets one object, window.solodesk: open(text?), close(), toggle().
 *
 * It runs under `default-src 'self'; script-src 'self'; style-src 'self'`: styles live in a constructed sheet,
 * no element has a style attribute, and text from the network only ever becomes text nodes.
 */
(() => {
  "use strict";

  const script = document.currentScript || document.querySelector('script[src*="/widget.js"]');
  if (!script || window.solodesk) return;

  const API = new URL(script.src, location.href).origin;
  const IDENTITY = script.dataset.identity || "";
  const LONGEST = 4000;
  const COUNT_FROM = 3600;
  const PAGE = 100;
  const TYPING_EVERY = 2000;
  const POLL_EVERY = 4000;
  const POLL_HIDDEN_EVERY = 30000;
  const HIDDEN_GRACE = 60000;
  const SILENCE = 45000; // the desk sends a heartbeat every 15 s
  const ANSWER_TIMEOUT = 20000;
  const STREAM_RETRY = 60000;

  // ---------------------------------------------------------------- words

  const WORDS = {
    en: {
      tag: "en",
      chat: "Chat",
      open: "Open chat",
      close: "Close chat",
      unread: (n) => `Open chat, ${n} new ${n === 1 ? "message" : "messages"}`,
      log: "Conversation",
      message: "Message",
      placeholder: "Write a message…",
      send: "Send",
      menu: "More options",
      telegram: "Continue on Telegram",
      goOn: "Open Telegram",
      hello: (shop) => (shop ? `Welcome to ${shop}` : "Hello"),
      helloText: "Ask about orders, products or returns. The owner steps in whenever you need a person.",
      starters: ["Where is my order?", "What do you recommend?", "How do returns work?", "I'd like to talk to a person"],
      suggestions: "Suggestions",
      assistant: "Assistant",
      owner: "Owner",
      you: "You",
      atOnce: "Assistant · answers right away",
      withOwner: "You are talking with the owner",
      called: "Assistant · the owner has been told",
      asked: "The owner has been told and will answer here",
      reconnecting: "Reconnecting…",
      offline: "No connection. What you write is kept and sent as soon as you are back.",
      joined: (shop) => (shop ? `You are now talking with the owner of ${shop}` : "You are now talking with the owner"),
      left: "The assistant is back in this chat",
      typing: { bot: "The assistant is typing", owner: "The owner is typing" },
      sending: "Sending…",
      waiting: "Waiting to send",
      failed: "Not sent",
      tooLong: "Too long to send",
      retry: "Try again",
      remove: "Remove",
      room: (n) => `${Math.abs(n)} ${Math.abs(n) === 1 ? "character" : "characters"} ${n < 0 ? "too many" : "left"}`,
      earlier: "Earlier messages",
      latest: "Newest messages",
      today: "Today",
      yesterday: "Yesterday",
      products: "Products",
      view: "View",
      next: "Next products",
      previous: "Previous products",
      picture: "Picture",
      rate: "Rate this chat",
      person: "Talk to a person",
      end: "End chat",
      forget: "Forget this chat on this device",
      sure: "Tap again to forget it",
      askScore: "How did we do?",
      scores: ["Very poor", "Poor", "All right", "Good", "Excellent"],
      score: (n, word) => `${n} of 5, ${word}`,
      thanks: "Thank you!",
      comment: "Anything to add? (optional)",
      sendComment: "Send comment",
      noScore: "That did not get through. Please tap again.",
      done: "Close",
    },
    zh: {
      tag: "zh-CN",
      chat: "在线客服",
      open: "打开聊天",
      close: "关闭聊天",
      unread: (n) => `打开聊天，${n} 条新消息`,
      log: "对话内容",
      message: "消息",
      placeholder: "输入消息…",
      send: "发送",
      menu: "更多选项",
      telegram: "在 Telegram 上继续",
      goOn: "打开 Telegram",
      hello: (shop) => (shop ? `欢迎光临${shop}` : "您好"),
      helloText: "订单、商品、退换货，都可以直接问。需要时店主会亲自回复您。",
      starters: ["我的订单到哪了？", "有什么推荐的吗？", "怎么退换货？", "我想找真人客服"],
      suggestions: "常见问题",
      assistant: "智能助手",
      owner: "店主",
      you: "您",
      atOnce: "智能助手 · 即时回复",
      withOwner: "店主正在与您对话",
      called: "智能助手 · 已通知店主",
      asked: "已通知店主，店主会在这里回复您",
      reconnecting: "正在重新连接…",
      offline: "网络已断开。您写的内容会保留，恢复后自动发送。",
      joined: (shop) => (shop ? `现在由${shop}的店主与您对话` : "现在由店主与您对话"),
      left: "智能助手已回到对话中",
      typing: { bot: "智能助手正在输入", owner: "店主正在输入" },
      sending: "发送中…",
      waiting: "等待发送",
      failed: "未发送",
      tooLong: "内容过长，无法发送",
      retry: "重试",
      remove: "删除",
      room: (n) => (n >= 0 ? `还可输入 ${n} 字` : `超出 ${-n} 字`),
      earlier: "更早的消息",
      latest: "最新消息",
      today: "今天",
      yesterday: "昨天",
      products: "商品",
      view: "查看",
      next: "后面的商品",
      previous: "前面的商品",
      picture: "图片",
      rate: "评价本次服务",
      person: "找真人客服",
      end: "结束对话",
      forget: "在此设备上清除对话",
      sure: "再点一次确认清除",
      askScore: "这次服务怎么样？",
      scores: ["很差", "较差", "一般", "满意", "非常满意"],
      score: (n, word) => `${n} 分（满分 5 分），${word}`,
      thanks: "谢谢您的评价！",
      comment: "还想补充什么吗？（选填）",
      sendComment: "提交留言",
      noScore: "没有提交成功，请再点一次。",
      done: "关闭",
    },
  };

  function chosenLanguage() {
    const wanted = script.dataset.language;
    if (wanted === "zh" || wanted === "en") return wanted;
    const page = document.documentElement.lang || navigator.language || "en";
    return /^zh/i.test(page) ? "zh" : "en";
  }

  let language = chosenLanguage();
  let words = WORDS[language];

  // ---------------------------------------------------------------- storage

  /** localStorage under our own prefix; what it refuses is kept in memory, so a blocked storage costs only reloads. */
  const store = (() => {
    const prefix = `solodesk:${API}:`;
    const memory = new Map();
    let disk = null;
    try {
      disk = window.localStorage;
      disk.getItem(prefix);
    } catch {
      disk = null;
    }
    return {
      prefix,
      get(key) {
        if (memory.has(key)) return memory.get(key);
        try {
          return JSON.parse((disk && disk.getItem(prefix + key)) || "null");
        } catch {
          return null;
        }
      },
      set(key, value) {
        try {
          if (!disk) throw new Error("blocked");
          disk.setItem(prefix + key, JSON.stringify(value));
          memory.delete(key);
        } catch {
          memory.set(key, value);
        }
      },
      remove(key) {
        memory.delete(key);
        try {
          if (disk) disk.removeItem(prefix + key);
        } catch {
          // nothing to remove where nothing can be kept
        }
      },
      keys(start) {
        const found = new Set([...memory.keys()]);
        try {
          for (let i = 0; disk && i < disk.length; i += 1) {
            const key = disk.key(i);
            if (key.startsWith(prefix)) found.add(key.slice(prefix.length));
          }
        } catch {
          // as above
        }
        return [...found].filter((key) => key.startsWith(start));
      },
    };
  })();

  // ---------------------------------------------------------------- state

  let session = null; // {token, conversation_id, who, refused?}
  let messages = new Map(); // id → message of the current conversation
  let archive = []; // messages of conversations whose token has expired: shown, never sent
  let cursor = 0; // last id the ordered feed has delivered; an answer to a POST does not move it
  let outbox = []; // {client_id, text, payload?, at, failed?}, oldest first
  let notices = []; // {key, after, text}
  let handoff = false; // the owner was called
  let ownerSpeaks = false; // … and speaks, so that the assistant does not
  let shopName = null; // text or {en, zh}
  let typing = null; // {author}
  let rating = null; // {score?, sent?, finished?, error?, comment?, ending?, focus?} while it is shown
  let shown = PAGE;
  let complete = false; // the desk has nothing older than what is here
  let isOpen = false;
  let connected = true;
  let lastStamp = 0;

  const list = (value) => (Array.isArray(value) ? value.filter(Boolean) : []);
  const usable = (m) => Boolean(m) && Number.isInteger(m.id) && typeof m.author === "string";
  const ordered = () => [...messages.values()].sort((a, b) => a.id - b.id);
  const firstId = () => (messages.size ? Math.min(...messages.keys()) : 0);
  const lastId = () => Math.max(0, ...messages.keys());

  function timeOf(entry) {
    const at = new Date(entry.created_at || entry.at || "");
    return Number.isNaN(+at) ? new Date() : at;
  }

  function loadLog() {
    session = store.get("session");
    const log = store.get("log");
    messages = new Map();
    archive = [];
    cursor = 0;
    if (!log) return;
    archive = list(log.archive).filter(usable);
    const current = list(log.messages).filter(usable);
    if (session && log.conversation === session.conversation_id) {
      for (const m of current) messages.set(m.id, m);
      cursor = Number(log.cursor) || 0;
      handoff = log.handoff === true;
      ownerSpeaks = handoff && log.owner !== false;
    } else {
      archive = archive.concat(current).slice(-PAGE);
    }
  }

  function saveLog() {
    store.set("log", {
      conversation: session && session.conversation_id,
      messages: ordered().slice(-PAGE),
      archive: archive.slice(-PAGE),
      cursor,
      handoff,
      owner: ownerSpeaks,
    });
  }

  function loadOutbox() {
    const here = new Map(outbox.map((item) => [item.client_id, item]));
    outbox = store
      .keys("out:")
      .map((key) => store.get(key))
      .filter((item) => item && typeof item.text === "string" && item.client_id)
      .map((item) => here.get(item.client_id) || item)
      .sort((a, b) => a.at - b.at);
  }

  const keep = (item) => store.set(`out:${item.client_id}`, { ...item, state: undefined });

  function drop(clientId) {
    store.remove(`out:${clientId}`);
    outbox = outbox.filter((item) => item.client_id !== clientId);
  }

  // ---------------------------------------------------------------- talking to the desk

  class Refused extends Error {
    constructor(status, { code = "", retryAfter = 0 } = {}) {
      super(`refused with ${status} ${code}`);
      this.status = status; // 0: no answer at all
      this.code = code;
      this.retryAfter = retryAfter; // milliseconds
    }
  }

  function retryAfterOf(response) {
    const value = response.headers.get("Retry-After");
    if (!value) return 0;
    const wait = /^\d+(\.\d+)?$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
    return Math.min(Math.max(wait || 0, 0), 3600000);
  }

  async function ask(method, path, { body, token, headers, signal, timeout = ANSWER_TIMEOUT } = {}) {
    const stop = new AbortController();
    const timer = timeout && setTimeout(() => stop.abort(), timeout);
    if (signal) signal.addEventListener("abort", () => stop.abort());
    let response;
    try {
      response = await fetch(API + path, {
        method,
        headers: {
          ...(body ? { "Content-Type": "application/json" } : {}),
          ...(token ? { Authorization: `Bearer ${token}` } : {}),
          ...headers,
        },
        body: body && JSON.stringify(body),
        credentials: "omit",
        cache: "no-store",
        signal: stop.signal,
      });
      if (!response.ok) {
        const { error } = await response.json().catch(() => ({}));
        throw new Refused(response.status, { code: error && error.code, retryAfter: retryAfterOf(response) });
      }
      if (!timeout || response.status === 204) return response;
      return await response.json();
    } catch (error) {
      throw error instanceof Refused ? error : new Refused(0);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Two tabs share one conversation; whatever may happen only once runs under a lock of the browser. */
  const exclusively = (name, work) =>
    navigator.locks ? navigator.locks.request(store.prefix + name, work) : work();

  const naps = new Set();
  const nap = (ms) =>
    new Promise((done) => {
      const end = () => {
        clearTimeout(timer);
        naps.delete(end);
        done();
      };
      const timer = setTimeout(end, ms);
      naps.add(end);
    });
  const wake = () => [...naps].forEach((end) => end());
  const backoff = (tries) => Math.min(30000, 1000 * 2 ** Math.min(tries, 5)) * (0.5 + Math.random() / 2);

  function randomId() {
    if (crypto.randomUUID) return crypto.randomUUID(); // absent on plain http
    return [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");
  }

  /** Whom the signed token names. A site signs anew on every page, so the token itself says nothing about a change. */
  function namedBy(token) {
    try {
      const claims = JSON.parse(atob(token.slice(0, token.lastIndexOf(".")).replace(/-/g, "+").replace(/_/g, "/")));
      return String(claims.customer_id || claims.email);
    } catch {
      return token;
    }
  }

  const WHO = namedBy(IDENTITY);

  function adopt(next) {
    if (session && session.conversation_id !== next.conversation_id) {
      archive = archive.concat(ordered()).slice(-PAGE);
      messages = new Map();
      notices = [];
      cursor = 0;
      shown = PAGE;
      complete = false;
      handoff = ownerSpeaks = false;
      rating = null;
      // A button belongs to the conversation it was sent in; in a new one its words have to speak for themselves.
      for (const item of outbox) if (item.payload) keep(Object.assign(item, { payload: undefined }));
    }
    session = next;
  }

  async function openSession() {
    const body = { language, page_url: location.origin + location.pathname };
    try {
      return { made: await ask("POST", "/api/chat/sessions", { body: IDENTITY ? { ...body, identity: IDENTITY } : body }) };
    } catch (error) {
      // A page from the cache may carry an identity that has run out: better a stranger than nobody.
      if (!IDENTITY || error.status !== 401) throw error;
      return { made: await ask("POST", "/api/chat/sessions", { body }), refused: IDENTITY };
    }
  }

  /** The session in use, or a new one if there is none or the desk no longer takes the token `expired`. */
  function ensureSession(expired) {
    if (session && session.token !== expired) return session;
    return exclusively("session", async () => {
      const stored = store.get("session");
      if (stored && stored.token !== expired) {
        adopt(stored);
      } else {
        const { made, refused } = await openSession();
        adopt({ token: made.token, conversation_id: made.conversation_id, who: refused ? "" : WHO, refused, telegram: made.telegram });
        store.set("session", session);
        if (made.shop && made.shop.name) shopName = made.shop.name;
        setHandoff(Boolean(made.handoff));
        saveLog();
      }
      follow();
      return session;
    });
  }

  // ---------------------------------------------------------------- sending

  let flushing = false;
  let flushAgain = false;
  let flushTimer = 0;
  let heldUntil = 0; // Retry-After: nothing is sent before
  let sendTries = 0;

  function say(text, payload) {
    const clean = text.trim();
    if (!clean || [...clean].length > LONGEST) return false;
    lastStamp = Math.max(Date.now(), lastStamp + 1);
    const item = { client_id: randomId(), text: clean, at: lastStamp, ...(payload ? { payload } : {}) };
    const held = !connected || Date.now() < heldUntil || outbox.some((one) => one.state === "waiting");
    item.state = held ? "waiting" : "sending";
    keep(item);
    outbox.push(item);
    rating = null;
    sync({ toEnd: true });
    flush();
    return true;
  }

  function flushIn(ms) {
    clearTimeout(flushTimer);
    flushTimer = setTimeout(flush, ms);
  }

  async function flush() {
    if (flushing) {
      flushAgain = true;
      return;
    }
    flushing = true;
    clearTimeout(flushTimer);
    try {
      do {
        flushAgain = false;
        await exclusively("outbox", deliver);
      } while (flushAgain);
    } finally {
      flushing = false;
      sync();
    }
  }

  /** Sends what waits, oldest first, one at a time; a repeat carries the same client_id, so the desk takes it once. */
  async function deliver() {
    loadOutbox();
    for (let renewals = 0; ; ) {
      const item = outbox.find((one) => !one.failed);
      if (!item) return;
      if (Date.now() < heldUntil) return flushIn(heldUntil - Date.now());
      const token = session && session.token;
      try {
        item.state = "sending";
        sync();
        const { token: current } = await ensureSession();
        const body = { text: item.text, client_id: item.client_id, ...(item.payload ? { payload: item.payload } : {}) };
        const { message } = await ask("POST", "/api/chat/messages", { body, token: current });
        sendTries = 0;
        drop(item.client_id);
        if (usable(message)) {
          receive({ client_id: item.client_id, ...message });
          expectReply(message.id);
        }
      } catch (error) {
        for (const one of outbox) one.state = "waiting";
        const { status, retryAfter } = error instanceof Refused ? error : new Refused(0);
        isErased(error);
        if (status === 401 && renewals < 2) {
          renewals += 1;
          try {
            await ensureSession(token || (session && session.token));
            continue;
          } catch (refusal) {
            heldUntil = Date.now() + (refusal.retryAfter || 0);
          }
        } else if (status === 429 || status === 503) {
          heldUntil = Date.now() + (retryAfter || backoff(sendTries++));
          return flushIn(heldUntil - Date.now());
        } else if (status >= 400 && status < 500 && status !== 401 && status !== 408) {
          // The button may have been refused, not the words on it.
          if (item.payload) delete item.payload;
          else item.failed = status;
          keep(item);
          continue;
        } else if (status >= 500) {
          item.tries = (item.tries || 0) + 1;
          if (item.tries >= 5) {
            item.failed = status;
            keep(item);
            continue;
          }
        }
        return flushIn(backoff(sendTries++));
      }
    }
  }

  function expectReply(id) {
    const unanswered = () => !ownerSpeaks && session && lastId() <= id;
    // The desk's own sign of typing may be sent before the first stream of a conversation is there to carry it.
    setTimeout(() => {
      if (!unanswered() || typing) return;
      setTyping({ author: "bot", on: true }, 10000);
      sync();
    }, 400);
    // Some proxies hold a stream back: look once.
    setTimeout(() => unanswered() && catchUp().catch(() => {}), POLL_EVERY);
  }

  function tryAgain(item) {
    delete item.failed;
    delete item.tries;
    keep(item);
    sendTries = 0;
    flush();
  }

  function giveUp(item) {
    drop(item.client_id);
    sync();
    ui.input.focus();
  }

  let typedAt = 0;
  function tellTyping() {
    if (!session || Date.now() - typedAt < TYPING_EVERY) return;
    typedAt = Date.now();
    ask("POST", "/api/chat/typing", { token: session.token }).catch(() => {});
  }

  // ---------------------------------------------------------------- receiving

  function receive(message) {
    if (!usable(message)) return;
    const known = messages.has(message.id);
    messages.set(message.id, { ...messages.get(message.id), ...message, conversation: session && session.conversation_id });
    if (message.client_id) drop(message.client_id);
    if (known) return;
    if (typing && typing.author === message.author) typing = null;
    const fresh = Date.now() - Date.parse(message.created_at || "") < 120000;
    if (message.author === "bot" && fresh && isGoodbye(message)) offerRating();
  }

  const FAREWELL = /\b(good-?bye|bye|bye-?bye|see you|have a \w+ day)\b|再见|再會|拜拜|生活愉快/i;

  /** The bot's answer to a goodbye, or one of its own; how exactly it is worded is up to the shop. */
  function isGoodbye(message) {
    const before = ordered().filter((m) => m.author === "customer" && m.id < message.id).pop();
    return [message, before].some((m) => m && String(m.text || "").length < 200 && FAREWELL.test(m.text));
  }

  function receiveFeed(message) {
    receive(message);
    if (usable(message)) cursor = Math.max(cursor, message.id);
  }

  /** A desk that does not say who speaks means the owner. */
  function setHandoff(active, owner = active) {
    if (active === handoff && owner === ownerSpeaks) return;
    const wasOwner = ownerSpeaks;
    handoff = active;
    ownerSpeaks = active && owner;
    if (typing && typing.author === (ownerSpeaks ? "bot" : "owner")) typing = null;
    const shop = nameOf(shopName);
    const text = () => (active && owner ? words.joined(shop) : active && !wasOwner ? words.asked : words.left);
    notices.push({ key: `n${randomId()}`, after: lastId(), text });
    if (!active) offerRating();
  }

  async function catchUp() {
    const { token, conversation_id: conversation } = session;
    for (;;) {
      const page = await ask("GET", `/api/chat/messages?after=${cursor}&limit=${PAGE}`, { token });
      if (!session || session.conversation_id !== conversation) return;
      const news = list(page.messages).filter(usable);
      if (typeof page.handoff === "boolean") setHandoff(page.handoff, page.owner_speaks);
      const before = cursor;
      news.forEach(receiveFeed);
      sync();
      if (news.length < PAGE / 2 || cursor === before) return;
    }
  }

  /** Who had their data deleted must not find it here either; only what still waits to be sent stays. */
  function isErased({ code }) {
    if (code !== "conversation_erased") return false;
    const waiting = outbox;
    forget();
    waiting.forEach(keep);
    loadOutbox();
    sync();
    return true;
  }

  let run = 0; // each change of session starts a new run and ends the old one
  let stream = null;
  let hiddenSince = 0;

  const isHidden = () => document.hidden && Date.now() - hiddenSince > HIDDEN_GRACE;

  /** Keeps the conversation current: history first, then the stream; polling where streams do not pass. */
  async function follow() {
    const mine = (run += 1);
    if (stream) stream.abort();
    wake();
    let tries = 0;
    let streamMisses = 0;
    let pollUntil = 0;
    while (mine === run && session) {
      let rest = 0;
      try {
        await catchUp();
        setConnected(true);
        tries = 0;
        if (isHidden()) {
          // Browsers allow six connections per host: a forgotten tab must not keep one.
          rest = POLL_HIDDEN_EVERY;
        } else if (Date.now() < pollUntil) {
          rest = POLL_EVERY;
        } else {
          const lived = await listen();
          streamMisses = lived ? 0 : streamMisses + 1;
          if (streamMisses >= 2) pollUntil = Date.now() + STREAM_RETRY;
          rest = backoff(streamMisses) / 2;
        }
      } catch (error) {
        if (mine !== run) return;
        const { status = 0, retryAfter = 0 } = error;
        if (isErased(error)) return;
        if (status === 401 && tries < 3) {
          try {
            await ensureSession(session.token);
            return; // the new session follows by itself
          } catch {
            // fall through to the wait
          }
        }
        setConnected(false);
        rest = Math.max(retryAfter, backoff(tries));
        tries += 1;
        if (retryAfter) {
          await new Promise((done) => setTimeout(done, rest));
          continue;
        }
      }
      if (mine === run) await nap(rest);
    }
  }

  /** One stream until it ends. True if it delivered anything; false if it cannot be used here. */
  async function listen() {
    stream = new AbortController();
    const here = stream;
    const mine = run;
    let watchdog = 0;
    const alive = () => {
      clearTimeout(watchdog);
      watchdog = setTimeout(() => here.abort(), SILENCE);
    };
    let lived = false;
    alive();
    try {
      const response = await ask("GET", "/api/chat/events", {
        token: session.token,
        headers: { Accept: "text/event-stream", "Last-Event-ID": String(cursor) },
        signal: here.signal,
        timeout: 0,
      });
      if (!response.body) return false;
      const reader = response.body.getReader();
      const decoder = new TextDecoder();
      let text = "";
      for (;;) {
        const { done, value } = await reader.read();
        if (done || mine !== run) return lived;
        lived = true;
        alive();
        text += decoder.decode(value, { stream: true });
        const blocks = text.split(/\r?\n\r?\n/);
        text = blocks.pop();
        blocks.forEach(dispatch);
      }
    } catch (error) {
      if (error instanceof Refused && error.status === 401) throw error;
      return lived;
    } finally {
      clearTimeout(watchdog);
    }
  }

  function dispatch(block) {
    const field = { event: "message", data: [] };
    for (const line of block.split(/\r?\n/)) {
      const [, name, value] = /^(\w+): ?(.*)$/.exec(line) || [];
      if (name === "data") field.data.push(value);
      else if (name === "event") field.event = value;
    }
    if (!field.data.length) return;
    let data;
    try {
      data = JSON.parse(field.data.join("\n"));
    } catch {
      return;
    }
    if (field.event === "message") receiveFeed(data);
    else if (field.event === "handoff") setHandoff(Boolean(data.active), data.owner);
    else if (field.event === "typing") setTyping(data);
    sync();
  }

  let typingTimer = 0;
  function setTyping({ author, on }, longest = 30000) {
    clearTimeout(typingTimer);
    typing = on && (author === "bot" || author === "owner") ? { author } : null;
    // If the end of it gets lost, the dots must not stay for ever.
    if (typing)
      typingTimer = setTimeout(() => {
        typing = null;
        sync();
      }, longest);
  }

  function setConnected(state) {
    if (state === connected) return;
    connected = state;
    if (state) flush();
    sync();
  }

  async function loadEarlier() {
    shown += PAGE;
    const first = firstId();
    if (session && first > 1) {
      const after = Math.max(0, first - 1 - PAGE);
      // Without "after" the desk gives the latest, so the first page has to reach over everything.
      const limit = after ? PAGE : 500;
      try {
        const page = await ask("GET", `/api/chat/messages?after=${after}&limit=${limit}`, { token: session.token });
        const older = list(page.messages).filter((m) => usable(m) && m.id < first);
        for (const m of older) messages.set(m.id, { ...m, conversation: session.conversation_id });
        complete = !older.length;
      } catch {
        // the button stays, to be pressed again
      }
    }
    const height = ui.log.scrollHeight;
    sync({ still: true });
    ui.log.scrollTop += ui.log.scrollHeight - height;
  }

  // ---------------------------------------------------------------- rating

  function offerRating() {
    const rated = store.get("rated");
    if (rating || (session && rated === session.conversation_id) || !messages.size) return;
    rating = {};
  }

  function askRating(ending) {
    rating = { focus: true, ending };
    sync({ toEnd: true });
  }

  async function sendRating(score, comment) {
    const answer = ordered().reverse().find((m) => m.author !== "customer");
    const byKeyboard = Boolean(ui.root.activeElement && ui.root.activeElement.closest(".rating"));
    rating = { ...rating, score, error: false };
    sync();
    try {
      const { token, conversation_id: conversation } = await ensureSession();
      await ask("POST", "/api/chat/feedback", {
        token,
        body: { score, ...(comment ? { comment } : {}), ...(answer ? { message_id: answer.id } : {}) },
      });
      store.set("rated", conversation);
      rating = { ...rating, sent: true, finished: Boolean(comment) };
    } catch {
      rating = { ...rating, score: 0, sent: false, error: true, comment };
    }
    sync({ toEnd: true });
    if (byKeyboard) (ui.list.querySelector(".rating textarea, .star:enabled") || ui.input).focus();
  }

  // ---------------------------------------------------------------- building the page

  function h(tag, props, ...children) {
    const [name, ...classes] = tag.split(".");
    const node = document.createElement(name);
    if (classes.length) node.className = classes.join(" ");
    for (const [key, value] of Object.entries(props || {})) {
      if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
      else if (value === true) node.setAttribute(key, "");
      else if (value !== false && value != null) node.setAttribute(key, value);
    }
    node.append(...children.filter((child) => child != null && child !== false));
    return node;
  }

  function icon(...paths) {
    const make = (name, attributes) => {
      const node = document.createElementNS("http://www.w3.org/2000/svg", name);
      for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
      return node;
    };
    const svg = make("svg", { viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true", focusable: "false" });
    svg.append(...paths.map((d) => make("path", { d })));
    return svg;
  }

  const ICONS = {
    chat: ["M20 11.5a7.5 7.5 0 0 1-7.8 7.5 9 9 0 0 1-3.3-.6L4.5 19.7l1.3-3.6A7.2 7.2 0 0 1 4.5 12 7.6 7.6 0 0 1 12.2 4 7.6 7.6 0 0 1 20 11.5Z"],
    close: ["M6.5 6.5l11 11M17.5 6.5l-11 11"],
    down: ["M6 9.5l6 6 6-6"],
    left: ["M14.5 6l-6 6 6 6"],
    right: ["M9.5 6l6 6-6 6"],
    more: ["M6 12h.01M12 12h.01M18 12h.01"],
    send: ["M12 19V5.5M6 11l6-6 6 6"],
    star: ["M12 4.2l2.4 4.9 5.4.8-3.9 3.8.9 5.3-4.8-2.5L7.2 19l.9-5.3-3.9-3.8 5.4-.8z"],
    person: ["M12 12a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM5 19.5c.8-3.2 3.6-5 7-5s6.2 1.8 7 5"],
    clock: ["M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16ZM12 8v4.3l2.6 1.7"],
    alert: ["M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16ZM12 8v4.5M12 15.8h.01"],
    open: ["M9 7h8v8M16.5 7.5L7 17"],
  };

  const nameOf = (value) =>
    typeof value === "string" ? value : (value && (value[language] || value.en || value.zh)) || "";

  /** An http(s) address, or null: a javascript: or data: link never reaches the page. */
  function safeUrl(value) {
    try {
      const url = new URL(String(value), API);
      return url.protocol === "http:" || url.protocol === "https:" ? url.href : null;
    } catch {
      return null;
    }
  }

  const anchor = (href, ...children) => h("a", { href, target: "_blank", rel: "noopener noreferrer nofollow" }, ...children);

  /** Text with its web addresses as links. Line breaks are kept by the style sheet. */
  function linked(text) {
    const parts = [];
    let from = 0;
    for (const found of text.matchAll(/https?:\/\/[^\s<>"'`，。！？；：、（）《》「」【】]+/gi)) {
      let address = found[0].replace(/[.,!?;:*_~]+$/, "");
      while (address.endsWith(")") && address.split(")").length > address.split("(").length) address = address.slice(0, -1);
      const href = safeUrl(address);
      if (!href) continue;
      parts.push(text.slice(from, found.index), anchor(href, address));
      from = found.index + address.length;
    }
    parts.push(text.slice(from));
    return parts.filter((part) => part !== "");
  }

  function image(source, alt) {
    const src = source && safeUrl(source);
    if (!src) return null;
    const picture = h("img", { src, alt, loading: "lazy", decoding: "async", referrerpolicy: "no-referrer" });
    picture.addEventListener("error", () => picture.remove());
    picture.addEventListener("load", () => stuck && toEnd());
    return picture;
  }

  // ---------------------------------------------------------------- messages

  // The visitor's own way of writing dates, where it is in the language of the words around them.
  const dates = (options) =>
    new Intl.DateTimeFormat((navigator.languages || []).find((tag) => tag.startsWith(language)) || words.tag, options);

  function dayName(date) {
    const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(date).setHours(0, 0, 0, 0)) / 86400000);
    if (days === 0) return words.today;
    if (days === 1) return words.yesterday;
    const year = days > 300 ? "numeric" : undefined;
    return dates({ weekday: "short", month: "long", day: "numeric", year }).format(date);
  }

  const nodes = new Map(); // key → the element that shows it

  function node(key, make) {
    if (!nodes.has(key)) nodes.set(key, make());
    return nodes.get(key);
  }

  function messageNode(entry) {
    const { author, text, cards, image: source, language: spoken } = entry;
    const who = { bot: words.assistant, owner: words.owner }[author] || words.you;
    const label =
      author === "customer"
        ? h("span.hush", null, `${who}: `)
        : h("span.who", null, author === "owner" ? icon(...ICONS.person) : null, who, h("span.hush", null, ": "));
    const body = h("div.body", null, label);
    if (text) body.append(h("p.bubble", { lang: { zh: "zh-CN", en: "en" }[spoken] }, ...linked(String(text))));
    const picture = image(source, words.picture);
    if (picture) body.append(h("div.picture", null, picture));
    if (list(cards).length) body.append(cardRow(list(cards)));
    const foot = h("div.foot");
    body.append(foot);
    const row = h(`div.row.${author === "customer" ? "mine" : author === "owner" ? "owner" : "bot"}`, null, body);
    row.foot = foot;
    return row;
  }

  function cardRow(cards) {
    const shelf = h("ul.cards", { tabindex: "0", "aria-label": words.products, role: "list" }, ...cards.map(card));
    const move = (direction) => shelf.scrollBy({ left: direction * 220, behavior: calm() ? "auto" : "smooth" });
    const arrow = (direction, name, shape) =>
      h(`button.arrow.${shape}`, { type: "button", "aria-label": name, onclick: () => move(direction) }, icon(...ICONS[shape]));
    const row = h("div.shelf", null, shelf);
    if (cards.length > 1) {
      const back = arrow(-1, words.previous, "left");
      const on = arrow(1, words.next, "right");
      const measure = () => {
        back.hidden = shelf.scrollLeft < 8;
        on.hidden = shelf.scrollLeft + shelf.clientWidth > shelf.scrollWidth - 8;
      };
      shelf.addEventListener("scroll", measure, { passive: true });
      new ResizeObserver(measure).observe(shelf);
      row.append(back, on);
    }
    return row;
  }

  function card(data) {
    const url = data.url && safeUrl(data.url);
    const picture = image(data.image, "");
    const act = h("div.acts");
    if (url) act.append(anchor(url, words.view, h("span.hush", null, ` ${data.title || ""}`), icon(...ICONS.open)));
    for (const button of list(data.buttons).slice(0, 3)) act.append(choice(button));
    return h(
      "li.card",
      null,
      h("div.photo", null, picture, data.badge ? h("span.badge", null, String(data.badge)) : null),
      h(
        "div.about",
        null,
        h("strong", null, String(data.title || "")),
        data.subtitle ? h("span.sub", null, String(data.subtitle)) : null,
        data.text ? h("span.sub", null, String(data.text)) : null,
        data.price ? h("span.price", null, String(data.price)) : null,
        act.childNodes.length ? act : null,
      ),
    );
  }

  function choice({ title, payload }) {
    const button = h("button.choice", { type: "button" }, String(title || ""));
    button.addEventListener("click", (event) => {
      if (!say(String(title || payload || ""), payload)) return;
      button.classList.add("chosen");
      button.disabled = true;
      // Reached by keyboard: the next thing is the reply. By finger it would only raise the keyboard.
      if (event.detail === 0) ui.input.focus();
    });
    return button;
  }

  /** Quick replies hang under the newest bot message; they stay visible, but not usable, once it has been answered. */
  function showChoices(row, message, newest, answered) {
    const wanted = newest && list(message.buttons).length > 0;
    if (!wanted) {
      if (row.choices) row.choices.remove();
      row.choices = null;
      return;
    }
    if (!row.choices) {
      const group = h("div.choices", { role: "group", "aria-label": words.suggestions });
      group.append(...list(message.buttons).map(choice));
      row.choices = group;
      row.querySelector(".body").append(group);
    }
    for (const button of row.choices.children) button.disabled = answered;
  }

  function foot(row, entry) {
    const at = timeOf(entry);
    const state = entry.failed ? "failed" : entry.pending ? entry.state || "waiting" : "sent";
    if (row.dataset.state === state && row.dataset.at === String(+at)) return;
    row.dataset.state = state;
    row.dataset.at = String(+at);
    const parts = [];
    if (state === "failed") {
      parts.push(
        icon(...ICONS.alert),
        entry.failed === 413 ? words.tooLong : words.failed,
        h("button.text", { type: "button", onclick: () => tryAgain(entry.item) }, words.retry),
        h("button.text", { type: "button", onclick: () => giveUp(entry.item) }, words.remove),
      );
    } else if (state === "waiting") {
      parts.push(icon(...ICONS.clock), words.waiting);
    } else if (state === "sending") {
      parts.push(words.sending);
    } else {
      parts.push(h("time", { datetime: at.toISOString() }, dates({ timeStyle: "short" }).format(at)));
    }
    row.foot.replaceChildren(...parts);
  }

  function helloNode() {
    const empty = !messages.size && !outbox.length && !archive.length;
    const box = node(`hello${empty}`, () => {
      const starters = h("div.choices", { role: "group", "aria-label": words.suggestions });
      if (empty) for (const title of words.starters) starters.append(choice({ title }));
      const mark = h("div.mark", { "aria-hidden": "true" });
      return h("div.hello", null, mark, h("h3"), h("p", null, words.helloText), empty ? starters : null);
    });
    box.querySelector("h3").textContent = words.hello(nameOf(shopName));
    monogram(box.querySelector(".mark"));
    return box;
  }

  function monogram(target) {
    const letter = [...(script.dataset.title || nameOf(shopName)).trim()][0];
    if (target.dataset.letter === (letter || " ")) return;
    target.dataset.letter = letter || " ";
    target.replaceChildren(letter ? letter.toUpperCase() : icon(...ICONS.chat));
  }

  function ratingNode() {
    const { score, sent, error, finished } = rating;
    const key = `rating${score || 0}${sent ? "s" : ""}${error ? "e" : ""}${finished ? "f" : ""}`;
    return node(key, () => {
      const dismiss = () => {
        const { ending } = rating;
        rating = null;
        sync();
        if (ending) close();
        else ui.input.focus();
      };
      const star = (word, i) =>
        h(
          score > i ? "button.star.lit" : "button.star",
          {
            type: "button",
            title: word,
            "aria-label": words.score(i + 1, word),
            "aria-pressed": String(score === i + 1),
            disabled: Boolean(score),
            onclick: () => sendRating(i + 1, rating.comment),
          },
          icon(...ICONS.star),
        );
      const box = h(
        "div.rating",
        { role: "group", "aria-label": words.rate },
        h("p", null, sent ? words.thanks : words.askScore),
        h("div.stars", null, ...words.scores.map(star)),
      );
      if (error) box.append(h("p.error", { role: "alert" }, words.noScore));
      if (sent && !finished) {
        const comment = h("textarea", { rows: "2", maxlength: "1000", "aria-label": words.comment, placeholder: words.comment });
        const send = () => comment.value.trim() && sendRating(score, comment.value.trim());
        const acts = h("div.acts", null, h("button.choice", { type: "button", onclick: send }, words.sendComment));
        acts.append(h("button.text", { type: "button", onclick: dismiss }, words.done));
        box.append(comment, acts);
      } else if (!score) {
        box.append(h("button.text", { type: "button", onclick: dismiss }, words.done));
      }
      return box;
    });
  }

  const dots = (meaning) => h("p.bubble.dots", null, h("i"), h("i"), h("i"), h("span.hush", null, meaning));

  function typingNode() {
    return node(`typing${typing.author}`, () =>
      h(`div.row.${typing.author}.typing`, { "aria-live": "off" }, h("div.body", null, dots(words.typing[typing.author]))),
    );
  }

  // The same before and after the desk has confirmed it, so an own message keeps its element.
  const keyOf = (m) => m.client_id || `${m.conversation}/${m.id}`;

  /** The elements the log should show, in order. */
  function scene() {
    const all = [
      ...archive.map((m) => ({ ...m, key: keyOf(m), old: true })),
      ...ordered().map((m) => ({ ...m, key: keyOf(m) })),
      ...outbox.map((item) => ({ ...item, item, author: "customer", pending: true, key: item.client_id })),
    ];
    const entries = all.slice(-shown);
    const newestOf = (author) => Math.max(0, ...[...messages.values()].filter((m) => m.author === author).map((m) => m.id));
    const newestBot = newestOf("bot");
    const answered = newestOf("customer") > newestBot || outbox.some((item) => !item.failed);
    const rows = [];
    const hasEarlier = all.length > shown || (firstId() > 1 && !complete);
    if (hasEarlier) rows.push(node("earlier", () => h("button.earlier", { type: "button", onclick: loadEarlier }, words.earlier)));
    else rows.push(helloNode());

    const follows = (a, b) => a && b && a.author === b.author && Math.abs(timeOf(b) - timeOf(a)) < 300000;
    let day = "";
    const notesFor = (from, to) => {
      for (const n of notices) if (n.after >= from && n.after < to) rows.push(node(n.key, () => h("p.notice", null, n.text(), n.url && link(n.url))));
    };
    notesFor(-1, firstId());
    entries.forEach((entry, i) => {
      const at = timeOf(entry);
      const today = at.toDateString();
      if (today !== day) rows.push(node(`d${today}${i ? "" : "0"}`, () => h("p.day", null, h("span", null, dayName(at)))));
      const row = node(entry.key, () => messageNode(entry));
      row.classList.toggle("first", today !== day || !follows(entries[i - 1], entry));
      row.classList.toggle("last", Boolean(entry.pending) || !follows(entry, entries[i + 1]));
      foot(row, entry);
      if (entry.author === "bot") {
        const newest = !entry.old && entry.id === newestBot;
        showChoices(row, entry, newest, answered);
      }
      day = today;
      rows.push(row);
      if (!entry.old && !entry.pending) {
        const next = entries[i + 1];
        notesFor(entry.id, next && !next.pending ? next.id : Infinity);
      }
    });
    if (!messages.size) notesFor(0, Infinity);
    if (rating) rows.push(ratingNode());
    if (typing) rows.push(typingNode());
    return [...new Set(rows)];
  }

  let stuck = true;
  const atEnd = () => ui.log.scrollHeight - ui.log.scrollTop - ui.log.clientHeight < 60;

  /** Down to the newest, but never past the beginning of what has just come. */
  function toEnd(news) {
    const end = ui.log.scrollHeight - ui.log.clientHeight;
    const top = news ? ui.log.scrollTop + news.getBoundingClientRect().top - ui.log.getBoundingClientRect().top - 12 : end;
    ui.log.scrollTop = Math.min(end, top);
    stuck = top >= end;
    ui.jump.hidden = stuck;
  }

  /** Brings the page in line with the state; existing elements are moved by nobody, so nothing is read out twice. */
  function sync({ toEnd: forceEnd = false, still = false } = {}) {
    if (!ui) return;
    if (isOpen && session && lastId() > readUpTo()) store.set("read", { conversation: session.conversation_id, id: lastId() });
    const wanted = scene();
    const keepers = new Set(wanted);
    const news = wanted.find((one) => one.parentNode !== ui.list);
    for (const child of [...ui.list.childNodes]) if (!keepers.has(child)) child.remove();
    let at = ui.list.firstChild;
    for (const one of wanted) {
      if (one === at) at = at.nextSibling;
      else ui.list.insertBefore(one, at);
    }
    for (const [key, value] of nodes) if (!keepers.has(value)) nodes.delete(key);
    saveLog();
    showStatus();
    if (rating && rating.focus) {
      rating.focus = false;
      const star = ui.list.querySelector(".star");
      if (star) star.focus();
    }
    if (forceEnd) toEnd();
    else if (stuck && !still) toEnd(news);
    else if (news && !still) ui.jump.hidden = atEnd();
  }

  function readUpTo() {
    const read = store.get("read");
    return read && session && read.conversation === session.conversation_id ? read.id : 0;
  }

  function showStatus() {
    const shop = script.dataset.title || nameOf(shopName) || words.chat;
    ui.title.textContent = shop;
    monogram(ui.mark);
    const waiting = outbox.some((item) => !item.failed && item.state === "waiting");
    const away = (!connected || waiting) && navigator.onLine === false;
    ui.state.textContent = !connected ? words.reconnecting : ownerSpeaks ? words.withOwner : handoff ? words.called : words.atOnce;
    ui.panel.classList.toggle("away", !connected);
    ui.panel.classList.toggle("handoff", ownerSpeaks);
    const note = away || (!connected && waiting) ? words.offline : "";
    if (ui.note.textContent !== note) ui.note.textContent = note;
    const from = readUpTo();
    const unread = isOpen ? 0 : [...messages.values()].filter((m) => m.author !== "customer" && m.id > from).length;
    ui.badge.hidden = !unread;
    ui.badge.textContent = unread > 9 ? "9+" : String(unread);
    ui.launcher.setAttribute("aria-label", isOpen ? words.close : unread ? words.unread(unread) : words.open);
  }

  // ---------------------------------------------------------------- the panel

  let ui = null;
  let sheet = null;
  const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

  function build() {
    const host = document.createElement("solodesk-chat");
    const root = host.attachShadow({ mode: "open" });
    sheet = new CSSStyleSheet();
    sheet.replaceSync(CSS);
    root.adoptedStyleSheets = [sheet];
    paint();

    const items = h("div.list");
    const log = h("div.log", { role: "log", "aria-live": "polite", tabindex: "0" }, items);
    const jump = h("button.jump", { type: "button", hidden: true, onclick: () => toEnd() }, icon(...ICONS.down), h("span"));
    const title = h("h2", { id: "title" });
    const state = h("p.state");
    const mark = h("div.mark", { "aria-hidden": "true" });
    const menuButton = h(
      "button.round",
      { type: "button", "aria-haspopup": "menu", "aria-expanded": "false", onclick: () => showMenu(menu.hidden) },
      icon(...ICONS.more),
    );
    const shut = h("button.round", { type: "button", onclick: () => close() }, icon(...ICONS.close));
    const menu = h("div.menu", { role: "menu", hidden: true, onkeydown: menuKeys });
    const note = h("p.note", { role: "status" });
    const count = h("p.count", { id: "count", role: "status", hidden: true });
    const input = h("textarea", {
      rows: "1",
      enterkeyhint: "send",
      autocomplete: "off",
      maxlength: "20000",
      "aria-describedby": "count",
      oninput: typed,
      onkeydown: inputKeys,
    });
    const grow = h("div.grow", null, input);
    const send = h("button.send", { type: "submit", disabled: true }, icon(...ICONS.send));
    const form = h("form", { onsubmit: submit }, grow, send);
    const panel = h(
      "section.panel",
      { role: "dialog", "aria-labelledby": "title", id: "panel", hidden: true },
      h("header", null, mark, h("div.names", null, title, state), menuButton, shut, menu),
      h("div.middle", null, log, jump),
      h("footer", null, note, count, form),
    );
    const badge = h("span.count-badge", { "aria-hidden": "true", hidden: true });
    const launcher = h(
      "button.launcher",
      { type: "button", "aria-expanded": "false", "aria-controls": "panel", "aria-haspopup": "dialog", onclick: () => toggle() },
      icon(...ICONS.chat),
      icon(...ICONS.down),
      badge,
    );

    root.append(panel, launcher);
    ui = { root, panel, log, list: items, jump, title, state, mark, menuButton, shut, menu, note };
    Object.assign(ui, { count, input, grow, send, badge, launcher });

    log.addEventListener("scroll", () => {
      stuck = atEnd();
      if (stuck) jump.hidden = true;
    }, { passive: true });
    panel.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || event.isComposing || event.keyCode === 229) return;
      if (menu.hidden) close();
      else showMenu(false, true);
    });
    root.addEventListener("click", (event) => {
      if (!menu.hidden && !event.composedPath().includes(menu) && !event.composedPath().includes(menuButton)) showMenu(false);
    });
    // Seen from the page these keys come from a plain element, so its own shortcuts would take them for theirs.
    for (const kind of ["keydown", "keypress", "keyup"]) host.addEventListener(kind, (event) => event.stopPropagation());

    label();
    document.body.append(host);
  }

  function label() {
    ui.panel.lang = ui.launcher.lang = words.tag;
    ui.log.setAttribute("aria-label", words.log);
    ui.jump.lastChild.textContent = words.latest;
    ui.menuButton.setAttribute("aria-label", words.menu);
    ui.menu.setAttribute("aria-label", words.menu);
    ui.shut.setAttribute("aria-label", words.close);
    ui.input.setAttribute("aria-label", words.message);
    ui.input.placeholder = words.placeholder;
    ui.send.setAttribute("aria-label", words.send);
    const entry = (text, act) => h("button", { type: "button", role: "menuitem", tabindex: "-1", onclick: act }, text);
    const pick = (act) => () => {
      showMenu(false, true);
      act();
    };
    const forgetting = (event) => {
      if (!event.target.dataset.sure) {
        event.target.dataset.sure = "1";
        event.target.textContent = words.sure;
        return;
      }
      showMenu(false);
      forget();
      ui.input.value = "";
      typed();
      ui.input.focus();
    };
    const begun = messages.size || archive.length || outbox.length;
    ui.menu.replaceChildren(
      ...(begun ? [entry(words.rate, pick(() => askRating(false)))] : []),
      entry(words.person, pick(() => say(words.starters[3]))),
      ...(session && session.telegram ? [entry(words.telegram, pick(goOnTelegram))] : []),
      ...(begun ? [entry(words.end, pick(() => askRating(true))), entry(words.forget, forgetting)] : []),
    );
  }

  const link = (url) => h("a.go", { href: url, target: "_blank", rel: "noopener noreferrer" }, words.goOn);

  /** Says what going on means, with the link that does it: following it is the consent. */
  async function goOnTelegram() {
    try {
      const { url, wording } = await ask("POST", "/api/chat/telegram", { token: session.token });
      if (!url.startsWith("https://t.me/")) return;
      notices.push({ key: `n${randomId()}`, after: lastId(), text: () => wording, url });
      sync();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      ui.state.textContent = words.failed;
    }
  }

  function showMenu(on, focus) {
    ui.menu.hidden = !on;
    ui.menuButton.setAttribute("aria-expanded", String(on));
    if (on) {
      label();
      ui.menu.firstChild.focus();
    } else if (focus) {
      ui.menuButton.focus();
    }
  }

  function menuKeys(event) {
    const items = [...ui.menu.children];
    const at = items.indexOf(ui.root.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1 + items.length, Home: 0, End: items.length - 1 }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      items[to % items.length].focus();
    } else if (event.key === "Tab") {
      showMenu(false);
    }
  }

  function open(text) {
    if (typeof text === "string" && text) {
      ui.input.value = text;
      typed();
    }
    if (!isOpen) {
      isOpen = true;
      ui.panel.hidden = false;
      ui.panel.classList.add("opening");
      ui.launcher.classList.add("on");
      ui.launcher.setAttribute("aria-expanded", "true");
      fitPhone();
      if (!shopName) askShop();
      if (IDENTITY && !session) ensureSession().catch(() => {});
      sync({ toEnd: true });
    }
    if (text !== null) ui.input.focus({ preventScroll: true });
  }

  function close() {
    if (!isOpen) return;
    isOpen = false;
    showMenu(false);
    ui.panel.hidden = true;
    ui.launcher.classList.remove("on");
    ui.launcher.setAttribute("aria-expanded", "false");
    showStatus();
    ui.launcher.focus({ preventScroll: true });
  }

  const toggle = () => (isOpen ? close() : open());

  function submit(event) {
    event.preventDefault();
    if (!say(ui.input.value)) return;
    ui.input.value = "";
    typed();
    ui.input.focus();
  }

  /** Enter sends, but not the Enter that only picks a Chinese word: Safari reports that one as key code 229. */
  function inputKeys(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    submit(event);
  }

  function typed() {
    const { value } = ui.input;
    const length = [...value.trim()].length; // as the desk counts: characters, not UTF-16 units
    ui.grow.dataset.text = value;
    ui.count.hidden = length < COUNT_FROM;
    ui.count.textContent = ui.count.hidden ? "" : words.room(LONGEST - length);
    ui.count.classList.toggle("over", length > LONGEST);
    ui.input.setAttribute("aria-invalid", String(length > LONGEST));
    ui.send.disabled = !length || length > LONGEST;
    if (value) store.set("draft", value.slice(0, 2 * LONGEST));
    else store.remove("draft");
    if (length) tellTyping();
  }

  function askShop() {
    ask("GET", "/api/shop")
      .then((shop) => {
        shopName = shop.name || shopName;
        store.set("shop", shopName);
        sync();
      })
      .catch(() => {});
  }

  /** Leaves nothing of this conversation in the browser; the next message starts a new one. */
  function forget() {
    run += 1;
    if (stream) stream.abort();
    for (const key of store.keys("")) if (key !== "shop") store.remove(key);
    session = null;
    messages = new Map();
    archive = [];
    outbox = [];
    notices = [];
    rating = null;
    typing = null;
    handoff = ownerSpeaks = false;
    cursor = 0;
    connected = true;
    complete = false;
    nodes.clear();
    sync();
  }

  // ---------------------------------------------------------------- looks

  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((v) => (v / 255 <= 0.03928 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a, b) => {
    const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x);
    return (light + 0.05) / (dark + 0.05);
  };
  const css = (rgb) => `rgb(${rgb.map(Math.round).join(" ")})`;

  /** Whatever colour a shop picks, words in it and on it stay readable (contrast of at least 4.5). */
  function paint() {
    const wanted = script.dataset.color || "";
    if (!/^#([0-9a-f]{3}|[0-9a-f]{6})$/i.test(wanted)) return;
    const full = wanted.length === 4 ? wanted.replace(/[0-9a-f]/gi, "$&$&") : wanted;
    const accent = [1, 3, 5].map((i) => parseInt(full.slice(i, i + 2), 16));
    const towards = (target, paper, share) => {
      const tint = accent.map((v, k) => v * share + paper[k] * (1 - share)); // words stand on paper and on its tint
      let colour = accent;
      for (let i = 1; i <= 20 && Math.min(contrast(colour, paper), contrast(colour, tint)) < 4.6; i += 1)
        colour = accent.map((v, k) => v + ((target - v) * i) / 20);
      return colour;
    };
    const rule = sheet.cssRules[0].style;
    rule.setProperty("--accent", css(accent));
    rule.setProperty("--on-accent", contrast(accent, [255, 255, 255]) >= 4.5 ? "#fff" : "#10100f");
    rule.setProperty("--ink-light", css(towards(0, [241, 243, 241], 0.12)));
    rule.setProperty("--ink-dark", css(towards(255, [38, 42, 41], 0.34)));
  }

  /** On a phone the keyboard shrinks the visual viewport only; the panel has to follow it. */
  function fitPhone() {
    const view = window.visualViewport;
    if (!view || !isOpen) return;
    const rule = sheet.cssRules[0].style;
    rule.setProperty("--height", `${Math.round(view.height)}px`);
    rule.setProperty("--top", `${Math.round(view.offsetTop)}px`);
    if (stuck) toEnd();
  }

  const CSS = `
:host {
  --accent: #1d6b5f; --on-accent: #fff; --ink-light: #1d6b5f; --ink-dark: #74c7b7;
  --paper: #fff; --soft: #f1f3f1; --text: #1b2220; --muted: #616b67; --line: #e3e7e4; --edge: #87908c; --alarm: #b3261e;
  --ink: var(--ink-light); --shade: 20 30 27; --star: #d99a1c; --tint: 12%;
  /* important: a page's own "body > *" would otherwise win over the host element */
  all: initial !important; color-scheme: light dark !important; position: fixed !important; z-index: 2147483000 !important;
  right: 0 !important; bottom: 0 !important;
}
.panel, .launcher {
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "PingFang SC", "Hiragino Sans GB", "Microsoft YaHei",
    "Noto Sans CJK SC", "Noto Sans SC", sans-serif;
}
@media (prefers-color-scheme: dark) {
  :host { --paper: #181b1a; --soft: #262a29; --text: #eceeed; --muted: #a0aaa6; --line: #303634; --edge: #7c8783;
    --alarm: #ff9d94; --ink: var(--ink-dark); --shade: 0 0 0; --star: #eab54a; --tint: 34%; }
}
*, ::before, ::after { box-sizing: border-box; }
* { margin: 0; padding: 0; }
[hidden] { display: none !important; }
.hush { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
button, textarea { font: inherit; color: inherit; background: none; border: 0; }
button { cursor: pointer; -webkit-tap-highlight-color: transparent; touch-action: manipulation; }
button:disabled { cursor: default; }
:focus-visible { outline: 2px solid var(--ink); outline-offset: 2px; }
.icon { width: 20px; height: 20px; flex: none; fill: none; stroke: currentColor; stroke-width: 1.8; stroke-linecap: round; stroke-linejoin: round; }

.launcher { position: fixed; right: calc(20px + env(safe-area-inset-right)); bottom: calc(20px + env(safe-area-inset-bottom));
  width: 56px; height: 56px; border-radius: 50%; display: grid; place-items: center; color: var(--on-accent); background: var(--accent);
  box-shadow: 0 1px 2px rgb(var(--shade) / .18), 0 8px 24px rgb(var(--shade) / .2); transition: transform .18s, box-shadow .18s; }
.launcher:hover { transform: translateY(-2px); box-shadow: 0 2px 4px rgb(var(--shade) / .18), 0 12px 30px rgb(var(--shade) / .26); }
.launcher:active { transform: none; }
.launcher .icon { width: 26px; height: 26px; grid-area: 1 / 1; transition: opacity .15s, transform .2s; }
.launcher .icon + .icon, .launcher.on .icon { opacity: 0; transform: rotate(-30deg) scale(.7); }
.launcher.on .icon + .icon { opacity: 1; transform: none; }
.count-badge { position: absolute; top: -3px; right: -3px; min-width: 21px; height: 21px; padding: 0 6px; border-radius: 11px; background: #c8322b;
  color: #fff; font-size: 12px; font-weight: 650; line-height: 21px; text-align: center; box-shadow: 0 0 0 2px var(--paper); }

.panel { position: fixed; right: calc(20px + env(safe-area-inset-right)); bottom: calc(92px + env(safe-area-inset-bottom)); width: 392px;
  height: min(660px, calc(100dvh - 112px)); display: flex; flex-direction: column; overflow: hidden; border-radius: 20px; color: var(--text);
  background: var(--paper); box-shadow: 0 0 0 1px var(--line), 0 4px 12px rgb(var(--shade) / .06), 0 24px 64px rgb(var(--shade) / .2); }
.opening { animation: rise .24s cubic-bezier(.2, .8, .3, 1); transform-origin: bottom right; }
@keyframes rise { from { opacity: 0; transform: translateY(12px) scale(.985); } }

header { position: relative; display: flex; align-items: center; gap: 12px; padding: 14px 12px 13px 16px; border-bottom: 1px solid var(--line); }
.mark { width: 40px; height: 40px; flex: none; display: grid; place-items: center; border-radius: 50%; font-size: 17px; font-weight: 600;
  color: var(--ink); background: color-mix(in srgb, var(--accent) var(--tint), var(--paper)); }
.names { flex: 1; min-width: 0; }
.names h2 { font-size: 15.5px; font-weight: 620; line-height: 1.35; letter-spacing: -.005em; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.state { font-size: 12.5px; line-height: 1.4; color: var(--muted); display: flex; align-items: center; gap: 6px; }
.state::before { content: ""; width: 7px; height: 7px; flex: none; border-radius: 50%; background: #3fa66b; }
.handoff .state::before { background: var(--ink); }
.away .state::before { background: #d99a1c; }
.round { width: 36px; height: 36px; display: grid; place-items: center; border-radius: 50%; color: var(--muted); transition: background .15s; }
.round:hover { background: var(--soft); color: var(--text); }
.round + .round { margin-left: -8px; }
.round:first-of-type .icon { stroke-width: 2.6; }
.menu { position: absolute; z-index: 3; top: 54px; right: 14px; min-width: 212px; padding: 6px; border-radius: 14px; background: var(--paper);
  box-shadow: 0 0 0 1px var(--line), 0 12px 32px rgb(var(--shade) / .18); animation: rise .14s; transform-origin: top right; }
.menu button { display: block; width: 100%; padding: 8px 12px; border-radius: 9px; text-align: left; font-size: 14px; }
.menu button:hover, .menu button:focus-visible { background: var(--soft); outline-offset: -2px; }

.middle { position: relative; flex: 1; min-height: 0; display: flex; }
.log { flex: 1; min-width: 0; overflow: hidden auto; overscroll-behavior: contain; scrollbar-width: thin; scrollbar-color: var(--line) transparent; }
.log:focus-visible { outline-offset: -3px; border-radius: 8px; }
.list { display: flex; flex-direction: column; min-height: 100%; padding: 18px 16px 12px; }
.hello { padding: 10px 4px 12px; text-align: center; }
.hello .mark { width: 60px; height: 60px; margin: 6px auto 14px; font-size: 25px; }
.hello .mark .icon { width: 30px; height: 30px; }
h3 { font-size: 19px; font-weight: 640; line-height: 1.35; letter-spacing: -.012em; text-wrap: balance; }
.hello p { max-width: 292px; margin: 6px auto 0; font-size: 14px; color: var(--muted); text-wrap: pretty; }
.hello .choices { justify-content: center; margin-top: 20px; }
.day { display: flex; align-items: center; gap: 12px; margin: 12px 0 4px; font-size: 12px; color: var(--muted); }
.day::before, .day::after { content: ""; flex: 1; height: 1px; background: var(--line); }
.notice .go { display: block; margin-top: 4px; font-weight: 600; color: inherit; }
.notice { margin: 14px auto 4px; padding: 5px 14px; border-radius: 14px; font-size: 12.5px; text-align: center; text-wrap: balance; color: var(--ink);
  background: color-mix(in srgb, var(--accent) var(--tint), var(--paper)); }

.row { display: flex; margin-top: 3px; animation: appear .22s ease-out; }
.row.first { margin-top: 14px; }
@keyframes appear { from { opacity: 0; transform: translateY(6px); } }
.body { position: relative; display: flex; flex-direction: column; align-items: flex-start; max-width: 86%; min-width: 0; }
.body:has(.shelf), .body:has(.choices) { max-width: 100%; }
.mine { justify-content: flex-end; }
.mine .body { align-items: flex-end; }
.who { display: none; align-items: center; gap: 4px; margin: 0 0 4px 4px; font-size: 12px; color: var(--muted); }
.first .who { display: flex; }
.who .icon { width: 14px; height: 14px; }
.owner .who { color: var(--ink); font-weight: 560; }
.bubble { max-width: 324px; padding: 9px 14px; border-radius: 6px 18px 18px 6px; background: var(--soft); white-space: pre-wrap; overflow-wrap: anywhere;
  text-wrap: pretty; }
.first .bubble { border-top-left-radius: 18px; }
.last .bubble { border-bottom-left-radius: 18px; }
.owner .bubble { background: color-mix(in srgb, var(--accent) var(--tint), var(--paper)); }
.mine .bubble { border-radius: 18px 6px 6px 18px; color: var(--on-accent); background: var(--accent); }
.mine.first .bubble { border-top-right-radius: 18px; }
.mine.last .bubble { border-bottom-right-radius: 18px; }
.mine[data-state="waiting"] .bubble, .mine[data-state="failed"] .bubble { opacity: .78; }
a { color: inherit; text-decoration: underline; text-decoration-thickness: 1px; text-underline-offset: 2.5px; }
.bot a, .owner a { color: var(--ink); }
.foot { display: none; align-items: center; gap: 5px; margin: 4px 4px 0; font-size: 11.5px; color: var(--muted); font-variant-numeric: tabular-nums; }
.last .foot, .row:hover .foot, [data-state="failed"] .foot, [data-state="waiting"] .foot { display: flex; }
.foot .icon { width: 14px; height: 14px; }
[data-state="failed"] .foot { color: var(--alarm); }
.text { padding: 4px 8px; border-radius: 8px; color: var(--ink); font-weight: 560; }
.rating .text { font-size: 13.5px; }
.foot .text { padding: 0 4px; }
.text:hover { text-decoration: underline; }
.picture img { display: block; max-width: min(280px, 100%); max-height: 280px; margin-top: 4px; border-radius: 14px; }

.choices { display: flex; flex-wrap: wrap; gap: 8px; margin-top: 10px; }
.choice { padding: 7px 14px; border-radius: 18px; font-size: 14px; line-height: 1.4; font-weight: 520; color: var(--ink); text-align: left;
  overflow-wrap: anywhere; box-shadow: inset 0 0 0 1px color-mix(in srgb, var(--ink) 42%, var(--paper)); transition: background .15s, box-shadow .15s; }
.choice:hover:enabled { background: color-mix(in srgb, var(--accent) 9%, var(--paper)); box-shadow: inset 0 0 0 1px var(--ink); }
.choice:disabled { color: var(--muted); box-shadow: inset 0 0 0 1px var(--line); }
.choice.chosen:disabled { color: var(--ink); background: color-mix(in srgb, var(--accent) var(--tint), var(--paper)); }

.shelf { position: relative; align-self: stretch; margin: 6px -16px 0; max-width: calc(100% + 32px); }
.cards { position: relative; display: flex; gap: 10px; padding: 2px 16px 10px; overflow-x: auto; overscroll-behavior-x: contain; scroll-snap-type: x proximity;
  scroll-padding: 16px; list-style: none; scrollbar-width: none; }
.cards:focus-visible { outline-offset: -2px; }
.card { flex: none; width: 198px; display: flex; flex-direction: column; overflow: hidden; border-radius: 16px; scroll-snap-align: start; background: var(--paper);
  box-shadow: 0 0 0 1px var(--line), 0 2px 8px rgb(var(--shade) / .05); }
.photo { position: relative; background: color-mix(in srgb, var(--accent) 8%, var(--soft)); }
.photo:has(img) { aspect-ratio: 4 / 3; }
.photo img { display: block; width: 100%; height: 100%; object-fit: cover; }
.badge { position: absolute; top: 10px; left: 10px; padding: 2px 9px; border-radius: 10px; font-size: 11.5px; font-weight: 600; color: var(--on-accent); background: var(--accent); }
.photo:not(:has(img)) .badge { position: static; display: inline-block; margin: 10px 0 0 12px; }
.photo:not(:has(img)) { background: none; }
.about { flex: 1; display: flex; flex-direction: column; gap: 2px; padding: 10px 12px 12px; }
.about strong { font-size: 14px; font-weight: 600; line-height: 1.4; overflow-wrap: anywhere; }
.sub { font-size: 13px; line-height: 1.45; color: var(--muted); display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 3; overflow: hidden; overflow-wrap: anywhere; }
.price { margin-top: 3px; font-size: 14.5px; font-weight: 640; font-variant-numeric: tabular-nums; }
.acts { display: flex; flex-wrap: wrap; align-items: center; gap: 8px; margin-top: auto; padding-top: 8px; }
.acts .choice { padding: 5px 11px; font-size: 13px; }
.card a { display: inline-flex; align-items: center; gap: 3px; font-size: 13px; font-weight: 560; text-decoration: none; color: var(--ink); padding: 4px 0; }
.card a:hover { text-decoration: underline; }
.card a .icon { width: 15px; height: 15px; }
.arrow { position: absolute; top: 50%; width: 34px; height: 34px; margin-top: -22px; display: none; place-items: center; border-radius: 50%; background: var(--paper);
  box-shadow: 0 0 0 1px var(--line), 0 4px 12px rgb(var(--shade) / .16); }
.arrow.left { left: 8px; }
.arrow.right { right: 8px; }
@media (hover: hover) { .arrow { display: grid; } }

.dots { display: flex; align-items: center; gap: 5px; height: 42px; border-radius: 18px !important; }
.dots i { width: 7px; height: 7px; border-radius: 50%; background: var(--muted); animation: breathe 1.3s infinite ease-in-out; }
.dots i + i { animation-delay: .16s; }
.dots i + i + i { animation-delay: .32s; }
@keyframes breathe { 0%, 60%, 100% { opacity: .35; } 30% { opacity: 1; transform: translateY(-2px); } }
.typing { margin-top: 14px; }

.rating { margin-top: 18px; padding: 16px; border-radius: 16px; text-align: center; box-shadow: inset 0 0 0 1px var(--line); animation: appear .22s ease-out; }
.rating p { font-weight: 580; }
.rating .error { margin-top: 6px; font-size: 13px; font-weight: 400; color: var(--alarm); }
.stars { display: flex; justify-content: center; margin: 6px 0 4px; }
.star { width: 44px; height: 44px; display: grid; place-items: center; border-radius: 50%; color: var(--edge); transition: color .12s, transform .12s; }
.star .icon { width: 28px; height: 28px; stroke-width: 1.5; }
.star.lit, .star:enabled:hover, .star:enabled:has(~ .star:hover) { color: var(--star); }
.star.lit .icon, .star:enabled:hover .icon, .star:enabled:has(~ .star:hover) .icon { fill: currentColor; }
.star:enabled:active { transform: scale(.9); }
.rating textarea { display: block; width: 100%; margin-top: 6px; padding: 8px 12px; border-radius: 12px; resize: none; text-align: left; font-size: 14px; box-shadow: inset 0 0 0 1px var(--edge); }
.rating textarea:focus { outline: 0; box-shadow: inset 0 0 0 2px var(--ink); }
.rating .acts { justify-content: center; padding-top: 10px; }
.earlier { align-self: center; padding: 5px 14px; border-radius: 14px; font-size: 13px; color: var(--ink); box-shadow: inset 0 0 0 1px var(--line); }
.jump { position: absolute; left: 50%; bottom: 10px; display: flex; align-items: center; gap: 5px; padding: 6px 14px 6px 10px; border-radius: 17px; font-size: 13px;
  transform: translateX(-50%); color: var(--ink); background: var(--paper); box-shadow: 0 0 0 1px var(--line), 0 6px 18px rgb(var(--shade) / .16); }
.jump .icon { width: 16px; height: 16px; }

footer { padding: 8px 12px calc(12px + env(safe-area-inset-bottom)); }
.note, .count { padding: 0 6px 6px; font-size: 12.5px; line-height: 1.4; color: var(--muted); }
.note:empty { display: none; }
.count { text-align: right; font-variant-numeric: tabular-nums; }
.count.over { color: var(--alarm); }
form { display: flex; align-items: flex-end; padding: 4px; border-radius: 24px; background: var(--paper); box-shadow: inset 0 0 0 1px var(--edge); transition: box-shadow .15s; }
form:focus-within { box-shadow: inset 0 0 0 2px var(--ink); }
.grow { position: relative; flex: 1; min-width: 0; }
.grow::after { content: attr(data-text) " "; display: block; visibility: hidden; white-space: pre-wrap; overflow: hidden; }
.grow::after, .grow textarea { min-height: 40px; max-height: 140px; padding: 8.5px 6px 8.5px 14px; line-height: 23px; overflow-wrap: anywhere; }
.grow textarea { position: absolute; inset: 0; width: 100%; height: 100%; resize: none; outline: 0; overflow: hidden auto; scrollbar-width: thin; }
::placeholder { color: var(--muted); opacity: 1; }
.send { width: 40px; height: 40px; flex: none; display: grid; place-items: center; border-radius: 50%; color: var(--on-accent); background: var(--accent); transition: opacity .15s; }
.send:disabled { color: var(--muted); background: var(--soft); }

@media (max-width: 480px), (max-height: 480px) {
  .panel { inset: var(--top, 0) 0 auto 0; width: 100%; height: var(--height, 100dvh); border-radius: 0; box-shadow: none; }
  .launcher.on { display: none; }
  header { padding-top: calc(12px + env(safe-area-inset-top)); padding-left: calc(16px + env(safe-area-inset-left)); }
  .round { width: 44px; height: 44px; }
  .grow textarea, .grow::after, .rating textarea { font-size: 16px; }
}
@media (prefers-contrast: more) {
  :host { --muted: var(--text); --line: var(--edge); }
}
@media (forced-colors: active) {
  .panel, .bubble, .choice, .card, .launcher, .send, .menu, .rating, form, .mark, .count-badge, .arrow, .jump, .earlier { border: 1px solid; }
  .choice.chosen { border-width: 3px; }
  .star.lit { color: Highlight; }
  .dots i { background: CanvasText; }
}
@media (prefers-reduced-motion: reduce) {
  *, *::before, *::after { animation: none !important; transition: none !important; }
}
@media print { :host { display: none !important; } }
`;

  // ---------------------------------------------------------------- start

  function speakAgain() {
    if (chosenLanguage() === language) return;
    language = chosenLanguage();
    words = WORDS[language];
    nodes.clear();
    label();
    typed();
    sync();
  }

  /** A browser shared by two customers: who signs out takes the conversation along. */
  function sameVisitor() {
    const { who } = store.get("session") || {};
    return !who || who === WHO;
  }

  function start() {
    if (!sameVisitor()) forget();
    loadLog();
    loadOutbox();
    if (WHO && session && !session.who && session.refused !== IDENTITY) {
      // The visitor has signed in since: a new session carries the name, what was said before stays in view.
      archive = archive.concat(ordered()).slice(-PAGE);
      messages = new Map();
      cursor = 0;
      session = null;
      store.remove("session");
    }
    shopName = store.get("shop");
    build();
    ui.input.value = store.get("draft") || "";
    typed();
    sync();
    if (session) follow();
    if (outbox.length) flush();

    window.addEventListener("online", () => {
      sendTries = 0;
      if (!session) setConnected(true); // with one, the feed finds out
      wake();
      flush();
    });
    window.addEventListener("offline", () => {
      setConnected(false);
      if (stream) stream.abort();
    });
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) {
        hiddenSince = Date.now();
        setTimeout(() => isHidden() && stream && stream.abort(), HIDDEN_GRACE + 1000);
      } else {
        wake();
        flush();
      }
    });
    window.addEventListener("storage", (event) => {
      const key = (event.key || "").replace(store.prefix, "");
      if (key === "session") {
        const next = store.get("session");
        if (!next) forget();
        else if (!session || next.token !== session.token) {
          adopt(next);
          follow();
        }
      } else if (key.startsWith("out:")) {
        loadOutbox();
        sync();
        if (event.newValue) flushIn(3000); // in case the tab that wrote it is gone
      } else if (key === "read") {
        showStatus();
      }
    });
    if (window.visualViewport)
      for (const kind of ["resize", "scroll"]) window.visualViewport.addEventListener(kind, fitPhone);
    const watch = new MutationObserver(speakAgain);
    watch.observe(document.documentElement, { attributeFilter: ["lang"] });
    watch.observe(script, { attributeFilter: ["data-language"] });
    if ("open" in script.dataset) open(null); // the page's own focus is left alone
  }

  window.solodesk = {
    open: (text) => ui && open(text === null ? undefined : text),
    close: () => ui && close(),
    toggle: () => ui && toggle(),
  };
  if (document.body) start();
  else document.addEventListener("DOMContentLoaded", start);
})();
