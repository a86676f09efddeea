import { parseDuration } from '../../config/schema.ts';
import { suggest } from '../../config/suggest.ts';
import { compilePattern, type TextPattern } from '../regex.ts';
import { textOf } from '../text.ts';
import { OttlError } from './lex.ts';
import type { Value } from './parse.ts';
import type { OttlContext, OttlValue } from './paths.ts';

type Call = (args: readonly OttlValue[], context: OttlContext) => OttlValue;

interface Definition {
  readonly arity: readonly [min: number, max: number];
  /** Made once for each call in a condition, with its literal arguments. */
  readonly make: (literals: readonly (OttlValue | undefined)[], offset: number) => Call;
}

const plain = (arity: number | readonly [number, number], call: Call): Definition => ({
  arity: typeof arity === 'number' ? [arity, arity] : arity,
  make: () => call,
});

const millisecond = 1_000_000n;

/** The converters of OTTL that conditions use; the names are the language's. */
const definitions: ReadonlyMap<string, Definition> = new Map<string, Definition>([
  ['IsMatch', { arity: [2, 2], make: isMatch }],
  ['IsRootSpan', plain(0, (_, { span }) => span.parentSpanId === undefined)],
  ['IsString', plain(1, ([value]) => typeof value === 'string')],
  ['IsInt', plain(1, ([value]) => typeof value === 'bigint')],
  ['IsDouble', plain(1, ([value]) => typeof value === 'number')],
  ['IsBool', plain(1, ([value]) => typeof value === 'boolean')],
  ['IsMap', plain(1, ([value]) => value instanceof Map)],
  ['IsList', plain(1, ([value]) => Array.isArray(value))],
  ['Len', plain(1, ([value]) => lengthOf(value))],
  [
    'Concat',
    plain(2, ([list, separator]) => (Array.isArray(list) ? list.map(asText).join(asText(separator)) : undefined)),
  ],
  ['Int', plain(1, ([value]) => toInt(value))],
  ['Double', plain(1, ([value]) => toDouble(value))],
  ['String', plain(1, ([value]) => (value === undefined ? undefined : asText(value)))],
  ['ToLowerCase', plain(1, ([value]) => (typeof value === 'string' ? value.toLowerCase() : value))],
  ['ToUpperCase', plain(1, ([value]) => (typeof value === 'string' ? value.toUpperCase() : value))],
  ['ConvertCase', plain(2, ([value, how]) => (typeof value === 'string' ? convertCase(value, asText(how)) : value))],
  ['HasPrefix', plain(2, ([value, prefix]) => typeof value === 'string' && value.startsWith(asText(prefix)))],
  ['HasSuffix', plain(2, ([value, suffix]) => typeof value === 'string' && value.endsWith(asText(suffix)))],
  ['Substring', plain(3, ([value, start, length]) => substring(value, start, length))],
  ['Split', plain(2, ([value, separator]) => (typeof value === 'string' ? value.split(asText(separator)) : undefined))],
  ['TraceID', plain(1, ([value]) => (value instanceof Uint8Array ? value : undefined))],
  ['SpanID', plain(1, ([value]) => (value instanceof Uint8Array ? value : undefined))],
  ['Duration', plain(1, ([value]) => BigInt(Math.round((parseDuration(asText(value)) ?? 0) * 1e6)))],
  ['Seconds', plain(1, ([value]) => (typeof value === 'bigint' ? Number(value) / 1e9 : undefined))],
  ['Milliseconds', plain(1, ([value]) => (typeof value === 'bigint' ? value / millisecond : undefined))],
  ['UnixNano', plain(1, ([value]) => (typeof value === 'bigint' ? value : undefined))],
]);

/** @throws OttlError: there is no such function here, or it takes other arguments. */
export function callOf({ name, args, offset }: Extract<Value, { kind: 'call' }>): Call {
  const definition = definitions.get(name);
  if (!definition) {
    const [near] = suggest(name, definitions.keys());
    throw new OttlError(
      `function ${name} is not implemented by Raybridge${near === undefined ? '' : `; did you mean ${near}?`}`,
      offset,
    );
  }
  const [min, max] = definition.arity;
  if (args.length < min || args.length > max) {
    throw new OttlError(
      `${name} takes ${min === max ? min : `${min} to ${max}`} arguments, got ${args.length}`,
      offset,
    );
  }
  return definition.make(
    args.map((argument) => (argument.kind === 'literal' ? argument.value : undefined)),
    offset,
  );
}

function isMatch([, literal]: readonly (OttlValue | undefined)[], offset: number): Call {
  const compile = (source: string): TextPattern => {
    try {
      return compilePattern(source);
    } catch (error) {
      throw new OttlError(
        `${JSON.stringify(source)} is no regular expression: ${error instanceof Error ? error.message : ''}`,
        offset,
      );
    }
  };
  const fixed = typeof literal === 'string' ? compile(literal) : undefined;
  return ([value, source]) => value !== undefined && (fixed ?? compile(asText(source))).test(asText(value));
}

function asText(value: OttlValue): string {
  return Array.isArray(value)
    ? JSON.stringify(value.map(asText))
    : textOf(value as Exclude<OttlValue, readonly OttlValue[]>);
}

function lengthOf(value: OttlValue): OttlValue {
  if (value instanceof Map) return BigInt(value.size);
  if (typeof value === 'string') return BigInt(Buffer.byteLength(value));
  return Array.isArray(value) || value instanceof Uint8Array ? BigInt(value.length) : undefined;
}

function toInt(value: OttlValue): OttlValue {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'boolean') return value ? 1n : 0n;
  if (typeof value === 'number') return Number.isFinite(value) ? BigInt(Math.trunc(value)) : undefined;
  return typeof value === 'string' && /^[-+]?\d{1,19}$/.test(value) ? BigInt(value) : undefined;
}

function toDouble(value: OttlValue): OttlValue {
  if (typeof value === 'bigint' || typeof value === 'boolean') return Number(value);
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && !Number.isNaN(number) ? number : undefined;
}

function convertCase(text: string, how: string): string {
  if (how === 'lower') return text.toLowerCase();
  if (how === 'upper') return text.toUpperCase();
  const words = text.split(/[\s_-]+|(?<=[a-z0-9])(?=[A-Z])/).filter(Boolean);
  if (how === 'snake') return words.map((word) => word.toLowerCase()).join('_');
  return words.map((word) => `${word.charAt(0).toUpperCase()}${word.slice(1).toLowerCase()}`).join('');
}

function substring(value: OttlValue, start: OttlValue, length: OttlValue): OttlValue {
  if (typeof value !== 'string' || typeof start !== 'bigint' || typeof length !== 'bigint') return undefined;
  return value.slice(Number(start), Number(start + length));
}
