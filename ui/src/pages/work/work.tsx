// SPDX-License-Identifier: Apache-2.0
// The part of the register where people act: which page a path under /work shows. Everything here is one chunk of its own.
import { useWho, type Session } from "../../session";
import { text } from "../../text";
import { work as words } from "../../text/work";
import { ChooseBody } from "./choose";
import { Do } from "./form/form";
import { Matches } from "./matches";
import { Register } from "./register";
import { Run } from "./run";
import { Account, SignIn } from "./sign_in";
import { Study } from "./study/study";
import { Waiting } from "./waiting";

function page(session: Session, steps: string[]) {
  if (steps.length === 0 || steps[0] === "account") return <Waiting session={session} />;
  const [what, which, id] = steps;
  if (what === "do" && which !== undefined) return <Do key={which + (id ?? "")} session={session} verb={which} id={id} />;
  if (what === "study") return <Study session={session} />;
  if (what === "run" && which !== undefined) return <Run key={which} id={which} />;
  if (what === "declare") return <Do session={session} verb="person.declare" id={session.person} />;
  if (what === "describe") return <ChooseBody session={session} verb="body.describe" own />;
  if (what === "check") return <ChooseBody session={session} verb="body.check" own={false} />;
  if (what === "matches") return <Matches session={session} body={which} />;
  return <h1>{text.state.notFound}</h1>;
}

export function Work(props: { steps: string[] }) {
  const who = useWho();
  if (who.state === "unknown") return <p aria-live="polite">{words.loading}</p>;
  if (who.state !== "in") return props.steps[0] === "account" ? <Account /> : <SignIn ended={who.state === "ended"} />;
  if (who.session.person === undefined) return <Register account={who.session.account} />;
  return page(who.session, props.steps);
}

export { Actions } from "./actions";
