// What is live in the console. Every page works without it; with it nothing has to be loaded again.
"use strict";
(() => {
  const $ = (selector, within = document) => within.querySelector(selector);
  const csrf = document.body.dataset.csrf;
  const toast = $(".toast");

  function tell(text) {
    toast.textContent = text;
    toast.hidden = false;
    clearTimeout(tell.timer);
    tell.timer = setTimeout(() => { toast.hidden = true; }, 4000);
  }

  async function fragment(path) {
    const answer = await fetch(path, { headers: { "X-Fragment": "1" }, credentials: "same-origin" });
    if (answer.status === 401) { location.reload(); return null; }
    return answer.ok ? answer : null;
  }

  /* the list and its count */
  const list = $("[data-live-list]");
  async function refresh() {
    const version = list ? list.dataset.version : "";
    const query = list ? list.dataset.query : "";
    const current = list ? list.dataset.current : "";
    try {
      const answer = await fragment(`/owner/rows?version=${encodeURIComponent(version)}&current=${current}&list=${list ? 1 : 0}&${query}`);
      if (!answer) return;
      const waiting = Number(answer.headers.get("X-Waiting") || 0);
      for (const count of document.querySelectorAll("[data-count]")) {
        count.hidden = !waiting;
        count.textContent = waiting > 99 ? "99+" : String(waiting);
      }
      document.title = document.title.replace(/^\(\d+\) /, "");
      if (waiting) document.title = `(${waiting}) ${document.title}`;
      if (list && answer.status === 200) {
        list.innerHTML = await answer.text(); // our own server's, every value escaped there
        list.dataset.version = answer.headers.get("X-Version") || "";
      }
    } catch { /* the next look will tell */ }
  }
  if ($("[data-count]")) {
    refresh();
    setInterval(() => { if (!document.hidden) refresh(); }, 4000);
    document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
  }

  /* one conversation */
  const talk = $("[data-talk]");
  if (talk) {
    const log = $(".log", talk);
    const typing = $(".typing", talk);
    const id = talk.dataset.talk;
    let last = Number(talk.dataset.last);
    let loading = null;
    const toEnd = () => { log.scrollTop = log.scrollHeight; };
    toEnd();

    const load = () => (loading = (loading || Promise.resolve()).then(async () => {
      const answer = await fragment(`/owner/conversations/${id}/messages?after=${last}`);
      if (!answer) return;
      const near = log.scrollHeight - log.scrollTop - log.clientHeight < 160;
      const made = document.createElement("template");
      made.innerHTML = await answer.text(); // our own server's, every value escaped there
      for (const line of [...made.content.querySelectorAll("[data-seq]")]) {
        const number = Number(line.dataset.seq);
        if (number <= last) continue;
        last = number;
        line.classList.add("new");
        log.insertBefore(line, typing);
      }
      if (near) toEnd();
    }).catch(() => {}));

    const stream = new EventSource(`/owner/conversations/${id}/events`);
    stream.addEventListener("message", load);
    stream.addEventListener("open", load);
    stream.addEventListener("typing", (event) => {
      const { author, on } = JSON.parse(event.data);
      typing.hidden = !(on && author === "bot");
      if (!typing.hidden) toEnd();
    });
    stream.addEventListener("handoff", (event) => {
      const { active, owner } = JSON.parse(event.data);
      const state = owner ? "held" : active ? "asked" : "free";
      if (!talk.classList.contains(state) && !$("textarea", talk).value) location.reload();
    });

    const compose = $("[data-compose]", talk);
    const text = $("textarea", compose);
    const grow = () => { text.rows = 1; text.rows = Math.min(8, Math.max(1, Math.ceil((text.scrollHeight - 22) / 24))); };
    text.addEventListener("input", grow);
    text.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing && event.keyCode !== 229 && matchMedia("(hover: hover)").matches) {
        event.preventDefault();
        compose.requestSubmit();
      }
    });
    for (const button of compose.querySelectorAll("[data-fill]")) {
      button.addEventListener("click", () => { text.value = button.dataset.fill; grow(); text.focus(); });
    }
    compose.addEventListener("submit", async (event) => {
      event.preventDefault();
      const said = text.value.trim();
      if (!said || compose.dataset.busy) return;
      compose.dataset.busy = "1";
      try {
        const answer = await fetch(compose.action, {
          method: "POST", credentials: "same-origin",
          headers: { "Content-Type": "application/x-www-form-urlencoded", "X-Desk-Token": csrf, "X-Fragment": "1" },
          body: new URLSearchParams({ text: said, key: compose.elements.key.value }),
        });
        if (!answer.ok) throw new Error(String(answer.status));
        text.value = "";
        compose.elements.key.value = answer.headers.get("X-Next-Key");
        grow();
        await load();
        toEnd();
        if (!talk.classList.contains("held")) location.reload();
      } catch {
        tell(document.body.dataset.lost); // the words stay in the field
      } finally {
        delete compose.dataset.busy;
      }
    });
  }

  /* questions asked before something that cannot be undone */
  for (const button of document.querySelectorAll("[data-sure]")) {
    button.addEventListener("click", (event) => {
      if (button.dataset.armed) return;
      event.preventDefault();
      button.dataset.armed = "1";
      button.textContent = button.dataset.sure;
    });
  }
})();
