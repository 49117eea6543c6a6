// SPDX-License-Identifier: Apache-2.0
// Signing in with a second factor, and making an account.
import { useState } from "preact/hooks";
import { Problem, send } from "../../api";
import { Head } from "../../components/page";
import { signIn } from "../../session";
import { work as words } from "../../text/work";
import { Button, ErrorSummary, TextInput, type Errors } from "./controls";
import { useProvider } from "./identity";
import { Qr } from "./qr";

const t = words.signIn;

export function message(e: unknown): string {
  return e instanceof Problem ? e.message : e instanceof Error ? e.message : String(e);
}

interface Made {
  person: string;
  totp_secret: string;
  otpauth: string;
}

// Shown only where the hub knows an organisation's sign-in.
function Organisation() {
  const provider = useProvider();
  return provider ? (
    <p>
      <a class="nhsuk-button nhsuk-button--secondary" href={provider.url}>
        {t.organisation(provider.name)}
      </a>
    </p>
  ) : null;
}

// What all three forms share: what is wrong, and that nothing is sent twice. `wrong` finds what can be seen here, `send` may find
// more, which `told` puts to its field.
interface Sending {
  wrong: () => Errors;
  send: () => Promise<unknown>;
  told?: (text: string) => Errors;
}

function useSending(form: Sending): { errors: Errors; busy: boolean; submit: (e: Event) => Promise<void> } {
  const [errors, setErrors] = useState<Errors>({});
  const [busy, setBusy] = useState(false);
  const submit = async (e: Event) => {
    e.preventDefault();
    if (busy) return;
    const found = form.wrong();
    setErrors(found);
    if (Object.keys(found).length) return;
    setBusy(true);
    await form.send().catch((x: unknown) => setErrors((form.told ?? ((text) => ({ "": text })))(message(x))));
    setBusy(false);
  };
  return { errors, busy, submit };
}

const digits = (code: string): string => code.replace(/\s/g, "");
const codeWrong = (code: string): Errors => (/^\d{6}$/.test(digits(code)) ? {} : { code: t.needCode });

function Code(props: { label: string; value: string; error: string | undefined; onInput: (v: string) => void }) {
  return <TextInput id="code" {...props} hint={t.codeHint} width={5} numeric complete="one-time-code" />;
}

export function SignIn(props: { ended: boolean }) {
  const [person, setPerson] = useState("");
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const { errors, busy, submit } = useSending({
    wrong: () => ({ ...(person.trim() ? {} : { person: t.needPerson }), ...(password ? {} : { password: t.needPassword }), ...codeWrong(code) }),
    send: () => signIn(person.trim(), password, digits(code)),
  });
  return (
    <>
      <ErrorSummary errors={errors} />
      <Head title={t.title} lead={t.lead} />
      {props.ended && <p class="nhsuk-inset-text">{t.ended}</p>}
      <form onSubmit={submit} noValidate>
        <TextInput id="person" label={t.person} value={person} onInput={setPerson} width={20} complete="username" error={errors["person"]} />
        <TextInput
          id="password"
          label={t.password}
          type="password"
          value={password}
          onInput={setPassword}
          width={20}
          complete="current-password"
          error={errors["password"]}
        />
        <Code label={t.code} value={code} error={errors["code"]} onInput={setCode} />
        <Button busy={busy}>{t.submit}</Button>
      </form>
      <Organisation />
      <p>
        <a href="/work/account">{t.make}</a>
      </p>
    </>
  );
}

const a = words.account;

export function Account() {
  const [made, setMade] = useState<Made>();
  const [password, setPassword] = useState("");
  if (made) return <SecondFactor made={made} password={password} />;
  return (
    <NewAccount
      onMade={(m, p) => {
        setPassword(p);
        setMade(m);
      }}
    />
  );
}

function NewAccount(props: { onMade: (made: Made, password: string) => void }) {
  const [person, setPerson] = useState("");
  const [password, setPassword] = useState("");
  const [again, setAgain] = useState("");
  const { errors, busy, submit } = useSending({
    wrong: () => ({
      ...(/^[a-z0-9-]{1,64}$/.test(person) ? {} : { person: a.needPerson }),
      ...(password.length < 12 ? { password: a.needPassword } : password === again ? {} : { again: a.notSame }),
    }),
    send: async () => props.onMade(await send<Made>("POST", "/accounts", { person, password }), password),
    told: (text) => {
      const field = /^(person|password): /.exec(text)?.[1] ?? "";
      return { [field]: field ? text.slice(field.length + 2) : text };
    },
  });
  return (
    <>
      <ErrorSummary errors={errors} />
      <Head title={a.title} lead={a.lead} />
      <form onSubmit={submit} noValidate>
        <TextInput id="person" label={a.person} hint={a.personHint} value={person} onInput={setPerson} width={20} complete="username" error={errors["person"]} />
        <TextInput
          id="password"
          label={a.password}
          hint={a.passwordHint}
          type="password"
          value={password}
          onInput={setPassword}
          width={20}
          complete="new-password"
          error={errors["password"]}
        />
        <TextInput id="again" label={a.again} type="password" value={again} onInput={setAgain} width={20} complete="new-password" error={errors["again"]} />
        <Button busy={busy}>{a.submit}</Button>
      </form>
      <p>
        <a href="/work">{a.haveOne}</a>
      </p>
    </>
  );
}

function SecondFactor(props: { made: Made; password: string }) {
  const [code, setCode] = useState("");
  const { errors, busy, submit } = useSending({
    wrong: () => codeWrong(code),
    send: () => signIn(props.made.person, props.password, digits(code)),
    told: (text) => ({ code: text }),
  });
  return (
    <>
      <ErrorSummary errors={errors} />
      <Head title={a.madeTitle} lead={a.madeLead} />
      <Qr text={props.made.otpauth} label={a.picture} />
      <dl class="nhsuk-summary-list">
        <div class="nhsuk-summary-list__row">
          <dt class="nhsuk-summary-list__key">{a.secret}</dt>
          <dd class="nhsuk-summary-list__value">
            <code class="accord-secret">{props.made.totp_secret.replace(/(.{4})/g, "$1 ").trim()}</code>
          </dd>
        </div>
      </dl>
      <form onSubmit={submit} noValidate>
        <Code label={a.confirm} value={code} error={errors["code"]} onInput={setCode} />
        <Button busy={busy}>{a.confirmed}</Button>
      </form>
    </>
  );
}
