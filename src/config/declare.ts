/** The component sections of a configuration: ids, types and bodies (specification: configuration 1.4). */
import type { z } from 'zod';
import { type Problem, error } from './message.ts';
import { type MappingNode, type Node, type Position, isNull } from './tree.ts';

export type ComponentKind = 'receiver' | 'processor' | 'exporter' | 'connector' | 'extension' | 'store';

/** What the checks ask of a component; a factory is one. */
export interface RegisteredComponent {
  readonly type: string;
  /** Strict, with the defaults. */
  readonly configSchema: z.ZodType;
  /** Of a connector: no other pipeline needs to name it. */
  readonly endsPipelines?: boolean;
}

/** A type that there is; its component is loaded when a configuration names it. */
export interface KnownComponent {
  readonly type: string;
  load(): Promise<RegisteredComponent>;
}

/** By kind, then by type or alias. */
export type Registry = ReadonlyMap<ComponentKind, ReadonlyMap<string, KnownComponent>>;

/** A component as it stands in the configuration, whether or not anybody knows its type. */
export interface Declared {
  readonly kind: ComponentKind;
  /** `otlp` or `otlp/backup`. */
  readonly id: string;
  /** As the user wrote it. */
  readonly type: string;
  /** The key in the file; `otlp / backup` for the id `otlp/backup`. */
  readonly key: string;
  /** Of the key. */
  readonly position: Position;
  readonly node: Node;
  /** The body is neither a mapping nor nothing, which has been told. */
  readonly malformed: boolean;
  readonly registered: RegisteredComponent | undefined;
}

export type Declarations = ReadonlyMap<ComponentKind, ReadonlyMap<string, Declared>>;

/** The top-level section of each kind. */
export const sectionOf = {
  receiver: 'receivers',
  processor: 'processors',
  exporter: 'exporters',
  connector: 'connectors',
  extension: 'extensions',
  store: 'stores',
} as const satisfies Record<ComponentKind, string>;

const kinds = ['receiver', 'processor', 'exporter', 'connector', 'extension', 'store'] as const;

export async function declareComponents(
  root: MappingNode,
  registry: Registry,
): Promise<{ readonly declared: Declarations; readonly problems: readonly Problem[] }> {
  const problems: Problem[] = [];
  const declared = new Map<ComponentKind, ReadonlyMap<string, Declared>>();
  for (const kind of kinds) declared.set(kind, await declareSection(kind, root, registry, problems));
  return { declared, problems };
}

/** Id and type of `type` or `type/name`, blanks around both parts removed; what is wrong with it instead. */
export function parseId(text: string): { readonly id: string; readonly type: string } | { readonly wrong: string } {
  const slash = text.indexOf('/');
  const type = (slash < 0 ? text : text.slice(0, slash)).trim();
  const name = slash < 0 ? undefined : text.slice(slash + 1).trim();
  if (type === '' && name === undefined) return { wrong: 'id must not be empty' };
  const place = `in ${JSON.stringify(text)} id:`;
  if (type === '') return { wrong: `${place} the part before / should not be empty` };
  if (!typePattern.test(type)) return { wrong: `${place} invalid character(s) in type ${JSON.stringify(type)}` };
  if (name === undefined) return { id: type, type };
  if (name === '') return { wrong: `${place} the part after / should not be empty` };
  if (name.length > nameCharactersMax)
    return { wrong: `${place} the name is longer than ${nameCharactersMax} characters` };
  if (!namePattern.test(name)) return { wrong: `${place} invalid character(s) in name ${JSON.stringify(name)}` };
  return { id: `${type}/${name}`, type };
}

const typePattern = /^[a-zA-Z][0-9a-zA-Z_]{0,62}$/;
const namePattern = /^[^\p{Z}\p{C}\p{S}]+$/u;
const nameCharactersMax = 1024;

async function declareSection(
  kind: ComponentKind,
  root: MappingNode,
  registry: Registry,
  problems: Problem[],
): Promise<ReadonlyMap<string, Declared>> {
  const section = sectionOf[kind];
  const node = root.entries.get(section)?.value;
  const declared = new Map<string, Declared>();
  if (!node || isNull(node)) return declared;
  if (node.kind !== 'mapping') {
    problems.push(error(node.position, section, `expected a mapping of ${kind}s by id, got ${kindName(node)}`));
    return declared;
  }
  for (const [key, { position, value }] of node.entries) {
    const parsed = parseId(key);
    if ('wrong' in parsed) {
      problems.push(error(position, section, parsed.wrong));
      continue;
    }
    const { id, type } = parsed;
    if (declared.has(id)) problems.push(error(position, section, `duplicate name ${id}`));
    const malformed = value.kind !== 'mapping' && !isNull(value);
    if (malformed) {
      problems.push(error(value.position, `${section}.${id}`, `expected a mapping or nothing, got ${kindName(value)}`));
    }
    declared.set(id, {
      kind,
      id,
      type,
      key,
      position,
      node: value,
      malformed,
      registered: await registry.get(kind)?.get(type)?.load(),
    });
  }
  return declared;
}

function kindName(node: Node): string {
  return node.kind === 'list' ? 'a list' : 'a single value';
}
