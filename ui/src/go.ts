// SPDX-License-Identifier: Apache-2.0
// Changing the page without loading it again.
const changed = "accord:path";

export function go(path: string): void {
  history.pushState(null, "", path);
  window.dispatchEvent(new Event(changed));
}

// The page has become another: whoever reads it begins at its head.
export function toTop(): void {
  window.scrollTo(0, 0);
  document.getElementById("main")?.focus();
}

export function onPath(f: () => void): () => void {
  window.addEventListener("popstate", f);
  window.addEventListener(changed, f);
  return () => {
    window.removeEventListener("popstate", f);
    window.removeEventListener(changed, f);
  };
}
