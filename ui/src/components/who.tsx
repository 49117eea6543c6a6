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
  const session = who.state === "in" ? who.session : undefined;
  const bodies = session && bodiesOf(session);
  const leave = async (e: Event) => {
    e.preventDefault();
    await signOut();
    go("/");
  };
  return (
    <>
      <a href="/work">{session ? text.who.work : text.who.signIn}</a>
      {session && (
        <span>
          {text.who.signedIn} <strong>{session.person ?? session.account}</strong>
          {bodies && ` ${text.who.actingFor} ${bodies}`}
        </span>
      )}
      {session && (
        <button type="button" class="accord-leave" onClick={leave}>
          {text.who.signOut}
        </button>
      )}
    </>
  );
}
