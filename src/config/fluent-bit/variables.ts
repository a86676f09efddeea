import { type Problem, warning } from '../message.ts';
import { type Entry, type Node, type Position, scalar } from '../tree.ts';
import type { Section, Variables } from './section.ts';

interface Scope {
  readonly variables: Variables;
  readonly env: ReadonlyMap<string, string>;
  readonly problems: Problem[];
}

const reference = /\$\{([A-Za-z_][\w.]*)(?::-([^}]*))?\}/g;

/** The section with `${NAME}` and `${NAME:-default}` replaced; what nobody sets is empty, with a warning. */
export function expandVariables(section: Section, scope: Scope): Section {
  return {
    ...section,
    properties: section.properties.map((property) => ({
      ...property,
      value: expandText(property.value, property.valuePosition, scope),
    })),
    ...(section.processors ? { processors: expandNode(section.processors, scope) } : {}),
    ...(section.routes ? { routes: expandNode(section.routes, scope) } : {}),
  };
}

function expandText(text: string, position: Position, { variables, env, problems }: Scope): string {
  return text.replaceAll(reference, (_, name: string, fallback: string | undefined) => {
    const value = variables.get(name) ?? env.get(name);
    // The default also counts for a variable that is empty.
    if (value || (value !== undefined && fallback === undefined)) return value;
    if (fallback === undefined) {
      problems.push(warning(position, '', `environment variable ${name} is not set; it stands for nothing here`));
    }
    return fallback ?? '';
  });
}

function expandNode(node: Node, scope: Scope): Node {
  if (node.kind === 'list') return { ...node, items: node.items.map((item) => expandNode(item, scope)) };
  if (node.kind === 'mapping') {
    const entries = [...node.entries].map(([name, { position, value }]): [string, Entry] => [
      name,
      { position, value: expandNode(value, scope) },
    ]);
    return { ...node, entries: new Map(entries) };
  }
  if (typeof node.value !== 'string' || !node.value.includes('${')) return node;
  return scalar(node.position, expandText(node.value, node.position, scope));
}
