// SPDX-License-Identifier: Apache-2.0
// The controls of forms in the NHS design: each with its label, hint and error joined to it for screen readers.
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { text } from "../../text";
import { form as ft } from "../../text/form";
import { work as t } from "../../text/work";

export type Errors = Record<string, string>; // by the id of the control; "" = of the whole form

// What an error is about may lie within a control: "by-1-cuts-0" is told at "by-1-cuts".
function nearest(id: string): HTMLElement | null {
  for (let name = id; name; name = name.slice(0, Math.max(0, name.lastIndexOf("-")))) {
    const at = document.getElementById(name);
    if (at) return at;
  }
  return null;
}

// Where the focus was when a form was last sent, and whether somebody has typed since.
const sent: { from: Element | null; typed: boolean } = { from: null, typed: false };
const sends = (e: Event) => {
  if (e.type === "submit" || (e.target as Element).closest("button")) Object.assign(sent, { from: document.activeElement, typed: false });
};
document.addEventListener("submit", sends, true);
document.addEventListener("click", sends, true);
document.addEventListener("input", () => (sent.typed = true), true);

function goneOn(): boolean {
  const at = document.activeElement;
  return at !== null && at.matches("input, select, textarea") && (sent.typed || at !== sent.from);
}

// The focus goes to a control or a question by its id: from a button that goes away with what it removes.
export const toControl = (id: string): void => document.getElementById(id)?.focus();

export function ErrorSummary(props: { errors: Errors }) {
  const box = useRef<HTMLDivElement>(null);
  const list = Object.entries(props.errors);
  // Before the browser paints, and never from a field that somebody has gone on to while the answer was on its way: they are told
  // (role=alert), not interrupted.
  useLayoutEffect(() => {
    if (list.length && !goneOn()) box.current?.focus();
  }, [props.errors]);
  if (!list.length) return null;
  const jump = (id: string) => (e: Event) => {
    e.preventDefault();
    const at = nearest(id);
    at?.focus();
    at?.scrollIntoView({ block: "center" });
  };
  return (
    <div class="nhsuk-error-summary" role="alert" aria-labelledby="errors" tabIndex={-1} ref={box}>
      <h2 class="nhsuk-error-summary__title" id="errors">
        {t.problem}
      </h2>
      <ul class="nhsuk-list nhsuk-error-summary__list">
        {list.map(([id, message]) => (
          <li key={id}>
            {id ? (
              <a href={"#" + id} onClick={jump(id)}>
                {message}
              </a>
            ) : (
              message
            )}
          </li>
        ))}
      </ul>
    </div>
  );
}

export interface Frame {
  id: string;
  label: string;
  hint?: string | undefined;
  error?: string | undefined;
}

export function describedBy(p: Frame): string | undefined {
  const ids = [p.hint ? p.id + "-hint" : "", p.error ? p.id + "-error" : ""].filter(Boolean).join(" ");
  return ids || undefined;
}

function Notes(p: Frame) {
  return (
    <>
      {p.hint && (
        <div class="nhsuk-hint" id={p.id + "-hint"}>
          {p.hint}
        </div>
      )}
      {p.error && (
        <span class="nhsuk-error-message" id={p.id + "-error"}>
          {p.error}
        </span>
      )}
    </>
  );
}

const group = (error?: string) => "nhsuk-form-group" + (error ? " nhsuk-form-group--error" : "");

export function Group(props: Frame & { children: ComponentChildren }) {
  return (
    <div class={group(props.error)}>
      <label class="nhsuk-label nhsuk-label--s" for={props.id}>
        {props.label}
      </label>
      <Notes {...props} />
      {props.children}
    </div>
  );
}

// A question that has several controls.
export function Fieldset(props: Frame & { children: ComponentChildren; role?: "group" }) {
  return (
    <div class={group(props.error)}>
      <fieldset class="nhsuk-fieldset" aria-describedby={describedBy(props)} id={props.id} tabIndex={-1}>
        <legend class="nhsuk-fieldset__legend nhsuk-fieldset__legend--s">{props.label}</legend>
        <Notes {...props} />
        {props.children}
      </fieldset>
    </div>
  );
}

interface TextProps extends Frame {
  value: string;
  onInput: (value: string) => void;
  type?: "text" | "password";
  width?: number; // in characters
  complete?: string;
  numeric?: boolean;
  prefix?: string;
  suffix?: string;
}

export function TextInput(props: TextProps) {
  const shared = {
    class: "nhsuk-input" + (props.error ? " nhsuk-input--error" : "") + (props.width ? ` nhsuk-input--width-${props.width}` : ""),
    id: props.id,
    name: props.id,
    value: props.value,
    autocomplete: props.complete ?? "off",
    "aria-describedby": describedBy(props),
    onInput: (e: { currentTarget: HTMLInputElement }) => props.onInput(e.currentTarget.value),
    ...(props.error ? { "aria-invalid": true as const } : {}),
  };
  const input =
    props.type === "password" ? <input type="password" {...shared} /> : <input type="text" {...(props.numeric ? { inputMode: "decimal" as const } : {})} {...shared} />;
  return (
    <Group {...props}>
      {props.prefix || props.suffix ? (
        <div class="nhsuk-input__wrapper">
          {props.prefix && (
            <div class="nhsuk-input__prefix" aria-hidden="true">
              {props.prefix}
            </div>
          )}
          {input}
          {props.suffix && (
            <div class="nhsuk-input__suffix" aria-hidden="true">
              {props.suffix}
            </div>
          )}
        </div>
      ) : (
        input
      )}
    </Group>
  );
}

export function TextArea(props: Frame & { value: string; rows?: number; onInput: (value: string) => void }) {
  return (
    <Group {...props}>
      <textarea
        class={"nhsuk-textarea" + (props.error ? " nhsuk-textarea--error" : "")}
        id={props.id}
        name={props.id}
        rows={props.rows ?? 5}
        value={props.value}
        aria-describedby={describedBy(props)}
        aria-invalid={props.error ? true : undefined}
        onInput={(e) => props.onInput(e.currentTarget.value)}
      />
    </Group>
  );
}

// Day, month and year are typed apart: "5-3-2026".
export function DateInput(props: Frame & { value: string; onInput: (value: string) => void }) {
  const parts = props.value.split("-");
  const set = (i: number, v: string) => props.onInput([0, 1, 2].map((k) => (k === i ? v.trim() : (parts[k] ?? ""))).join("-"));
  return (
    <Fieldset {...props}>
      <div class="nhsuk-date-input">
        {[ft.day, ft.month, ft.year].map((name, i) => {
          const id = `${props.id}-${name.toLowerCase()}`;
          return (
            <div class="nhsuk-date-input__item" key={name}>
              <div class="nhsuk-form-group">
                <label class="nhsuk-label nhsuk-date-input__label" for={id}>
                  {name}
                </label>
                <input
                  class={`nhsuk-input nhsuk-date-input__input nhsuk-input--width-${i === 2 ? 4 : 2}` + (props.error ? " nhsuk-input--error" : "")}
                  id={id}
                  type="text"
                  inputMode="numeric"
                  value={parts[i] ?? ""}
                  aria-describedby={describedBy(props)}
                  onInput={(e) => set(i, e.currentTarget.value)}
                />
              </div>
            </div>
          );
        })}
      </div>
    </Fieldset>
  );
}

export interface Choice {
  value: string;
  label: string;
  hint?: string;
}

// While the choices are on their way it can be reached all the same: who goes from field to field must not miss it.
export function Select(props: Frame & { value: string; choices: Choice[]; empty: string; loading?: boolean | undefined; onInput: (value: string) => void }) {
  return (
    <Group {...props}>
      <select
        aria-busy={props.loading ? true : undefined}
        class={"nhsuk-select accord-select" + (props.error ? " nhsuk-select--error" : "")}
        id={props.id}
        name={props.id}
        value={props.value}
        aria-describedby={describedBy(props)}
        aria-invalid={props.error ? true : undefined}
        onChange={(e) => props.onInput(e.currentTarget.value)}
      >
        <option value="">{props.loading ? text.state.loading : props.empty}</option>
        {props.choices.map((c) => (
          <option key={c.value} value={c.value} selected={c.value === props.value}>
            {c.label}
          </option>
        ))}
      </select>
    </Group>
  );
}

export function Radios(props: Frame & { value: string; choices: Choice[]; onInput: (value: string) => void }) {
  return (
    <Fieldset {...props}>
      <div class="nhsuk-radios">
        {props.choices.map((c) => {
          const id = `${props.id}-${c.value}`;
          return (
            <div class="nhsuk-radios__item" key={c.value}>
              <input
                class="nhsuk-radios__input"
                type="radio"
                id={id}
                name={props.id}
                value={c.value}
                checked={props.value === c.value}
                aria-describedby={c.hint ? id + "-hint" : undefined}
                onChange={() => props.onInput(c.value)}
              />
              <label class="nhsuk-label nhsuk-radios__label" for={id}>
                {c.label}
              </label>
              {c.hint && (
                <div class="nhsuk-hint nhsuk-radios__hint" id={id + "-hint"}>
                  {c.hint}
                </div>
              )}
            </div>
          );
        })}
      </div>
    </Fieldset>
  );
}

export function Checkboxes(props: Frame & { values: string[]; choices: Choice[]; onInput: (values: string[]) => void }) {
  const turn = (value: string) =>
    props.onInput(props.values.includes(value) ? props.values.filter((v) => v !== value) : [...props.values, value]);
  return (
    <Fieldset {...props}>
      <div class="nhsuk-checkboxes">
        {props.choices.map((c) => {
          const id = `${props.id}-${c.value.replace(/[^A-Za-z0-9_-]/g, "-")}`;
          return (
            <div class="nhsuk-checkboxes__item" key={c.value}>
              <input
                class="nhsuk-checkboxes__input"
                type="checkbox"
                id={id}
                name={props.id}
                value={c.value}
                checked={props.values.includes(c.value)}
                onChange={() => turn(c.value)}
              />
              <label class="nhsuk-label nhsuk-checkboxes__label" for={id}>
                {c.label}
              </label>
            </div>
          );
        })}
      </div>
    </Fieldset>
  );
}

// One box to tick.
export function Tick(props: { id: string; label: string; on: boolean; onInput: (on: boolean) => void }) {
  return (
    <div class="nhsuk-checkboxes nhsuk-form-group">
      <div class="nhsuk-checkboxes__item">
        <input class="nhsuk-checkboxes__input" type="checkbox" id={props.id} checked={props.on} onChange={(e) => props.onInput(e.currentTarget.checked)} />
        <label class="nhsuk-label nhsuk-checkboxes__label" for={props.id}>
          {props.label}
        </label>
      </div>
    </div>
  );
}

export function Button(props: { children: ComponentChildren; secondary?: boolean; warning?: boolean; busy?: boolean; onClick?: () => void }) {
  const kind = props.secondary ? " nhsuk-button--secondary" : props.warning ? " nhsuk-button--warning" : "";
  return (
    <button
      class={"nhsuk-button" + kind}
      type={props.onClick ? "button" : "submit"}
      aria-disabled={props.busy ? true : undefined}
      onClick={props.onClick}
    >
      {props.busy ? t.saving : props.children}
    </button>
  );
}
