/**
 * The formats of other programs. The reader of each makes a tree in the Collector's model, which then
 * goes through the same checks as the Collector's own YAML; messages still speak of the key that the
 * user wrote (specification: configuration 0.1 and 7).
 */
import type { Problem } from './message.ts';
import {
  type Entry,
  type MappingNode,
  type Node,
  type Path,
  type Position,
  type Scalar,
  mapping,
  scalar,
} from './tree.ts';

export interface Translation {
  /** In the Collector's model; undefined when an error stops here. */
  readonly root: MappingNode | undefined;
  readonly problems: readonly Problem[];
  /** Keys as the foreign program writes them (`Socket.UDPAddress`), by what `placeOf` gives. */
  readonly keys: ReadonlyMap<string, string>;
}

/** What a value of the foreign file came from. */
export interface Origin {
  readonly position: Position;
  /** In the foreign notation; undefined for what we add ourselves. */
  readonly key?: string;
}

type Plain = Scalar | readonly Plain[] | { readonly [key: string]: Plain };

/** Collects what a translation sets, member by member. */
export interface TreeBuilder {
  /** Sets a value at a path of the Collector's model; mappings on the way are made. A later one replaces. */
  set(path: Path, value: Plain, origin: Origin): void;
  /** Puts a tree that was read elsewhere at the path. */
  graft(path: Path, node: Node, origin: Origin): void;
  readonly keys: ReadonlyMap<string, string>;
  root(): MappingNode;
}

export function placeOf({ source, line, column }: Position): string {
  return `${source}:${line}:${column}`;
}

export function createTreeBuilder(whole: Position): TreeBuilder {
  const keys = new Map<string, string>();
  let root = mapping(whole, new Map());

  const graft = (path: Path, node: Node, { position, key }: Origin): void => {
    if (key !== undefined) keys.set(placeOf(position), key);
    root = withNode(root, path, { position, value: node });
  };
  return {
    set: (path, value, origin) => graft(path, toNode(value, origin.position), origin),
    graft,
    keys,
    root: () => root,
  };
}

function withNode(parent: MappingNode, [step, ...rest]: Path, entry: Entry): MappingNode {
  const name = String(step);
  const known = parent.entries.get(name);
  const inner = known?.value.kind === 'mapping' ? known.value : mapping(entry.position, new Map());
  const changed =
    rest.length === 0 ? entry : { position: known?.position ?? entry.position, value: withNode(inner, rest, entry) };
  return { ...parent, entries: new Map([...parent.entries, [name, changed]]) };
}

function toNode(value: Plain, position: Position): Node {
  if (Array.isArray(value)) {
    return { kind: 'list', position, expanded: undefined, items: value.map((item) => toNode(item, position)) };
  }
  if (typeof value !== 'object' || value === null) return scalar(position, value as Scalar);
  const entries = Object.entries(value).map(([name, member]): [string, Entry] => [
    name,
    { position, value: toNode(member, position) },
  ]);
  return mapping(position, new Map(entries));
}
