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

export function SignIn(props: { ended: boolean }) {
  const [person, setPerson] = useState("");
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const [errors, setErrors] = useState<Errors>({});
  const [busy, setBusy] = useState(false);
  const submit = async (e: Event) => {
    e.preventDefault();
    if (busy) return;
    const found: Errors = {};
    if (!person.trim()) found["person"] = t.needPerson;
    if (!password) found["password"] = t.needPassword;
    if (!/^\d{6}$/.test(code.replace(/\s/g, ""))) found["code"] = t.needCode;
    setErrors(found);
    if (Object.keys(found).length) return;
    setBusy(true);
    await signIn(person.trim(), password, code.replace(/\s/g, "")).catch((x: unknown) => setErrors({ "": message(x) }));
    setBusy(false);
  };
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
        <TextInput
          id="code"
          label={t.code}
          hint={t.codeHint}
          value={code}
          onInput={setCode}
          width={5}
          numeric
          complete="one-time-code"
          error={errors["code"]}
        />
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
  const [errors, setErrors] = useState<Errors>({});
  const [busy, setBusy] = useState(false);
  const submit = async (e: Event) => {
    e.preventDefault();
    if (busy) return;
    const found: Errors = {};
    if (!/^[a-z0-9-]{1,64}$/.test(person)) found["person"] = a.needPerson;
    if (password.length < 12) found["password"] = a.needPassword;
    else if (password !== again) found["again"] = a.notSame;
    setErrors(found);
    if (Object.keys(found).length) return;
    setBusy(true);
    try {
      props.onMade(await send<Made>("POST", "/accounts", { person, password }), password);
    } catch (x) {
      const text = message(x);
      const field = /^(person|password): /.exec(text)?.[1] ?? "";
      setErrors({ [field]: field ? text.slice(field.length + 2) : text });
    }
    setBusy(false);
  };
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
  const [errors, setErrors] = useState<Errors>({});
  const [busy, setBusy] = useState(false);
  const submit = async (e: Event) => {
    e.preventDefault();
    if (busy) return;
    if (!/^\d{6}$/.test(code.replace(/\s/g, ""))) return setErrors({ code: t.needCode });
    setBusy(true);
    await signIn(props.made.person, props.password, code.replace(/\s/g, "")).catch((x: unknown) => setErrors({ code: message(x) }));
    setBusy(false);
  };
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
        <TextInput id="code" label={a.confirm} hint={t.codeHint} value={code} onInput={setCode} width={5} numeric complete="one-time-code" error={errors["code"]} />
        <Button busy={busy}>{a.confirmed}</Button>
      </form>
    </>
  );
}
