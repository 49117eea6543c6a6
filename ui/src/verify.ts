// SPDX-License-Identifier: Apache-2.0
//
// Checks in the browser itself that an entry is in the log (docs/formats/ledger.md, "Proof"): the entry's own signature, its
// leaf hash, the inclusion path (RFC 9162 section 2.1.3.2) up to the checkpoint's root, and the hub's signature of the
// checkpoint (C2SP signed note). Nothing of the hub is trusted but its key, which the reader can compare with one they keep.

export interface Proof {
  accord_proof: number;
  entry: Record<string, unknown>;
  path: string[];
  checkpoint: string;
  key: string;
}

export interface Verdict {
  steps: { what: string; right: boolean }[];
  right: boolean;
}

const utf8 = new TextEncoder();

// RFC 8785. JavaScript's own number and string forms are the ones it asks for; keys sort by UTF-16 code units.
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return "[" + value.map(canonical).join(",") + "]";
  if (value !== null && typeof value === "object") {
    const o = value as Record<string, unknown>;
    return "{" + Object.keys(o).sort().map((k) => JSON.stringify(k) + ":" + canonical(o[k])).join(",") + "}";
  }
  return JSON.stringify(value);
}

function fromHex(text: string): Uint8Array {
  const out = new Uint8Array(text.length / 2);
  for (let i = 0; i < out.length; i++) out[i] = parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return out;
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
}

async function sha256(...parts: Uint8Array[]): Promise<Uint8Array> {
  const all = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) {
    all.set(p, at);
    at += p.length;
  }
  return new Uint8Array(await crypto.subtle.digest("SHA-256", all));
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((x, i) => x === b[i]);
}

async function signed(key: Uint8Array, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
  const imported = await crypto.subtle.importKey("raw", key as BufferSource, "Ed25519", false, ["verify"]);
  return crypto.subtle.verify("Ed25519", imported, signature as BufferSource, message as BufferSource);
}

const NODE = Uint8Array.of(1);
const LEAF = Uint8Array.of(0);

// The root that leaf and path lead to in a tree of `size`, or null when the path has not the right length. Numbers up to
// 2^53 are halved with division: bit operators would cut them to 32 bits.
export async function rootOf(leaf: Uint8Array, index: number, size: number, path: Uint8Array[]): Promise<Uint8Array | null> {
  if (index < 0 || index >= size) return null;
  let node = index;
  let last = size - 1;
  let hash = leaf;
  for (const p of path) {
    if (last === 0) return null;
    if (node % 2 === 1 || node === last) {
      hash = await sha256(NODE, p, hash);
      while (node % 2 === 0 && node !== 0) {
        node = Math.floor(node / 2);
        last = Math.floor(last / 2);
      }
    } else {
      hash = await sha256(NODE, hash, p);
    }
    node = Math.floor(node / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 ? hash : null;
}

// A signed note: text, an empty line, then lines "— name base64(key id, signature)". The key id is the first four bytes of
// SHA-256(name, newline, type byte, key).
async function noteSigned(note: string, vkey: string): Promise<boolean> {
  const cut = note.lastIndexOf("\n\n");
  const [name = "", , ...key] = vkey.split("+"); // name+id+base64: only the base64 may have a plus sign within
  const typed = fromBase64(key.join("+"));
  if (cut < 0 || typed[0] !== 1) return false;
  const id = (await sha256(utf8.encode(name + "\n"), typed)).slice(0, 4);
  const text = utf8.encode(note.slice(0, cut + 1));
  for (const line of note.slice(cut + 2).split("\n")) {
    const at = line.lastIndexOf(" ");
    if (!line.startsWith("— ") || line.slice(2, at) !== name) continue;
    const bytes = fromBase64(line.slice(at + 1));
    if (same(bytes.slice(0, 4), id) && (await signed(typed.slice(1), text, bytes.slice(4)))) return true;
  }
  return false;
}

async function entrySigned(entry: Record<string, unknown>): Promise<boolean> {
  const { signature, seq: _seq, time: _time, ...command } = entry;
  return signed(fromHex(String(entry["actor"])), utf8.encode(canonical(command)), fromHex(String(signature)));
}

export async function verify(proof: Proof): Promise<Verdict> {
  const [origin, size, root] = proof.checkpoint.split("\n");
  const leaf = await sha256(LEAF, utf8.encode(canonical(proof.entry)));
  const reached = await rootOf(leaf, Number(proof.entry["seq"]), Number(size), proof.path.map(fromBase64));
  const steps = [
    { what: "The entry is signed by the person or body that acted", right: await entrySigned(proof.entry) },
    {
      what: `The entry is number ${proof.entry["seq"]} of the ${size} in the log`,
      right: reached !== null && same(reached, fromBase64(root ?? "")),
    },
    { what: `The state of the log is signed by ${origin}`, right: await noteSigned(proof.checkpoint, proof.key) },
  ];
  return { steps, right: steps.every((s) => s.right) };
}
