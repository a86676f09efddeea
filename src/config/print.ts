import { stringify } from 'yaml';
import { isSecretName, maskedText } from './message.ts';
import type { MappingNode, Node } from './tree.ts';

/**
 * A merged and expanded configuration as YAML that reads back to the same tree, without defaults
 * and with its secrets masked.
 */
export function printConfig(root: MappingNode): string {
  // With the rules of YAML 1.1, "yes" and "0123" are quoted where they are text.
  return stringify(toPlain(root, { masked: false }), { version: '1.1', lineWidth: 0, aliasDuplicateObjects: false });
}

function toPlain(node: Node, { masked }: { readonly masked: boolean }): unknown {
  if (node.kind === 'mapping') {
    // No prototype, so that `__proto__` is a key like others. The library prints a Map as a list.
    const plain: Record<string, unknown> = Object.create(null);
    for (const [name, { value }] of node.entries)
      plain[name] = toPlain(value, { masked: masked || isSecretName(name) });
    return plain;
  }
  if (node.kind === 'list') return node.items.map((item) => toPlain(item, { masked }));
  if (masked && node.value !== null) return maskedText;
  // A dollar would begin an expansion when this is read again.
  return typeof node.value === 'string' ? node.value.replaceAll('$', '$$$$') : node.value;
}
