/** Fluent Bit's YAML format (specification: configuration 4.2). */
import { type Problem, error, warning } from '../message.ts';
import type { World } from '../source.ts';
import { type Entry, type MappingNode, type Node, isNull } from '../tree.ts';
import { parseYaml } from '../yaml.ts';
import { matching, readClassic, relativeTo } from './classic.ts';
import type { Property, Section, Variables } from './section.ts';

export interface YamlInput {
  readonly source: string;
  readonly text: string;
  readonly world: World;
  /** Added to by `env`. */
  readonly variables: Variables;
  readonly problems: Problem[];
  readonly within?: readonly string[];
}

export async function readFluentYaml(input: YamlInput): Promise<readonly Section[]> {
  const { source, problems, variables } = input;
  const { root, problems: found } = parseYaml(input.text, { source, repeatedKeys: 'list' });
  problems.push(...found);
  if (!root) return [];
  if (root.kind !== 'mapping') {
    if (!isNull(root)) problems.push(error(root.position, '', 'expected a mapping at the top'));
    return [];
  }
  const sections: Section[] = [];
  for (const [name, entry] of root.entries) {
    switch (name.toLowerCase()) {
      case 'env':
        readVariables(entry.value, variables);
        break;
      case 'includes':
        sections.push(...(await readIncludes(entry, { ...input, within: [...(input.within ?? []), source] })));
        break;
      case 'service':
        if (entry.value.kind === 'mapping') sections.push(toSection('service', entry.value));
        break;
      case 'pipeline':
        if (entry.value.kind === 'mapping') sections.push(...readPipeline(entry.value, problems));
        break;
      default:
    }
  }
  return sections;
}

function readVariables(node: Node, variables: Variables): void {
  const entries: readonly (readonly [string, Node | undefined])[] =
    node.kind === 'mapping'
      ? [...node.entries].map(([name, { value }]) => [name, value])
      : node.kind === 'list'
        ? node.items.flatMap((item) =>
            item.kind === 'mapping'
              ? [[textOf(item.entries.get('name')?.value), item.entries.get('value')?.value] as const]
              : [],
          )
        : [];
  for (const [name, value] of entries) if (name !== '') variables.set(name, textOf(value));
}

async function readIncludes({ value }: Entry, input: YamlInput): Promise<readonly Section[]> {
  const paths = value.kind === 'list' ? value.items : [value];
  const sections: Section[] = [];
  for (const node of paths) {
    const pattern = relativeTo(input.source, textOf(node));
    for (const name of pattern.includes('*') ? await matching(pattern, input.world) : [pattern]) {
      if (input.within?.includes(name)) {
        input.problems.push(error(node.position, 'includes', `${JSON.stringify(name)} includes itself`));
        continue;
      }
      try {
        const file = { ...input, source: name, text: await input.world.read(name) };
        sections.push(...(/\.ya?ml$/.test(name) ? await readFluentYaml(file) : await readClassic(file)));
      } catch (cause) {
        const reason = cause instanceof Error ? cause.message : String(cause);
        input.problems.push(
          error(node.position, 'includes', `cannot read the file ${JSON.stringify(name)}: ${reason}`),
        );
      }
    }
  }
  return sections;
}

const lists = [
  ['inputs', 'input'],
  ['filters', 'filter'],
  ['outputs', 'output'],
] as const;

function readPipeline(pipeline: MappingNode, problems: Problem[]): readonly Section[] {
  return lists.flatMap(([name, kind]) => {
    const entry = pipeline.entries.get(name);
    if (!entry || isNull(entry.value)) return [];
    if (entry.value.kind === 'list') {
      return entry.value.items.flatMap((item) => (item.kind === 'mapping' ? [toSection(kind, item)] : []));
    }
    if (entry.value.kind !== 'mapping') return [];
    const text = 'is a mapping, which Fluent Bit does not read any more; it is taken for a list';
    problems.push(warning(entry.position, `pipeline.${name}`, text));
    return [...entry.value.entries].flatMap(([plugin, { position, value }]) => {
      const section = value.kind === 'mapping' ? toSection(kind, value) : { kind, position, properties: [] };
      const property = { key: 'name', position, value: plugin, valuePosition: position };
      return [{ ...section, position, properties: [property, ...section.properties] }];
    });
  });
}

function toSection(kind: string, node: MappingNode): Section {
  const properties: Property[] = [];
  for (const [name, { position, value }] of node.entries) {
    const key = name.replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase();
    if (key === 'processors' || key === 'routes') continue;
    for (const item of value.kind === 'list' ? value.items : [value]) {
      if (item.kind === 'scalar') properties.push({ key, position, value: textOf(item), valuePosition: item.position });
    }
  }
  const processors = node.entries.get('processors')?.value;
  const routes = node.entries.get('routes')?.value;
  return {
    kind,
    position: node.position,
    properties,
    ...(processors ? { processors } : {}),
    ...(routes ? { routes } : {}),
  };
}

export function textOf(node: Node | undefined): string {
  return node?.kind === 'scalar' && node.value !== null ? String(node.value) : '';
}
