// SPDX-License-Identifier: Apache-2.0
// A button with which the reader's own browser checks that an entry is in the log, unchanged.
import { useState } from "preact/hooks";
import { get } from "../api";
import { text } from "../text";
import { verify, type Proof, type Verdict } from "../verify";

export function Check(props: { seq: string }) {
  const [state, set] = useState<Verdict | "busy" | undefined>(undefined);
  const check = () => {
    set("busy");
    get<Proof>(`/log/entries/${props.seq}/proof`).then(verify).then(set, () => set({ steps: [], right: false }));
  };
  return (
    <>
      <button class="nhsuk-button" onClick={check}>
        {text.log.verify}
      </button>
      <div aria-live="polite">
        {state === "busy" && <p>{text.log.verifying}</p>}
        {state !== undefined && state !== "busy" && (
          <div class="nhsuk-inset-text">
            <p>
              <strong>{state.right ? text.log.right : text.log.wrong}</strong>
            </p>
            <ul>
              {state.steps.map((s) => (
                <li key={s.what}>
                  {s.right ? "✓" : "✗"} {s.what}
                </li>
              ))}
            </ul>
          </div>
        )}
      </div>
    </>
  );
}
