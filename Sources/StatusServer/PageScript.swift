// SPDX-License-Identifier: Apache-2.0
// The script of the status page. Without it the page is the same, only still.

enum PageScript {
    static let text = #"""
        "use strict";
        // Replaces the sections that the server says have changed, keeps ages current, and says when the line is lost.
        (() => {
          const body = document.body;
          const live = document.getElementById("live");
          const place = body.dataset.events;
          // The server's clock, since the viewer's may be wrong.
          let ahead = body.dataset.now ? Date.parse(body.dataset.now) - Date.now() : 0;
          let heard = Date.now();

          const age = (seconds) =>
            seconds < 60 ? `${seconds}s` : seconds < 7200 ? `${Math.floor(seconds / 60)}m`
              : seconds < 172800 ? `${Math.floor(seconds / 3600)}h` : `${Math.floor(seconds / 86400)}d`;

          const tick = () => {
            const now = Date.now() + ahead;
            for (const time of document.querySelectorAll("time.age")) {
              const text = age(Math.max(0, Math.floor((now - Date.parse(time.dateTime)) / 1000)));
              if (time.textContent !== text) time.textContent = text;
            }
            if (!place) return;
            const quiet = Math.floor((Date.now() - heard) / 1000);
            const isLost = quiet > 40;
            const text = isLost ? `no word from the server for ${age(quiet)}: this is old` : "live";
            live.className = isLost ? "lost" : "on";
            if (live.textContent !== text) live.textContent = text;
          };

          // What tells the places of the keyboard apart; a summary has only the incident that it belongs to.
          const key = (item) => item.getAttribute("href") || item.id || `${item.tagName} ${item.closest("[id]").id} ${item.className}`;

          const places = (section) => [...section.querySelectorAll("a, summary, [tabindex]")];

          // Focus and what the reader has opened stay where they are.
          const replace = (id, html) => {
            const section = document.getElementById(id);
            if (!section) return;
            const focus = section.contains(document.activeElement) ? document.activeElement : null;
            const path = focus && key(focus);
            const twin = path && places(section).filter((item) => key(item) === path).indexOf(focus);
            const open = new Map([...section.querySelectorAll("details[id]")].map((item) => [item.id, item.open]));
            const log = section.querySelector(".log");
            const scroll = log && log.scrollHeight - log.scrollTop - log.clientHeight > 8 ? log.scrollTop : null;
            const said = section.querySelector("[aria-live]");
            const next = document.createElement("template");
            next.innerHTML = html;
            // The region that is read out stays the same element, so that only its new words are.
            const words = next.content.querySelector("[aria-live]");
            if (said && words) {
              if (said.textContent !== words.textContent) said.textContent = words.textContent;
              words.replaceWith(said);
            }
            section.replaceChildren(next.content);
            for (const item of section.querySelectorAll("details[id]")) if (open.has(item.id)) item.open = open.get(item.id);
            const list = section.querySelector(".log");
            if (list) list.scrollTop = scroll === null ? list.scrollHeight : scroll;
            if (path) {
              const twins = places(section).filter((item) => key(item) === path);
              const item = twins[Math.min(twin, twins.length - 1)];
              if (item) item.focus({ preventScroll: true });
            }
          };

          const hear = (time) => {
            heard = Date.now();
            if (time) ahead = Date.parse(time) - heard;
          };

          // The browser connects again by itself after an error, with the id of the last event; not after a refusal.
          let wait = 2000;
          const listen = () => {
            const source = new EventSource(place);
            source.addEventListener("sections", (event) => {
              const news = JSON.parse(event.data);
              hear(news.at);
              wait = 2000;
              for (const section of news.sections) replace(section.id, section.html);
              document.title = news.title;
              document.getElementById("icon").href = `/assets/${news.tone}.svg`;
              tick();
            });
            source.addEventListener("beat", (event) => { wait = 2000; hear(event.data); });
            source.addEventListener("error", () => {
              if (source.readyState !== EventSource.CLOSED) return;
              setTimeout(listen, wait);
              wait = Math.min(60000, wait * 2);
            });
          };

          for (const log of document.querySelectorAll(".log")) log.scrollTop = log.scrollHeight;
          if (place) listen();
          tick();
          setInterval(tick, 1000);
        })();
        """#
}
