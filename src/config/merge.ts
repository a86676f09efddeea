import type { Entry, ListNode, MappingNode, Node, Path } from './tree.ts';

/**
 * Lays a later configuration over an earlier one (specification: configuration 1.1): mappings merge
 * key by key at every depth, everything else is replaced whole. A null in the later one replaces a
 * mapping; `{}` keeps it. At the paths of `appends`, what is new in a later list is appended instead.
 */
export function mergeMappings(earlier: MappingNode, later: MappingNode, place: Place = somewhere): MappingNode {
  const entries = new Map<string, Entry>(earlier.entries);
  for (const [name, entry] of later.entries) {
    const known = entries.get(name);
    const within = { ...place, path: [...place.path, name] };
    const value = known ? mergeNodes(known.value, entry.value, within) : entry.value;
    entries.set(name, { position: entry.position, value });
  }
  return { ...later, entries };
}

export interface Place {
  readonly path: Path;
  readonly appends: (path: Path) => boolean;
}

const somewhere: Place = { path: [], appends: () => false };

export function mergeNodes(earlier: Node, later: Node, place: Place = somewhere): Node {
  if (earlier.kind === 'mapping' && later.kind === 'mapping') return mergeMappings(earlier, later, place);
  return earlier.kind === 'list' && later.kind === 'list' && place.appends(place.path) ? append(earlier, later) : later;
}

function append(earlier: ListNode, later: ListNode): ListNode {
  const known = new Set(earlier.items.map(identityOf));
  return { ...later, items: [...earlier.items, ...later.items.filter((item) => !known.has(identityOf(item)))] };
}

function identityOf(node: Node): unknown {
  return node.kind === 'scalar' ? node.value : node;
}

/** The lists that the Collector appends under its gate `confmap.enableMergeAppendOption`. */
export function isListOfService([root, section, ...rest]: Path): boolean {
  if (root !== 'service') return false;
  return section === 'extensions' ? rest.length === 0 : section === 'pipelines' && rest.length === 2;
}
