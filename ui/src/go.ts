// SPDX-License-Identifier: Apache-2.0
// Changing the page without loading it again.
const changed = "accord:path";

export function go(path: string): void {
  history.pushState(null, "", path);
  window.dispatchEvent(new Event(changed));
}

export function onPath(f: () => void): () => void {
  window.addEventListener("popstate", f);
  window.addEventListener(changed, f);
  return () => {
    window.removeEventListener("popstate", f);
    window.removeEventListener(changed, f);
  };
}
