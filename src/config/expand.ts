/**
 * Expansion of `${…}` in values, after all sources are merged (specification: configuration 1.2).
 *
 * A reference is found innermost first: the first `}` and the nearest `${` before it. What it gives
 * replaces it, and the text is searched again, so references may stand in references and in values.
 * A value that is one reference as a whole is read as YAML; its text is kept beside, since a member
 * that wants a string takes the text (`0123` stays `0123`) and any other the value (83).
 * `$$` becomes `$` at the very end.
 */
import { type Problem, error, info, warning } from './message.ts';
import { type World, fetchDocument, isScheme, nameOfUrl, readFile, unsupportedScheme } from './source.ts';
import {
  type Entry,
  type MappingNode,
  type Node,
  type Path,
  type Position,
  type ScalarNode,
  printPath,
} from './tree.ts';
import { parseYaml } from './yaml.ts';

/** References followed for one value as written, those inside of what they give included. */
const referencesMax = 1000;
const expandedCharactersMax = 4 * 1024 * 1024;

export interface Expansion {
  readonly root: MappingNode;
  readonly problems: readonly Problem[];
  /** Texts of the files and documents that references pulled in, by source name. */
  readonly sources: ReadonlyMap<string, string>;
}

/** Never rejects: what cannot be expanded is a problem, and null in the tree. */
export async function expandTree(root: MappingNode, world: World): Promise<Expansion> {
  const run: Run = { world, problems: [], sources: new Map(), told: new Set() };
  const entries = new Map<string, Entry>();
  for (const [name, { position, value }] of root.entries) {
    entries.set(name, { position, value: await expandNode(value, [name], { run, budget: undefined }) });
  }
  return { root: { ...root, entries }, problems: run.problems, sources: run.sources };
}

/** State of one expansion; changed in place by the functions of this file only. */
interface Run {
  readonly world: World;
  readonly problems: Problem[];
  readonly sources: Map<string, string>;
  /** Warnings are told once a variable. */
  readonly told: Set<string>;
}

interface Scope {
  readonly run: Run;
  /** Shared by everything that one value as written expands to; undefined above such a value. */
  readonly budget: Budget | undefined;
}

interface Budget {
  references: number;
}

async function expandNode(node: Node, path: Path, scope: Scope): Promise<Node> {
  if (node.kind === 'scalar') {
    return expandScalar(node, path, { run: scope.run, budget: scope.budget ?? { references: referencesMax } });
  }
  if (node.kind === 'list') {
    const items: Node[] = [];
    for (const [index, item] of node.items.entries()) items.push(await expandNode(item, [...path, index], scope));
    return { ...node, items };
  }
  const entries = new Map<string, Entry>();
  for (const [name, { position, value }] of node.entries) {
    entries.set(name, { position, value: await expandNode(value, [...path, name], scope) });
  }
  return { ...node, entries };
}

/** What references are resolved for, and what was learnt on the way. */
interface Reading {
  readonly run: Run;
  readonly budget: Budget;
  readonly position: Position;
  readonly path: string;
  unset: string | undefined;
}

async function expandScalar(
  node: ScalarNode,
  path: Path,
  scope: { readonly run: Run; readonly budget: Budget },
): Promise<Node> {
  if (typeof node.value !== 'string') return node;
  const reading: Reading = { ...scope, position: node.position, path: printPath(path), unset: undefined };
  warnOfBareVariable(node.value, reading);
  const found = await expandText(node.value, reading, { readWhole: true });
  if (found === undefined) return { ...node, value: null };
  if (typeof found === 'string') {
    const value = unescape(found);
    const expanded = found === node.value ? node.expanded : { text: value, unset: reading.unset };
    return { ...node, value, expanded };
  }
  const inner = await expandNode(found.value, path, scope);
  const text = await expandQuietly(found.text, reading);
  return { ...inner, expanded: { text: text === undefined ? undefined : unescape(text), unset: reading.unset } };
}

/** A reference that made up a whole value and gave something other than a string. */
interface Whole {
  readonly value: Node;
  /** As the reference gave it. */
  readonly text: string;
}

async function expandText(
  text: string,
  reading: Reading,
  { readWhole }: { readonly readWhole: boolean },
): Promise<string | Whole | undefined> {
  let current = text;
  for (let reference = findReference(current); reference; reference = findReference(current)) {
    reading.budget.references -= 1;
    if (reading.budget.references < 0) return fail(reading, 'too many recursive expansions');
    const retrieved = await retrieve(current.slice(reference.start + 2, reference.end - 1), reading);
    if (retrieved === undefined) return undefined;
    const whole = reference.start === 0 && reference.end === current.length;
    const value = whole && readWhole ? readValue(retrieved, reading) : undefined;
    if (value) return { value, text: retrieved.text };
    current = current.slice(0, reference.start) + retrieved.text + current.slice(reference.end);
    if (current.length > expandedCharactersMax)
      return fail(reading, `expands to more than ${expandedCharactersMax} characters`);
  }
  return current;
}

/** The text of a value for string members. Its trouble is nobody's as long as the value itself is fine. */
async function expandQuietly(text: string, reading: Reading): Promise<string | undefined> {
  const quiet: Reading = { ...reading, run: { ...reading.run, problems: [], sources: new Map(), told: new Set() } };
  const found = await expandText(text, quiet, { readWhole: false });
  return typeof found === 'string' ? found : undefined;
}

/** Offsets of the next reference, `${` and `}` included. */
function findReference(text: string): { readonly start: number; readonly end: number } | undefined {
  let from = 0;
  for (let close = text.indexOf('}'); close >= 0; close = text.indexOf('}', from)) {
    const start = text.lastIndexOf('${', close);
    if (start >= from && dollarsBefore(text, start) % 2 === 0) return { start, end: close + 1 };
    from = close + 1;
  }
  return undefined;
}

/** Each pair of dollars is an escaped one; an odd one before `${` makes it `$$` and `{`. */
function dollarsBefore(text: string, end: number): number {
  let start = end;
  while (start > 0 && text[start - 1] === '$') start -= 1;
  return end - start;
}

interface Retrieved {
  readonly text: string;
  /** Where positions in the text belong; undefined when it was not read from a file. */
  readonly source: string | undefined;
}

/** What a reference such as `env:NAME:-default` gives; undefined after a problem. */
async function retrieve(uri: string, reading: Reading): Promise<Retrieved | undefined> {
  if (!uri.includes(':')) return retrieveVariable(uri, reading);
  const [, scheme = '', opaque = ''] = /^([A-Za-z][A-Za-z0-9+.-]+):(.*)$/s.exec(uri) ?? [];
  if (/^[A-Za-z_]\w*:-/.test(uri)) return fail(reading, `\${${uri}} has no scheme`, [`write \${env:${uri}}`]);
  if (scheme === '') return fail(reading, `invalid uri: ${JSON.stringify(uri)}`);
  if (opaque.includes('$'))
    return fail(reading, `the uri ${JSON.stringify(uri)} contains unsupported characters ('$')`);
  if (!isScheme(scheme)) return fail(reading, unsupportedScheme(scheme, uri));
  if (scheme === 'env') return retrieveVariable(opaque, reading);
  if (scheme === 'yaml') return { text: opaque, source: undefined };
  return scheme === 'file' ? retrieveFile(opaque, reading) : retrieveDocument(uri, reading);
}

const variablePattern = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

function retrieveVariable(reference: string, reading: Reading): Retrieved | undefined {
  const separator = reference.indexOf(':-');
  const name = separator < 0 ? reference : reference.slice(0, separator);
  if (!variablePattern.test(name)) {
    return fail(
      reading,
      `environment variable ${JSON.stringify(name)} has invalid name: must match regex ${variablePattern.source}`,
      ['to mean the text itself, write $${…}'],
    );
  }
  const value = reading.run.world.env.get(name);
  if (value === '') tellEmpty(name, reading);
  if (value !== undefined) return { text: value, source: undefined };
  if (separator >= 0) return { text: reference.slice(separator + 2), source: undefined };
  tellUnset(name, reading);
  return { text: '', source: undefined };
}

async function retrieveFile(path: string, reading: Reading): Promise<Retrieved | undefined> {
  const text = await readFile(path, reading.run.world, reading.position);
  if (typeof text === 'string') {
    reading.run.sources.set(path, text);
    return { text, source: path };
  }
  reading.run.problems.push({ ...text, path: reading.path });
  return undefined;
}

async function retrieveDocument(url: string, reading: Reading): Promise<Retrieved | undefined> {
  const source = nameOfUrl(url);
  if (source === undefined) return fail(reading, 'expected a URL such as https://host/value.yaml');
  const text = await fetchDocument(url, reading.run.world, reading.position);
  if (typeof text === 'string') {
    reading.run.sources.set(source, text);
    return { text, source };
  }
  reading.run.problems.push({ ...text, path: reading.path });
  return undefined;
}

/** The text as YAML, unless it is a string or no YAML at all: then the text itself is the value. */
function readValue({ text, source }: Retrieved, { position }: Reading): Node | undefined {
  const { root } = parseYaml(text, source === undefined ? { source: position.source, at: position } : { source });
  return root?.kind === 'scalar' && typeof root.value === 'string' ? undefined : root;
}

function tellUnset(name: string, reading: Reading): void {
  reading.unset ??= name;
  const text = `references the environment variable ${name}, which is not set`;
  tellOnce(
    `unset ${name}`,
    reading,
    warning(reading.position, reading.path, text, {
      hints: [`give a default: \${env:${name}:-VALUE}`],
      original: 'Configuration references unset environment variable',
    }),
  );
}

function tellEmpty(name: string, reading: Reading): void {
  const text = `references the environment variable ${name}, which is empty`;
  tellOnce(`empty ${name}`, reading, info(reading.position, reading.path, text));
}

const bareVariablePattern = /^\$([A-Z_][A-Z0-9_]*)$/;

function warnOfBareVariable(value: string, reading: Reading): void {
  const name = bareVariablePattern.exec(value)?.[1];
  if (name === undefined || !reading.run.world.env.has(name)) return;
  const text = `"${value}" is taken literally; only braces expand`;
  tellOnce(
    `bare ${name}`,
    reading,
    warning(reading.position, reading.path, text, {
      hints: [`write \${env:${name}} for the variable, or $${value} for the text`],
    }),
  );
}

function tellOnce(key: string, { run }: Reading, problem: Problem): void {
  if (run.told.has(key)) return;
  run.told.add(key);
  run.problems.push(problem);
}

function fail(reading: Reading, text: string, hints: readonly string[] = []): undefined {
  reading.run.problems.push(error(reading.position, reading.path, text, { hints }));
  return undefined;
}

function unescape(text: string): string {
  return text.replaceAll('$$', '$');
}
