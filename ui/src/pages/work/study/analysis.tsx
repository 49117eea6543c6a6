// SPDX-License-Identifier: Apache-2.0
// One analysis: what must be said, what may be said besides, and the same as JSON for who would rather write it.
import { useState } from "preact/hooks";
import type { Item, Json } from "../../../api";
import { analysis as t } from "../../../text/analysis";
import { TextArea, type Errors } from "../controls";
import { asObject } from "../form/spec";
import { Members } from "./member";
import { kindNode, membersOf } from "./schema";

interface Props {
  id: string;
  analysis: Item;
  cohorts: string[];
  errors: Errors;
  onChange: (next: Item) => void;
}

function Expert(props: Props) {
  const said = JSON.stringify(props.analysis, null, 1);
  const [typed, setTyped] = useState<string>();
  const [wrong, setWrong] = useState(false);
  const put = (text: string) => {
    setTyped(text);
    try {
      const read = JSON.parse(text) as Json;
      setWrong(false);
      props.onChange({ ...asObject(read), kind: props.analysis["kind"] ?? "" });
    } catch {
      setWrong(true);
    }
  };
  return (
    <details class="nhsuk-details">
      <summary class="nhsuk-details__summary">
        <span class="nhsuk-details__summary-text">{t.expert}</span>
      </summary>
      <div class="nhsuk-details__text" onFocusOut={() => !wrong && setTyped(undefined)}>
        <TextArea id={`${props.id}-json`} label={t.expert} hint={t.expertHint} rows={8} value={typed ?? said} error={wrong ? t.expertWrong : undefined} onInput={put} />
      </div>
    </details>
  );
}

// What the example says stays in sight, even when it is emptied; the rest is behind a fold.
export function AnalysisForm(props: Props) {
  const members = membersOf(kindNode(String(props.analysis["kind"])));
  const first = members.filter((m) => m.required && m.name !== "name");
  const more = members.filter((m) => !m.required || m.name === "name");
  const [shown] = useState(() => more.filter((m) => m.name !== "name" && props.analysis[m.name] !== undefined).map((m) => m.name));
  const said = more.filter((m) => shown.includes(m.name));
  const rest = more.filter((m) => !shown.includes(m.name));
  const shared = { id: props.id, value: props.analysis, cohorts: props.cohorts, errors: props.errors, onInput: props.onChange };
  return (
    <>
      <Members {...shared} members={[...first, ...said]} />
      <details class="nhsuk-details" open={rest.some((m) => props.errors[`${props.id}-${m.name}`]) || undefined}>
        <summary class="nhsuk-details__summary">
          <span class="nhsuk-details__summary-text">{t.more}</span>
        </summary>
        <div class="nhsuk-details__text">
          <Members {...shared} members={rest} />
        </div>
      </details>
      <Expert {...props} />
    </>
  );
}
