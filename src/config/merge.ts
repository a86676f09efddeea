import { type Entry, type MappingNode, type Node } from './tree.ts';

/**
 * Lays a later configuration over an earlier one (specification: configuration 1.1): mappings merge
 * key by key at every depth, everything else is replaced whole. A null in the later one replaces a
 * mapping; `{}` keeps it.
 */
export function mergeMappings(earlier: MappingNode, later: MappingNode): MappingNode {
  const entries = new Map<string, Entry>(earlier.entries);
  for (const [name, entry] of later.entries) {
    const known = entries.get(name);
    entries.set(name, known ? { position: entry.position, value: mergeNodes(known.value, entry.value) } : entry);
  }
  return { ...later, entries };
}

export function mergeNodes(earlier: Node, later: Node): Node {
  return earlier.kind === 'mapping' && later.kind === 'mapping' ? mergeMappings(earlier, later) : later;
}
