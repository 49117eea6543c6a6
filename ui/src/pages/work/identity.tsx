// SPDX-License-Identifier: Apache-2.0
// Signing in with one's organisation (OpenID Connect), where the hub has a provider, and linking an account to it.
import { useEffect, useState } from "preact/hooks";
import { get } from "../../api";
import { change } from "../../session";
import { work } from "../../text/work";
import { Button } from "./controls";
import { message } from "./sign_in";

export interface Provider {
  name: string;
  url: string;
}

export function useProvider(): Provider | undefined {
  const [provider, set] = useState<Provider>();
  useEffect(() => {
    get<Partial<Provider>>("/sign-in").then(
      ({ name, url }) => name !== undefined && url !== undefined && set({ name, url }),
      () => undefined,
    );
  }, []);
  return provider;
}

const t = work.identity;

export function Identity() {
  const provider = useProvider();
  const [subject, setSubject] = useState<string>();
  const [problem, setProblem] = useState("");
  useEffect(() => {
    if (provider) get<{ subject: string }>("/identity").then((i) => setSubject(i.subject), (e: unknown) => setProblem(message(e)));
  }, [provider]);
  if (!provider || subject === undefined) return null;
  const link = () => change<{ url: string }>("POST", "/identity").then(({ url }) => location.assign(url));
  const end = () => change("DELETE", "/identity").then(() => setSubject(""));
  return (
    <>
      <h2>{t.title}</h2>
      {problem && <p role="alert">{problem}</p>}
      <p>{subject ? t.linked(provider.name) : t.none(provider.name)}</p>
      <Button secondary onClick={() => void (subject ? end() : link()).catch((e: unknown) => setProblem(message(e)))}>
        {subject ? t.end : t.link}
      </Button>
    </>
  );
}
