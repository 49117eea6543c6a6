// SPDX-License-Identifier: Apache-2.0
// The head of every page: its title (also the window's) and a first paragraph in plain English.
import { useEffect } from "preact/hooks";
import { text } from "../text";

export function Head(props: { title: string; lead?: string }) {
  useEffect(() => {
    document.title = `${props.title} – ${text.product}`;
  }, [props.title]);
  return (
    <>
      <h1>{props.title}</h1>
      {props.lead && <p class="nhsuk-lede-text">{props.lead}</p>}
    </>
  );
}

const colours: Record<string, string> = {
  in_force: "green",
  released: "green",
  open: "green",
  active: "green",
  running: "blue",
  asked: "blue",
  held: "yellow",
  waiting: "yellow",
  draft: "grey",
  stopped: "red",
  refused: "red",
  failed: "red",
  revoked: "red",
  returned: "orange",
  paused: "orange",
  breached: "red",
  recused: "orange",
};

export function State(props: { state: string }) {
  const colour = colours[props.state];
  return <strong class={"nhsuk-tag" + (colour ? ` nhsuk-tag--${colour}` : "")}>{props.state.replace(/_/g, " ")}</strong>;
}
