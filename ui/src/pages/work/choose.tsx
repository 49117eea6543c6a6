// SPDX-License-Identifier: Apache-2.0
// A form about an organisation begins with the question which one; with one choice only there is no question.
import { useState } from "preact/hooks";
import { Head } from "../../components/page";
import { go } from "../../go";
import type { Session } from "../../session";
import { form as ft } from "../../text/form";
import { verbs } from "../../text/words";
import { SelectOne } from "./combobox";
import { Button, ErrorSummary, type Errors } from "./controls";
import { Do } from "./form/form";
import { useFindable } from "./form/lists";
import { fieldWords } from "../../text/fields";

export function ChooseBody(props: { session: Session; verb: string; own: boolean }) {
  const mine = new Map(props.session.roles.filter((r) => r.role === "lead" || r.role === "member").map((r) => [r.body, r.body_name]));
  const all = useFindable(props.own ? undefined : "body");
  const [body, setBody] = useState("");
  const [errors, setErrors] = useState<Errors>({});
  const choices = props.own ? [...mine].map(([value, label]) => ({ value, label })) : all.choices;
  if (props.own && choices.length === 1 && choices[0]) return <Do session={props.session} verb={props.verb} id={choices[0].value} />;
  const submit = (e: Event) => {
    e.preventDefault();
    if (!body) return setErrors({ body: ft.choose });
    go(`/work/do/${props.verb}/${encodeURIComponent(body)}`);
  };
  return (
    <>
      <ErrorSummary errors={errors} />
      <Head title={verbs[props.verb]?.do ?? props.verb} lead={verbs[props.verb]?.hint ?? ""} />
      <form onSubmit={submit} noValidate>
        <SelectOne id="body" label={fieldWords(props.verb, "body").label} value={body} choices={choices} more={all.more} loading={all.loading} empty={ft.choose} error={errors["body"]} onInput={setBody} />
        <Button>{ft.continue}</Button>
      </form>
    </>
  );
}
