// SPDX-License-Identifier: Apache-2.0
// A QR code as SVG, drawn here: the secret in it goes to no other host.
import { encode } from "uqr";

export function Qr(props: { text: string; label: string }) {
  const { data, size } = encode(props.text, { ecc: "M", border: 4 });
  const path = data.map((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : "")).join("")).join("");
  return (
    <svg class="accord-qr" viewBox={`0 0 ${size} ${size}`} role="img" aria-label={props.label} shape-rendering="crispEdges">
      <rect width={size} height={size} fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  );
}
