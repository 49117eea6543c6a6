// SPDX-License-Identifier: Apache-2.0
// A component whose code is fetched when it is first shown, so that the first view of a public page stays small.
import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { text } from "../text";

export function lazy<P extends object>(load: () => Promise<ComponentType<P>>): ComponentType<P> {
  let loaded: ComponentType<P> | undefined;
  return function Lazy(props: P) {
    const [here, set] = useState(loaded !== undefined);
    const [failed, fail] = useState(false);
    useEffect(() => {
      if (loaded) return;
      load().then(
        (c) => {
          loaded = c;
          set(true);
        },
        () => fail(true),
      );
    }, []);
    if (failed) return <p role="alert">{text.state.failed}</p>;
    if (!here || !loaded) return <p aria-live="polite">{text.state.loading}</p>;
    const Loaded = loaded;
    return <Loaded {...props} />;
  };
}
