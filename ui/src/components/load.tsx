// SPDX-License-Identifier: Apache-2.0
// Fetches one resource and shows it, or says plainly why it cannot.
import { useEffect, useState } from "preact/hooks";
import type { ComponentChildren } from "preact";
import { get, Problem } from "../api";
import { text } from "../text";

interface State<T> {
  path: string;
  value?: T;
  failure?: string;
}

export function Load<T>(props: { path: string; children: (value: T) => ComponentChildren }) {
  const [state, set] = useState<State<T>>({ path: props.path });
  useEffect(() => {
    let live = true;
    set({ path: props.path });
    get<T>(props.path).then(
      (value) => live && set({ path: props.path, value }),
      (e: unknown) => live && set({ path: props.path, failure: e instanceof Problem ? e.message : text.state.failed }),
    );
    return () => {
      live = false;
    };
  }, [props.path]);
  if (state.failure !== undefined)
    return (
      <div class="nhsuk-error-summary" role="alert">
        <h2 class="nhsuk-error-summary__title">{text.state.failed}</h2>
        <p>{state.failure}</p>
      </div>
    );
  if (state.value === undefined || state.path !== props.path) return <p aria-live="polite" aria-busy="true">{text.state.loading}</p>;
  return <>{props.children(state.value)}</>;
}
