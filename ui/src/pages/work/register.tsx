// SPDX-License-Identifier: Apache-2.0
// The first thing that a new account does: its holder registers as a person.
import { useState } from "preact/hooks";
import { Head } from "../../components/page";
import { refresh } from "../../session";
import { work } from "../../text/work";
import { act } from "./act";
import { SelectOne } from "./combobox";
import { Button, ErrorSummary, TextInput, type Errors } from "./controls";
import { useFindable } from "./form/lists";
import { message } from "./sign_in";

const t = work.register;

export function Register(props: { account: string }) {
  const [name, setName] = useState("");
  const [body, setBody] = useState("");
  const [errors, setErrors] = useState<Errors>({});
  const [busy, setBusy] = useState(false);
  const bodies = useFindable("body", "&state=registered");
  const submit = async (e: Event) => {
    e.preventDefault();
    if (busy) return;
    if (!name.trim()) return setErrors({ name: t.needName });
    setBusy(true);
    await act({ verb: "person.register", noun: "person", id: props.account, body: body ? { body } : {}, personal: { name: name.trim() } })
      .then(refresh)
      .catch((x: unknown) => setErrors({ "": message(x) }));
    setBusy(false);
  };
  return (
    <>
      <ErrorSummary errors={errors} />
      <Head title={t.title} lead={t.lead} />
      <form onSubmit={submit} noValidate>
        <TextInput id="name" label={t.name} hint={t.nameHint} value={name} onInput={setName} width={20} complete="name" error={errors["name"]} />
        <SelectOne id="body" label={t.body} hint={t.bodyHint} value={body} onInput={setBody} empty={t.noBody} choices={bodies.choices} more={bodies.more} loading={bodies.loading} />
        <Button busy={busy}>{t.submit}</Button>
      </form>
    </>
  );
}
