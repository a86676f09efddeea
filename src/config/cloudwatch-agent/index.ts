/** The JSON files of the CloudWatch agent, several of them put together (specification: configuration 3). */
import { parseJson } from '../../codec/json.ts';
import { RaybridgeError } from '../../errors.ts';
import { decode } from '../decode.ts';
import { type Translation } from '../foreign.ts';
import { type Problem, error } from '../message.ts';
import { type Entry, type MappingNode, type Node, type Position, mapping, printPath, wholeSource } from '../tree.ts';
import { parseYaml } from '../yaml.ts';
import { schema } from './schema.ts';
import { type AgentWorld, translate } from './translate.ts';

/** One translation of all files. */
export function readAgentConfig(
  files: readonly { readonly source: string; readonly text: string }[],
  world: AgentWorld,
): Translation {
  const problems: Problem[] = [];
  let root: MappingNode | undefined;
  for (const file of files) {
    const parsed = parseStrict(file);
    if ('severity' in parsed) problems.push(parsed);
    else root = root ? unite(root, parsed, { path: [], problems }) : parsed;
  }
  const none = { root: undefined, keys: new Map<string, string>() };
  if (!root || problems.length > 0) return { ...none, problems };
  const decoded = decode(root, schema, { path: [], position: wholeSource(root.position.source) });
  const told = decoded.problems.map(inAgentsWords);
  if (!decoded.value) return { ...none, problems: told };
  const translation = translate(decoded.value, root, world);
  return { ...translation, problems: [...told, ...translation.problems] };
}

/** JSON only: the agent takes neither comments nor trailing commas. YAML, of which JSON is a part, gives the positions. */
function parseStrict({ source, text }: { readonly source: string; readonly text: string }): MappingNode | Problem {
  const json = text.replace(/^\uFEFF/, '');
  try {
    parseJson(json);
  } catch (cause) {
    if (!(cause instanceof RaybridgeError)) throw cause;
    const hints = json.trimStart().startsWith('{') ? [] : ['the file must start with {'];
    const complaint = cause.place?.complaint ?? cause.message;
    return error(positionAt(json, cause.place?.offset ?? 0, source), '', `is not JSON: ${complaint}`, { hints });
  }
  const { root, problems } = parseYaml(json, { source });
  if (root?.kind === 'mapping') return root;
  return problems[0] ?? error(wholeSource(source), '', 'expected an object at the top');
}

function positionAt(text: string, offset: number, source: string): Position {
  const before = text.slice(0, offset).split('\n');
  return { source, line: before.length, column: (before.at(-1)?.length ?? 0) + 1, length: 1 };
}

interface Union {
  readonly path: readonly string[];
  readonly problems: Problem[];
}

/** A value that two files have must be the same in both; the lists of `otlp` are put together (3.6). */
function unite(one: MappingNode, other: MappingNode, union: Union): MappingNode {
  const entries = new Map<string, Entry>(one.entries);
  for (const [name, entry] of other.entries) {
    const known = entries.get(name);
    const path = [...union.path, name];
    entries.set(name, known ? { ...entry, value: uniteValues(known.value, entry, { ...union, path }) } : entry);
  }
  return mapping(one.position, entries);
}

function uniteValues(one: Node, { position, value: other }: Entry, union: Union): Node {
  const name = union.path.at(-1) ?? '';
  if (name === 'otlp' && union.path.at(-2) === 'traces_collected') {
    const items = [one, other].flatMap((node) => (node.kind === 'list' ? node.items : [node]));
    return { kind: 'list', position, expanded: undefined, items };
  }
  if (one.kind === 'mapping' && other.kind === 'mapping') return unite(one, other, union);
  if (textOf(one) === textOf(other)) return other;
  union.problems.push(
    error(position, printPath(union.path), `has another value in ${one.position.source} (line ${one.position.line})`, {
      original: `Under path : /${union.path.join('/')} | Error : Different values are specified for ${name}`,
    }),
  );
  return other;
}

function textOf(node: Node): string {
  if (node.kind === 'scalar') return JSON.stringify(String(node.value));
  if (node.kind === 'list') return `[${node.items.map(textOf).join()}]`;
  return `{${[...node.entries].map(([name, { value }]) => `${name}:${textOf(value)}`).join()}}`;
}

function inAgentsWords(found: Problem): Problem {
  if (found.severity !== 'error') return found;
  const place = found.path.split('.').slice(0, -1).join('/');
  const what =
    found.text === 'unknown key' ? `Additional property ${found.path.split('.').at(-1)} is not allowed` : found.text;
  return { ...found, original: `Under path : /${place} | Error : ${what}` };
}
