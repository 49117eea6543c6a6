// SPDX-License-Identifier: Apache-2.0
// In the header of every page: who acts, and for which bodies.
import { go } from "../go";
import { signOut, useWho, type Session } from "../session";
import { text } from "../text";

export function bodiesOf(session: Session): string {
  return [...new Set(session.roles.map((r) => r.body_name || r.body))].join(", ");
}

export function Signed() {
  const who = useWho();
  if (who.state !== "in") return <a href="/work">{text.who.signIn}</a>;
  const name = who.session.person ?? who.session.account;
  const bodies = bodiesOf(who.session);
  const leave = async (e: Event) => {
    e.preventDefault();
    await signOut();
    go("/");
  };
  return (
    <>
      <a href="/work">{text.who.work}</a>
      <span>
        {text.who.signedIn} <strong>{name}</strong>
        {bodies && ` ${text.who.actingFor} ${bodies}`}
      </span>
      <button type="button" class="accord-leave" onClick={leave}>
        {text.who.signOut}
      </button>
    </>
  );
}
