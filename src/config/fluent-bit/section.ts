/** What Fluent Bit's two formats have in common: sections with properties, in their order. */
import type { Node, Position } from '../tree.ts';

export interface Section {
  /** `service`, `input`, `filter`, `output`, or what else there is. */
  readonly kind: string;
  readonly position: Position;
  /** A key that stands twice is here twice. */
  readonly properties: readonly Property[];
  /** `processors` of an input or output, and `routes` of an input; YAML only. */
  readonly processors?: Node;
  readonly routes?: Node;
}

export interface Property {
  /** In lower case, words joined by `_`. */
  readonly key: string;
  readonly position: Position;
  readonly value: string;
  readonly valuePosition: Position;
}

export function propertyOf({ properties }: Section, key: string): Property | undefined {
  return properties.findLast((property) => property.key === key);
}

/** Variables of `${NAME}`, before those of the environment. */
export type Variables = Map<string, string>;
