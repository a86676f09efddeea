/**
 * The positioned tree: what the reader of each format makes, and what merging, expansion and the
 * checks work on. Every key and every value knows where it was written, so that a message months
 * later can still point at it. Trees are immutable.
 */

/** Where something was written. Lines and columns count from 1; line 0 means the source as a whole. */
export interface Position {
  /** As messages name it: `otel.yaml`, `--set #2`, `env AOT_CONFIG_CONTENT`, `command line`. */
  readonly source: string;
  readonly line: number;
  readonly column: number;
  /** Characters on that line, at least 1. */
  readonly length: number;
}

export type Node = MappingNode | ListNode | ScalarNode;

export interface MappingNode {
  readonly kind: 'mapping';
  readonly position: Position;
  readonly expanded: Expanded | undefined;
  /** In the order of the source. */
  readonly entries: ReadonlyMap<string, Entry>;
}

export interface ListNode {
  readonly kind: 'list';
  readonly position: Position;
  readonly expanded: Expanded | undefined;
  readonly items: readonly Node[];
}

export interface ScalarNode {
  readonly kind: 'scalar';
  readonly position: Position;
  readonly expanded: Expanded | undefined;
  readonly value: Scalar;
}

/** Whole numbers beyond 2^53 are bigint. `null` is YAML's null. */
export type Scalar = string | number | bigint | boolean | null;

export interface Entry {
  /** Of the key. */
  readonly position: Position;
  readonly value: Node;
}

/** What is remembered of a value that a `${…}` reference gave. */
export interface Expanded {
  /** The text before it was read as YAML, for members that want a string; undefined when it cannot be had. */
  readonly text: string | undefined;
  /** The first environment variable of the value that was not set, for messages about its emptiness. */
  readonly unset: string | undefined;
}

export type Path = readonly (string | number)[];

export function wholeSource(source: string): Position {
  return { source, line: 0, column: 0, length: 1 };
}

export function mapping(position: Position, entries: ReadonlyMap<string, Entry>): MappingNode {
  return { kind: 'mapping', position, expanded: undefined, entries };
}

export function scalar(position: Position, value: Scalar): ScalarNode {
  return { kind: 'scalar', position, expanded: undefined, value };
}

export function isNull(node: Node): boolean {
  return node.kind === 'scalar' && node.value === null;
}

/** The value at a path, or the nearest one above it when the path ends in nothing. */
export function nearest(root: Node, path: Path): Node {
  let node = root;
  for (const step of path) {
    const next = child(node, step);
    if (!next) return node;
    node = next;
  }
  return node;
}

/** Where the key of a path stands; for list items and the root, where the value stands. */
export function keyPosition(root: Node, path: Path): Position {
  const parent = nearest(root, path.slice(0, -1));
  const entry = parent.kind === 'mapping' ? parent.entries.get(String(path.at(-1))) : undefined;
  return entry?.position ?? nearest(root, path).position;
}

/** `service.pipelines.traces.receivers[0]`. */
export function printPath(path: Path): string {
  return path
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`))
    .join('')
    .replace(/^\./, '');
}

function child(node: Node, step: string | number): Node | undefined {
  if (node.kind === 'mapping') return node.entries.get(String(step))?.value;
  if (node.kind === 'list') return node.items[Number(step)];
  return undefined;
}
