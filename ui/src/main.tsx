// SPDX-License-Identifier: Apache-2.0
// The register's pages. The server has already rendered the page's resource as plain HTML inside <main>; this script takes
// over from there: same addresses, same content, richer views.
import "./style.scss";
import "./pages.scss";
import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { lazy } from "./components/lazy";
import { Signed } from "./components/who";
import { go, onPath } from "./go";
import { Home } from "./pages/home";
import { Item, List } from "./pages/items";
import { Entry, Log } from "./pages/log";
import { nouns, text } from "./text";

const Work = lazy(() => import("./pages/work/work").then((m) => m.Work));

function page(path: string) {
  const [noun = "", id, ...rest] = path.split("/").filter(Boolean).map(decodeURIComponent);
  if (noun === "") return <Home />;
  if (noun === "work") return <Work steps={id === undefined ? [] : [id, ...rest]} />;
  if (noun === "log") return id === undefined ? <Log /> : <Entry seq={id} />;
  if (nouns[noun]) return id === undefined ? <List noun={noun} /> : <Item noun={noun} id={id} />;
  return <h1>{text.state.notFound}</h1>;
}

// Links inside the register change the page without loading it again; everything else is the browser's.
function usePath(): string {
  const [path, set] = useState(location.pathname);
  useEffect(() => {
    const show = () => {
      set(location.pathname);
      window.scrollTo(0, 0);
      document.getElementById("main")?.focus();
    };
    const click = (e: MouseEvent) => {
      const link = (e.target as Element).closest("a");
      const plain = e.button === 0 && !e.metaKey && !e.ctrlKey && !e.shiftKey && !e.altKey;
      if (!link || !plain || link.origin !== location.origin || link.hash || /^\/(api|assets|feed|sign-in)/.test(link.pathname)) return;
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
  const path = usePath();
  return page(path);
}

const main = document.getElementById("main");
if (main) {
  main.tabIndex = -1;
  main.textContent = "";
  render(<App />, main);
}

const who = document.getElementById("who");
if (who) {
  who.textContent = "";
  render(<Signed />, who);
}
