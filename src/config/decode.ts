/**
 * A positioned tree through a zod schema (specification: configuration 1.3).
 *
 * The tree is first turned into plain values with the schema in view, since what a node means
 * depends on who wants it: a member that takes a string gets the text of an expanded variable and
 * any other its value, null means "as if it were absent" or "an empty block", `a,b` is a list where a
 * list is wanted. Then zod judges, and each of its issues is brought back to its line.
 */
import { z } from 'zod';
import { type Problem, error, isSecretName, maskUserInfo, maskedText, problem, warning } from './message.ts';
import { marks } from './schema.ts';
import {
  acceptsNull,
  elementOf,
  isWholeNumber,
  knownKeys,
  layers,
  memberSchema,
  schemaAt,
  takesOtherKeys,
  takesText,
  unwrap,
} from './shape.ts';
import { renamedKeys, suggest } from './suggest.ts';
import {
  type MappingNode,
  type Node,
  type Path,
  type Position,
  isNull,
  keyPosition,
  nearest,
  printPath,
} from './tree.ts';

export interface Decoded<Output> {
  /** Undefined when there are errors. */
  readonly value: Output | undefined;
  readonly problems: readonly Problem[];
}

/** Decodes the node that stands at `path` of the whole configuration, under a key at `position`. */
export function decode<Schema extends z.ZodType>(
  node: Node,
  schema: Schema,
  { path, position }: { readonly path: Path; readonly position: Position },
): Decoded<z.output<Schema>> {
  const scope: Scope = { root: node, base: path, key: position, problems: [] };
  const input = toValue(node, schema, { scope, path: [] }) ?? {};
  // Words of the schema's own go before ours; zod's are not used.
  const result = schema.safeParse(input, { error: () => unworded });
  const problems = result.success
    ? scope.problems
    : [...scope.problems, ...result.error.issues.flatMap((issue) => issueProblems(issue, schema, scope))];
  const failed = problems.some(({ severity }) => severity === 'error');
  return { value: result.success && !failed ? result.data : undefined, problems };
}

const unworded = 'unworded';

interface Scope {
  readonly root: Node;
  /** Of `root` in the whole configuration. */
  readonly base: Path;
  /** Where `root` has its key. */
  readonly key: Position;
  /** Added to by `toValue` only. */
  readonly problems: Problem[];
}

/** The place of a value below the root of its scope. */
interface Site {
  readonly scope: Scope;
  readonly path: Path;
}

function toValue(node: Node, schema: z.ZodType | undefined, site: Site): unknown {
  const target = schema && unwrap(schema);
  if (isEmptied(node)) return zeroOf(target);
  const text = node.expanded?.text;
  if (text !== undefined && target && takesText(target)) return text;
  if (isNull(node)) return nullFor(schema);
  if (node.kind === 'mapping') return mappingValue(node, target, site);
  if (node.kind === 'list') {
    const element = target instanceof z.ZodArray ? elementOf(target) : undefined;
    return node.items.map((item, index) => toValue(item, element, { ...site, path: [...site.path, index] }) ?? null);
  }
  if (typeof node.value !== 'string') return node.value;
  warnOfPlaceholder(node.value, site);
  return target instanceof z.ZodArray ? splitAtCommas(node.value) : node.value;
}

function mappingValue(node: MappingNode, target: z.ZodType | undefined, site: Site): object {
  // No prototype: foreign keys such as `__proto__` are keys like others.
  const value: Record<string, unknown> = Object.create(null);
  for (const [name, entry] of node.entries) {
    const member = target && memberSchema(target, name);
    const path = [...site.path, name];
    if (member && tellMark(member, { ...site, path })) continue;
    if (!member && target && takesOtherKeys(target)) tellUnusedKey({ ...site, path });
    const inner = toValue(entry.value, member, { ...site, path });
    if (inner !== undefined) value[name] = inner;
    // A record has no default to fall back to; its schema must see that the value is missing.
    else if (target instanceof z.ZodRecord) value[name] = null;
  }
  return value;
}

/** A variable that was not set, or set to nothing, was the whole value. */
function isEmptied(node: Node): boolean {
  return isNull(node) && node.expanded !== undefined;
}

/** What an emptied value is for its target: never the component's default (specification: configuration 1.2). */
function zeroOf(target: z.ZodType | undefined): unknown {
  if (target instanceof z.ZodObject || target instanceof z.ZodRecord) return {};
  if (target instanceof z.ZodArray) return [];
  if (target instanceof z.ZodBoolean) return false;
  if (target instanceof z.ZodNumber) return 0;
  return '';
}

/** Null leaves a member at its default and turns an optional block on. */
function nullFor(schema: z.ZodType | undefined): unknown {
  if (!schema || acceptsNull(schema)) return null;
  return unwrap(schema) instanceof z.ZodObject ? {} : undefined;
}

function splitAtCommas(text: string): readonly string[] {
  return text === '' ? [] : text.split(',').map((part) => part.trim());
}

/** Tells of a marked key; true when it must not reach the schema because it is refused. */
function tellMark(schema: z.ZodType, { scope, path }: Site): boolean {
  const mark = layers(schema)
    .map((layer) => marks.get(layer))
    .find((found) => found !== undefined);
  if (!mark) return false;
  const severity = ({ none: 'debug', warning: 'warning', refused: 'error' } as const)[mark.effect];
  scope.problems.push(problem(severity, keyPosition(scope.root, path), printPath([...scope.base, ...path]), mark.text));
  return mark.effect === 'refused';
}

function tellUnusedKey({ scope, path }: Site): void {
  const name = printPath([...scope.base, ...path]);
  scope.problems.push(warning(keyPosition(scope.root, path), name, 'unknown key; it has no effect'));
}

const placeholderPattern = /^<[^<>]+>$/;

function warnOfPlaceholder(text: string, { scope, path }: Site): void {
  if (!placeholderPattern.test(text)) return;
  const name = printPath([...scope.base, ...path]);
  scope.problems.push(
    warning(nearest(scope.root, path).position, name, `${JSON.stringify(text)} looks like a placeholder`),
  );
}

type Issue = z.core.$ZodIssue;

function issueProblems(issue: Issue, schema: z.ZodType, scope: Scope): readonly Problem[] {
  const path = issue.path.map((step) => (typeof step === 'number' ? step : String(step)));
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => unknownKey([...path, key], schema, scope));
  }
  if (issue.code === 'invalid_union') {
    const best = likeliestBranch(issue.errors);
    if (best)
      return best.flatMap((inner) => issueProblems({ ...inner, path: [...issue.path, ...inner.path] }, schema, scope));
  }
  return [valueProblem(issue, path, schema, scope)];
}

/** The branch that got furthest into the value; undefined when none took even its kind. */
function likeliestBranch(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  const entered = branches.filter((branch) =>
    branch.some(({ path, code }) => path.length > 0 || code !== 'invalid_type'),
  );
  return entered.toSorted((a, b) => a.length - b.length)[0];
}

function unknownKey(path: Path, schema: z.ZodType, { root, base }: Scope): Problem {
  const name = String(path.at(-1));
  const block = path.slice(0, -1);
  const target = schemaAt(schema, block);
  const parent = block.length > 0 ? schemaAt(schema, block.slice(0, -1)) : undefined;
  const proposals = target
    ? proposeKeys(name, target, parent && { target: parent, name: printPath(block.slice(0, -1)) })
    : [];
  const known = target ? knownKeys(target) : [];
  const hints = [
    ...didYouMean(proposals),
    ...(proposals.length === 0 && known.length > 0 ? [`known keys: ${known.join(', ')}`] : []),
  ];
  return error(keyPosition(root, path), printPath([...base, ...path]), 'unknown key', {
    hints,
    original: `'${block.join('::')}' has invalid keys: ${name}`,
  });
}

interface Block {
  readonly target: z.ZodType;
  readonly name: string;
}

/** Where a key belongs: in the same block under a near name, in a block beside it, or under its new name. */
function proposeKeys(name: string, target: z.ZodType, parent: Block | undefined): readonly string[] {
  const keys = knownKeys(target);
  const near = suggest(name, keys);
  if (near.length > 0) return near;
  const renamed = renamedKeys.get(name);
  if (renamed !== undefined && keys.includes(renamed)) return [renamed];
  const inside = keys.filter((key) => knownKeys(innerBlock(target, key)).includes(name)).map((key) => `${key}.${name}`);
  if (inside.length > 0) return inside.slice(0, 3);
  return parent && knownKeys(parent.target).includes(name)
    ? [`${parent.name === '' ? '' : `${parent.name}.`}${name}`]
    : [];
}

function innerBlock(target: z.ZodType, key: string): z.ZodType {
  const member = memberSchema(target, key);
  return member ? unwrap(member) : target;
}

export function didYouMean(proposals: readonly string[]): readonly string[] {
  if (proposals.length === 0) return [];
  return [`did you mean ${proposals.map((proposal) => JSON.stringify(proposal)).join(' or ')}?`];
}

function valueProblem(issue: Issue, path: Path, schema: z.ZodType, { root, base, key }: Scope): Problem {
  const node = nearest(root, path);
  const fullPath = [...base, ...path];
  const name = printPath(fullPath);
  const unset = node.expanded?.unset;
  if (unset !== undefined && isEmptyValue(node)) {
    return error(node.position, name, `is empty because environment variable ${unset} is not set`, {
      hints: [`give a default: \${env:${unset}:-${defaultText(schema, path)}}`],
    });
  }
  const missing = issue.message === unworded && !has(root, path);
  const owner = missing ? path.slice(0, -1) : path;
  const ownerPosition = missing ? keyPosition(root, owner) : node.position;
  // A mapping as a whole begins at its first key, which is not to blame.
  const position = owner.length === 0 && root.kind === 'mapping' ? key : ownerPosition;
  if (missing) return error(position, name, 'is required');
  const secret = fullPath.some((step) => typeof step === 'string' && isSecretName(step));
  const whole = isWholeNumber(schemaAt(schema, path));
  const { text, hints } = issueText(issue, { node: secret ? undefined : node, whole });
  return error(position, name, secret ? withoutValue(text) : maskUserInfo(text), { hints });
}

function isEmptyValue(node: Node): boolean {
  return isNull(node) || (node.kind === 'scalar' && node.value === '');
}

function has(root: Node, path: Path): boolean {
  if (path.length === 0) return true;
  const parent = nearest(root, path.slice(0, -1));
  const step = path.at(-1);
  if (parent.kind === 'mapping') return parent.entries.has(String(step));
  return parent.kind === 'list' ? typeof step === 'number' && step < parent.items.length : true;
}

function defaultText(schema: z.ZodType, path: Path): string {
  const block = schemaAt(schema, path.slice(0, -1));
  const member = block && memberSchema(block, String(path.at(-1)));
  const withDefault = member && layers(member).find((layer) => layer instanceof z.ZodDefault);
  const value: unknown = withDefault?.def.defaultValue;
  return typeof value === 'string' && value !== '' ? value : 'VALUE';
}

interface Sentence {
  readonly text: string;
  readonly hints?: readonly string[];
}

interface Found {
  /** Undefined when its value must not be shown. */
  readonly node: Node | undefined;
  /** The member is a whole number. */
  readonly whole: boolean;
}

function issueText(issue: Issue, { node, whole }: Found): Sentence & { readonly hints: readonly string[] } {
  const got = node ? shown(node) : maskedText;
  const sentence = (): Sentence => {
    if (issue.message !== unworded) return { text: issue.message };
    switch (issue.code) {
      case 'invalid_type': {
        const expected = whole ? 'int' : issue.expected;
        return { text: `expected ${article(expected)}, got ${got}`, hints: typeHints(expected, node) };
      }
      case 'invalid_value': {
        const values = issue.values.map(String);
        const value = node?.kind === 'scalar' ? String(node.value) : '';
        return { text: `expected ${oneOf(values)}, got ${got}`, hints: didYouMean(suggest(value, values)) };
      }
      case 'too_small':
        return {
          text: `must be ${issue.inclusive ? 'at least' : 'more than'} ${issue.minimum}${unitOf(issue.origin)}, got ${got}`,
        };
      case 'too_big':
        return {
          text: `must be ${issue.inclusive ? 'at most' : 'less than'} ${issue.maximum}${unitOf(issue.origin)}, got ${got}`,
        };
      default:
        return { text: `expected another kind of value, got ${got}` };
    }
  };
  return { hints: [], ...sentence() };
}

/** Messages of schemas quote the value last. */
function withoutValue(text: string): string {
  return text.replace(/"(?:[^"\\]|\\.)*"/g, maskedText);
}

const shownCharactersMax = 80;

function shown(node: Node): string {
  if (node.kind !== 'scalar') return `a ${node.kind}`;
  if (typeof node.value !== 'string') return String(node.value);
  const { value } = node;
  return JSON.stringify(value.length > shownCharactersMax ? `${value.slice(0, shownCharactersMax)}…` : value);
}

function typeHints(expected: string, node: Node | undefined): readonly string[] {
  if (node?.kind !== 'scalar') return [];
  const { value } = node;
  if (expected === 'boolean' && typeof value === 'string') {
    const meant = booleanWords.get(value.toLowerCase());
    if (meant !== undefined) return [`write ${meant}`];
  }
  if (expected === 'string' && value !== null) return [`write it in quotes: "${String(value)}"`];
  if (isNumeric(expected) && typeof value === 'string' && value !== '' && Number.isFinite(Number(value))) {
    return [`write ${value} without quotes`];
  }
  return [];
}

const booleanWords: ReadonlyMap<string, string> = new Map(
  Object.entries({ yes: 'true', on: 'true', true: 'true', no: 'false', off: 'false', false: 'false' }),
);

function isNumeric(expected: string): boolean {
  return expected === 'number' || expected === 'int';
}

function article(expected: string): string {
  return typeNames.get(expected) ?? `a ${expected}`;
}

const typeNames: ReadonlyMap<string, string> = new Map(
  Object.entries({
    object: 'a mapping',
    record: 'a mapping',
    array: 'a list',
    int: 'a whole number',
    boolean: 'true or false',
  }),
);

function oneOf(values: readonly string[]): string {
  return values.length === 1 ? String(values[0]) : `one of ${values.filter((value) => value !== '').join(', ')}`;
}

function unitOf(origin: string): string {
  if (origin === 'string') return ' characters long';
  return origin === 'array' ? ' items long' : '';
}
