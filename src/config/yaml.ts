/**
 * YAML text to a positioned tree, by the rules of Go's yaml.v3, which the Collector uses: only
 * `true` and `false` are booleans, `0123` is octal, a repeated key is an error, anchors and `<<`
 * work (specification: configuration 1.1).
 *
 * The library parses with its failsafe schema, in which every scalar is text; what a plain scalar
 * means is decided here. Nesting and aliases are bounded before anything recursive walks them.
 */
import { type CST, Composer, LineCounter, Parser, isAlias, isMap, isScalar, isSeq } from 'yaml';
import type { Alias, Pair, Scalar as YamlScalar, YAMLMap } from 'yaml';
import { mergeNodes } from './merge.ts';
import { type Problem, error } from './message.ts';
import { type Entry, type Node, type Position, type Scalar, mapping, scalar } from './tree.ts';

const textCharactersMax = 1024 * 1024;
const nestingDepthMax = 100;
/** Nodes of one document after its aliases are followed. */
const nodesMax = 200_000;

export interface YamlDocument {
  /** Undefined when the text has errors. An empty text is a null scalar. */
  readonly root: Node | undefined;
  readonly problems: readonly Problem[];
}

export interface YamlOptions {
  readonly source: string;
  /** Every position is this one: the text came from there, not from a file. */
  readonly at?: Position;
  /** Values of a key that stands twice in a mapping become a list; it is an error unless told. */
  readonly repeatedKeys?: 'list';
}

/** Parses one document. */
export function parseYaml(text: string, { source, at, repeatedKeys }: YamlOptions): YamlDocument {
  const lines = new LineCounter();
  const place = at ? () => at : (start: number, end: number) => positionOf(text, lines, { source, start, end });
  if (text.length > textCharactersMax) {
    return refused(error(place(0, 0), '', `has more than ${textCharactersMax} characters`));
  }
  const tokens = [...new Parser(lines.addNewLine).parse(text)];
  const tooDeep = offsetBelowDepth(tokens, nestingDepthMax);
  if (tooDeep !== undefined) {
    return refused(error(place(tooDeep, tooDeep + 1), '', `is nested more than ${nestingDepthMax} levels deep`));
  }
  // Repeated keys are found here too, since the library compares each key with all others.
  const composer = new Composer({ schema: 'failsafe', uniqueKeys: false, prettyErrors: false });
  const documents = [...composer.compose(tokens)];
  // What follows the first syntax error is mostly its consequence.
  const found = documents.flatMap((document) => document.errors)[0];
  if (found) return refused(error(place(...found.pos), '', syntaxText(found.code, found.message)));
  const second = documents.slice(1).find(({ contents }) => contents && !isEmptyScalar(contents));
  if (second) return refused(secondDocument(place(second.range[0], second.range[0] + '---'.length)));
  return convertDocument(documents[0]?.contents, place, repeatedKeys);
}

/** The meaning of a plain scalar. */
export function resolvePlain(text: string): Scalar {
  if (nulls.has(text)) return null;
  if (booleans.has(text)) return text.toLowerCase() === 'true';
  if (/^[-+.\d]/.test(text)) return resolveNumber(text.replaceAll('_', '')) ?? text;
  return text;
}

type Place = (start: number, end: number) => Position;

const nulls: ReadonlySet<string> = new Set(['', '~', 'null', 'Null', 'NULL']);
const booleans: ReadonlySet<string> = new Set(['true', 'True', 'TRUE', 'false', 'False', 'FALSE']);
const integerPattern = /^([-+]?)(0[xX][\da-fA-F]+|0[oO]?[0-7]+|0[bB][01]+|0|[1-9]\d*)$/;
const floatPattern = /^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/;
const numberDigitsMax = 400;
const specialFloats: ReadonlyMap<string, number> = new Map(
  Object.entries({ '.inf': Infinity, '+.inf': Infinity, '-.inf': -Infinity, '.nan': NaN }),
);

function resolveNumber(text: string): number | bigint | undefined {
  if (text.length > numberDigitsMax) return undefined;
  const parts = integerPattern.exec(text);
  if (parts) {
    const digits = (parts[2] ?? '').replace(/^0[oO]?(?=[0-7])/, '0o');
    const whole = parts[1] === '-' ? -BigInt(digits) : BigInt(digits);
    if (whole >= BigInt(Number.MIN_SAFE_INTEGER) && whole <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(whole);
    if (BigInt.asIntN(64, whole) === whole || BigInt.asUintN(64, whole) === whole) return whole;
  }
  if (floatPattern.test(text)) return Number(text);
  return specialFloats.get(text.toLowerCase());
}

function refused(problem: Problem): YamlDocument {
  return { root: undefined, problems: [problem] };
}

function positionOf(
  text: string,
  lines: LineCounter,
  { source, start, end }: { readonly source: string; readonly start: number; readonly end: number },
): Position {
  const { line, col } = lines.linePos(start);
  const lineEnd = text.indexOf('\n', start);
  const last = Math.min(end, lineEnd < 0 ? text.length : lineEnd);
  return { source, line: Math.max(line, 1), column: Math.max(col, 1), length: Math.max(last - start, 1) };
}

/** Where the first collection deeper than `depthMax` begins. Walks without recursion, since the text may be hostile. */
function offsetBelowDepth(tokens: readonly CST.Token[], depthMax: number): number | undefined {
  const waiting = tokens.map((token) => ({ token, depth: 0 }));
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { token, depth } = next;
    if (depth > depthMax) return token.offset;
    if (token.type === 'document' && token.value) waiting.push({ token: token.value, depth });
    if (!('items' in token)) continue;
    for (const item of token.items) {
      for (const part of [item.key, item.value]) if (part) waiting.push({ token: part, depth: depth + 1 });
    }
  }
  return undefined;
}

function syntaxText(code: string, message: string): string {
  return syntaxTexts.get(code) ?? `is not valid YAML: ${message}`;
}

const syntaxTexts: ReadonlyMap<string, string> = new Map([
  ['TAB_AS_INDENT', 'tab character in indentation; YAML allows blanks only'],
  [
    'BLOCK_AS_IMPLICIT_KEY',
    'is not valid YAML: a mapping cannot begin here; is a quote missing around a value with ": "?',
  ],
]);

function secondDocument(position: Position): Problem {
  return error(position, '', 'a second YAML document begins here; a configuration is one document', {
    hints: ['pass each document as its own --config'],
  });
}

function convertDocument(contents: unknown, place: Place, repeatedKeys: 'list' | undefined): YamlDocument {
  if (!contents) return { root: scalar(place(0, 0), null), problems: [] };
  const conversion: Conversion = { place, repeatedKeys, problems: [], anchors: new Map(), nodes: 0 };
  const root = convert(contents, conversion, { nestKeys: true });
  if (conversion.nodes > nodesMax) {
    conversion.problems.push(
      error(root.position, '', `holds more than ${nodesMax} values after its aliases are followed`),
    );
  }
  return { root: conversion.problems.length > 0 ? undefined : root, problems: conversion.problems };
}

/** The state of one document's conversion; changed in place by the functions below only. */
interface Conversion {
  readonly place: Place;
  readonly repeatedKeys: 'list' | undefined;
  readonly problems: Problem[];
  /** With the number of nodes each anchored value holds, so that aliases of aliases are counted in full. */
  readonly anchors: Map<string, { readonly node: Node; readonly size: number }>;
  nodes: number;
}

/** `nestKeys`: `::` in keys nests, though not in mappings inside a list. */
interface Rules {
  readonly nestKeys: boolean;
}

function convert(node: unknown, conversion: Conversion, rules: Rules): Node {
  if (isAlias(node)) return followAlias(node, conversion);
  const before = conversion.nodes;
  conversion.nodes += 1;
  const converted = convertContent(node, conversion, rules);
  const anchor = isMap(node) || isSeq(node) || isScalar(node) ? node.anchor : undefined;
  if (anchor) conversion.anchors.set(anchor, { node: converted, size: conversion.nodes - before });
  return converted;
}

function convertContent(node: unknown, conversion: Conversion, rules: Rules): Node {
  if (isMap(node)) return convertMap(node, conversion, rules);
  if (isSeq(node)) {
    const items = node.items.map((item) => convert(item, conversion, { nestKeys: false }));
    return { kind: 'list', position: placeOf(node, conversion), expanded: undefined, items };
  }
  if (isScalar(node)) return scalar(placeOf(node, conversion), scalarValue(node));
  return scalar(conversion.place(0, 0), null);
}

function placeOf({ range }: { range?: readonly [number, number, number] | null }, { place }: Conversion): Position {
  return range ? place(range[0], range[1]) : place(0, 0);
}

function followAlias(alias: Alias, conversion: Conversion): Node {
  const anchor = conversion.anchors.get(alias.source);
  if (anchor) {
    conversion.nodes += anchor.size;
    return anchor.node;
  }
  const position = placeOf(alias, conversion);
  const hints = [`to mean the text itself, put it in quotes: "*${alias.source}"`];
  conversion.problems.push(error(position, '', `no anchor "&${alias.source}" stands before this alias`, { hints }));
  return scalar(position, null);
}

function scalarValue(node: YamlScalar): Scalar {
  const text = String(node.value ?? '');
  if (node.tag === 'tag:yaml.org,2002:str' || node.tag === '!') return text;
  return node.type === 'PLAIN' || node.tag !== undefined ? resolvePlain(text) : text;
}

function convertMap(map: YAMLMap, conversion: Conversion, rules: Rules): Node {
  const entries = new Map<string, Entry>();
  const keys = new Map<string, Position>();
  const merged: Node[] = [];
  for (const pair of map.items) {
    const key = convertKey(pair, conversion);
    if (!key) continue;
    const value = convert(pair.value, conversion, rules);
    const before = conversion.repeatedKeys === 'list' ? entries.get(key.name) : undefined;
    if (before) {
      entries.set(key.name, { position: before.position, value: listOf(before.value, value) });
      continue;
    }
    if (key.merges) merged.push(...mergedMappings(value, conversion));
    else putEntry(entries, rules.nestKeys ? nesting(key.name) : [key.name], entryOf(key.position, value, pair));
    const first = keys.get(key.name);
    if (first) conversion.problems.push(repeatedKey(key.name, key.position, first));
    else keys.set(key.name, key.position);
  }
  // An explicit key wins over a merged one wherever it stands; among merged mappings the first wins.
  for (const source of merged) {
    if (source.kind !== 'mapping') continue;
    for (const [name, entry] of source.entries) if (!entries.has(name)) entries.set(name, entry);
  }
  return mapping(placeOf(map, conversion), entries);
}

/** One list of both, which may be lists themselves. */
function listOf(one: Node, other: Node): Node {
  const items = [one, other].flatMap((node) => (node.kind === 'list' ? node.items : [node]));
  return { kind: 'list', position: one.position, expanded: undefined, items };
}

interface Key {
  readonly name: string;
  readonly position: Position;
  /** The key is `<<` without quotes. */
  readonly merges: boolean;
}

function convertKey({ key }: Pair, conversion: Conversion): Key | undefined {
  const node = isAlias(key) ? followAlias(key, conversion) : undefined;
  if (node?.kind === 'scalar') return { name: String(node.value), position: node.position, merges: false };
  if (isScalar(key)) {
    const name = String(key.value ?? '');
    return { name, position: placeOf(key, conversion), merges: name === '<<' && key.type === 'PLAIN' };
  }
  const position = isMap(key) || isSeq(key) ? placeOf(key, conversion) : conversion.place(0, 0);
  conversion.problems.push(error(position, '', 'a key must be plain text, not a list or mapping'));
  return undefined;
}

/** An absent value has no place of its own; messages about it point at the key. */
function entryOf(position: Position, value: Node, pair: Pair): Entry {
  if (pair.value !== null && !isEmptyScalar(pair.value)) return { position, value };
  return { position, value: { ...value, position } };
}

/** `a::b` stands for `b` inside `a`. */
function nesting(name: string): readonly string[] {
  const steps = name.split('::');
  return steps.every((step) => step !== '') ? steps.slice(0, nestingDepthMax) : [name];
}

function putEntry(entries: Map<string, Entry>, [name = '', ...inner]: readonly string[], entry: Entry): void {
  const put = inner.length === 0 ? entry : nestedEntry(name, inner, entry);
  const known = entries.get(name);
  entries.set(name, known ? { position: put.position, value: mergeNodes(known.value, put.value) } : put);
}

/** The entry of `a` for the key `a::b::c`, each step with its own place in the key. */
function nestedEntry(name: string, inner: readonly string[], { position, value }: Entry): Entry {
  const own = { ...position, length: name.length };
  const offset = name.length + '::'.length;
  const rest = { ...position, column: position.column + offset, length: Math.max(position.length - offset, 1) };
  const entries = new Map<string, Entry>();
  // An absent value stands where its key does.
  putEntry(entries, inner, {
    position: rest,
    value: value.position === position ? { ...value, position: rest } : value,
  });
  return { position: own, value: mapping(own, entries) };
}

function mergedMappings(value: Node, conversion: Conversion): readonly Node[] {
  const sources = value.kind === 'list' ? value.items : [value];
  const wrong = sources.find((source) => source.kind !== 'mapping');
  if (wrong) conversion.problems.push(error(wrong.position, '', '"<<" merges mappings only'));
  return sources;
}

function repeatedKey(name: string, position: Position, first: Position): Problem {
  return error(position, '', `the key "${name}" stands twice in this mapping, first in line ${first.line}`);
}

function isEmptyScalar(node: unknown): boolean {
  return isScalar(node) && node.source === '' && node.type === 'PLAIN';
}
