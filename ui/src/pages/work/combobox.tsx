// SPDX-License-Identifier: Apache-2.0
// One of many, found by typing: a text field with a list below it (WAI-ARIA, editable combobox with list autocomplete). Arrow keys
// move in the list, Enter takes, Escape closes, and what was typed but never taken goes away when the field is left.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { combobox as t } from "../../text/form";
import { Button, Group, Select, describedBy, toControl, type Choice, type Frame } from "./controls";

const MOST_SHOWN = 50;
const FEW = 15; // so many fit a plain list
const PAUSE_MS = 200; // typing goes on; nobody is asked in between

export interface Found {
  choices: Choice[];
  more?: ((typed: string) => Promise<Choice[]>) | undefined; // where the choices are not all
}

const plainly = (s: string): string => s.toLowerCase().normalize("NFD").replace(/\p{M}/gu, "");

// Every word that is typed is in the label or the id, in any order.
function matching(choices: Choice[], typed: string): Choice[] {
  const words = plainly(typed).split(/\s+/).filter(Boolean);
  return choices.filter((c) => words.every((w) => plainly(`${c.label} ${c.value}`).includes(w)));
}

// The one choice whose label or id is what was typed.
function exactly(choices: Choice[], typed: string): Choice | undefined {
  const same = choices.filter((c) => plainly(c.label) === plainly(typed) || c.value === typed);
  return same.length === 1 ? same[0] : undefined;
}

function useFound(found: Found, typed: string): Choice[] {
  const [asked, setAsked] = useState<{ typed: string; choices: Choice[] }>();
  useEffect(() => {
    if (!found.more || !typed.trim()) return undefined;
    let live = true;
    const later = setTimeout(() => {
      found.more?.(typed).then(
        (choices) => live && setAsked({ typed, choices }),
        () => undefined, // what is here already can be chosen all the same
      );
    }, PAUSE_MS);
    return () => {
      live = false;
      clearTimeout(later);
    };
  }, [typed, found.more !== undefined]);
  const here = matching(found.choices, typed);
  const known = new Set(here.map((c) => c.value));
  return [...here, ...(asked?.typed === typed ? asked.choices.filter((c) => !known.has(c.value)) : [])].slice(0, MOST_SHOWN);
}

interface Props extends Frame, Found {
  value: string;
  said?: string | undefined; // the label of the value where the choices do not have it
  onInput: (value: string, label?: string) => void;
}

export function Combobox(props: Props) {
  const [taken, setTaken] = useState<Choice>();
  const known = [...props.choices, ...(taken ? [taken] : [])].find((c) => c.value === props.value);
  const chosen = known?.label ?? (props.value ? (props.said ?? props.value) : "");
  const [typed, setTyped] = useState<string>(); // undefined: nobody is typing
  const [at, setAt] = useState(-1);
  const list = useRef<HTMLUListElement>(null);
  const open = typed !== undefined;
  const now = useRef(props); // an answer that comes late is for the form as it is then
  now.current = props;
  const turn = useRef(0); // counts what is done here, so that a late answer undoes nothing
  const found = useFound(props, open && typed !== chosen ? typed : "");
  const close = () => {
    turn.current += 1;
    setTyped(undefined);
    setAt(-1);
  };
  const take = (c: Choice | undefined) => {
    if (c) {
      setTaken(c);
      now.current.onInput(c.value, c.label);
    }
    close();
  };
  const move = (to: number) => {
    if (!open) setTyped(chosen);
    const next = found.length ? (to + found.length) % found.length : -1;
    setAt(next);
    list.current?.children[next]?.scrollIntoView({ block: "nearest" });
  };
  const key = (e: KeyboardEvent) => {
    if (e.key === "ArrowDown") move(at + 1);
    else if (e.key === "ArrowUp") move(at < 0 ? found.length - 1 : at - 1);
    else if (e.key === "Enter" && open && at >= 0) take(found[at]);
    else if (e.key === "Enter" && open && typed !== chosen) leave(); // the list is closed first; the next one sends the form
    else if (e.key === "Escape" && open) close();
    else return;
    e.preventDefault();
  };
  const input = (text: string) => {
    turn.current += 1;
    setTyped(text);
    setAt(-1);
    if (text === "") props.onInput("");
  };
  const leave = () => {
    if (typed === undefined) return;
    const text = typed.trim();
    const here = exactly(found, text);
    take(here);
    if (here || !text || !props.more || text === chosen) return;
    const left = turn.current;
    props.more(text).then(
      (choices) => {
        const late = exactly(choices, text);
        if (late && turn.current === left) take(late);
      },
      () => undefined,
    );
  };
  const option = (i: number) => `${props.id}-option-${i}`;
  return (
    <Group {...props} hint={props.hint ?? t.hint}>
      <div class="accord-combobox">
        <input
          class={"nhsuk-input" + (props.error ? " nhsuk-input--error" : "")}
          id={props.id}
          type="text"
          role="combobox"
          autocomplete="off"
          aria-autocomplete="list"
          aria-expanded={open}
          aria-controls={`${props.id}-list`}
          aria-activedescendant={open && at >= 0 ? option(at) : undefined}
          aria-describedby={describedBy({ ...props, hint: props.hint ?? t.hint })}
          aria-invalid={props.error ? true : undefined}
          value={typed ?? chosen}
          onInput={(e) => input(e.currentTarget.value)}
          onClick={() => !open && setTyped(chosen)}
          onKeyDown={key}
          onBlur={leave}
        />
        <ul class="accord-combobox__list" id={`${props.id}-list`} role="listbox" aria-label={t.list} hidden={!open || found.length === 0} ref={list}>
          {open &&
            found.map((c, i) => (
              <li
                key={c.value}
                id={option(i)}
                role="option"
                aria-selected={i === at}
                onMouseDown={(e) => {
                  e.preventDefault(); // the field keeps the focus
                  take(c);
                }}
              >
                {c.label}
              </li>
            ))}
        </ul>
      </div>
      <div class="nhsuk-u-visually-hidden" role="status">
        {open ? t.found(found.length) : ""}
      </div>
    </Group>
  );
}

// A plain list where the choices are few, else one to search. Whoever waits in the list while they are on their way has the focus in
// what becomes of it.
export function SelectOne(props: Props & { empty: string; loading?: boolean | undefined }) {
  const search = props.more !== undefined || props.choices.length > FEW;
  const within = document.activeElement?.id === props.id;
  useLayoutEffect(() => {
    if (within) toControl(props.id);
  }, [search]);
  return search ? <Combobox {...props} /> : <Select {...props} />;
}

// Several of many: what was chosen, each with a button that takes it away, and a field to add another.
export function SelectMany(props: Frame & Found & { values: string[]; onInput: (values: string[]) => void }) {
  const [labels, setLabels] = useState<Record<string, string>>({});
  const named = (id: string): string => props.choices.find((c) => c.value === id)?.label ?? labels[id] ?? id;
  const add = (v: string, label = v) => {
    if (!v || props.values.includes(v)) return;
    setLabels({ ...labels, [v]: label });
    props.onInput([...props.values, v]);
  };
  return (
    <>
      <Combobox {...props} value="" choices={props.choices.filter((c) => !props.values.includes(c.value))} onInput={add} />
      <ul class="accord-chosen" aria-label={t.chosen(props.label)}>
        {props.values.map((v) => (
          <li key={v}>
            {named(v)}{" "}
            <Button
              secondary
              onClick={() => {
                props.onInput(props.values.filter((x) => x !== v));
                toControl(props.id);
              }}
            >
              {t.remove(named(v))}
            </Button>
          </li>
        ))}
      </ul>
    </>
  );
}
