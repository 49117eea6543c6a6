// SPDX-License-Identifier: Apache-2.0
// The server renders every public page whole. Here the script adds to it what only a browser can do, checking the log and
// acting for whoever is signed in, and draws the pages where people act.
import "./style.scss";
import "./pages.scss";
import { hydrate, render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { lazy } from "./components/lazy";
import { Signed } from "./components/who";
import { Check } from "./components/check";
import { go, onPath, toTop } from "./go";
import { useWho } from "./session";

const Work = lazy<{ steps: string[] }>(() => import("./pages/work/work").then((m) => m.Work));
const Actions = lazy<{ noun: string; id: string }>(() => import("./pages/work/work").then((m) => m.Actions));

const ActivityChart = lazy<object>(() => import("./pages/activity").then((m) => m.ActivityChart));

const isWork = (path: string) => /^\/work(\/|$)/.test(path);

// Links between the pages where people act change the page without loading it again; everything else is the browser's.
function usePath(): string {
  const [path, set] = useState(location.pathname);
  useEffect(() => {
    const show = () => {
      if (!isWork(location.pathname)) return location.reload();
      set(location.pathname);
      toTop();
    };
    const click = (e: MouseEvent) => {
      const link = (e.target as Element).closest("a");
      const plain = e.button === 0 && !e.metaKey && !e.ctrlKey && !e.shiftKey && !e.altKey;
      if (!link || !plain || link.origin !== location.origin || link.hash || !isWork(link.pathname)) return;
      e.preventDefault();
      go(link.href);
    };
    const end = onPath(show);
    document.addEventListener("click", click);
    return () => {
      document.removeEventListener("click", click);
      end();
    };
  }, []);
  return path;
}

function App() {
  const [, ...steps] = usePath().split("/").filter(Boolean).map(decodeURIComponent);
  return <Work steps={steps} />;
}

function ActionsOfSigned(props: { noun: string; id: string }) {
  return useWho().state === "in" ? <Actions {...props} /> : null;
}

const main = document.getElementById("main");
if (main) main.tabIndex = -1;
if (main && isWork(location.pathname)) {
  main.textContent = "";
  render(<App />, main);
}

for (const place of document.querySelectorAll<HTMLElement>(".accord-verify")) {
  const added = place.appendChild(document.createElement("div"));
  render(<Check seq={place.dataset["seq"] ?? ""} />, added);
}

const actions = document.getElementById("actions");
if (actions) render(<ActionsOfSigned noun={actions.dataset["noun"] ?? ""} id={actions.dataset["id"] ?? ""} />, actions);

// The picture is fetched when the page is there and somebody comes near it.
const activity = document.getElementById("activity");
if (activity)
  new IntersectionObserver((seen, observer) => {
    if (!seen.some((s) => s.isIntersecting)) return;
    observer.disconnect();
    render(<ActivityChart />, activity);
  }).observe(activity);

const who = document.getElementById("who");
if (who) hydrate(<Signed />, who); // the link that is there already stays
