// SPDX-License-Identifier: Apache-2.0
// Ids and codes as people know them.
import { nameOf, useCodes, useItems } from "./lists";

export function ItemName(props: { noun: string; id: string }) {
  const found = useItems(props.noun)?.find((i) => i["id"] === props.id);
  return <>{found ? nameOf(found) : props.id}</>;
}

export function CodeName(props: { scheme: string; code: string }) {
  return <>{useCodes(props.scheme)?.find((c) => c.code === props.code)?.label ?? props.code}</>;
}
