import type { AttributeValue, Attributes, JsonNumber, JsonObject, JsonValue } from '../model/index.ts';
import { attributeDepthMax, isJsonArray, isJsonNumber, isJsonObject } from '../model/index.ts';

/**
 * Attribute values as JSON, in two ways: plain, as a person wants to see them in annotations and
 * metadata, and as OTLP/JSON AnyValue, which loses nothing and is what the envelope holds.
 *
 * Plain JSON restores strings, booleans, int64, finite doubles, lists and maps. Bytes, the empty
 * value, NaN and the infinities come back as something else; the envelope remembers them.
 */

/** Plain JSON. Bytes become base64, NaN and the infinities their names, the empty value null. */
export function toJson(value: AttributeValue): JsonValue {
  if (value === undefined) return null;
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'bigint') return { literal: value.toString() };
  if (typeof value === 'number') return doubleToJson(value);
  if (value instanceof Uint8Array) return toBase64(value);
  if (isList(value)) return value.map(toJson);
  return attributesToJson(value);
}

export function attributesToJson(attributes: Attributes): JsonObject {
  const object = new Map<string, JsonValue>();
  for (const [key, value] of attributes) object.set(key, toJson(value));
  return object;
}

/** The inverse of toJson: a number without point and exponent that fits int64 is an int, any other a double. */
export function fromJson(value: JsonValue): AttributeValue {
  if (value === null) return undefined;
  if (isJsonNumber(value)) return toInt64(value) ?? Number(value.literal);
  if (isJsonArray(value)) return value.map(fromJson);
  if (isJsonObject(value)) return attributesFromJson(value);
  return value;
}

function attributesFromJson(object: JsonObject): Attributes {
  const attributes = new Map<string, AttributeValue>();
  for (const [key, value] of object) attributes.set(key, fromJson(value));
  return attributes;
}

/** The same; undefined also for a value that is deeper than OTLP takes them, which `report` hears. */
export function fromJsonWithin(value: JsonValue, report: (reason: string) => void): AttributeValue {
  const read = fromJson(value);
  if (!isDeeperThan(read, attributeDepthMax - 1)) return read;
  report(`expected at most ${attributeDepthMax} values inside each other`);
  return undefined;
}

const integerPattern = /^-?\d{1,19}$/;

/** The int64 of a number written without point and exponent; undefined for any other. */
export function toInt64(number: JsonNumber): bigint | undefined {
  if (!integerPattern.test(number.literal)) return undefined;
  const value = BigInt(number.literal);
  return BigInt.asIntN(64, value) === value ? value : undefined;
}

/** A whole double keeps a point (`5.0`), so that it does not come back as an int. */
function doubleToJson(value: number): JsonValue {
  if (!Number.isFinite(value)) return String(value);
  if (Object.is(value, -0)) return { literal: '-0.0' };
  const text = String(value);
  return { literal: Number.isInteger(value) && !text.includes('e') ? `${text}.0` : text };
}

/** OTLP/JSON AnyValue (OTLP specification, "JSON Protobuf Encoding"). The empty value is `{}`. */
export function toAnyValue(value: AttributeValue): JsonObject {
  if (value === undefined) return new Map();
  if (typeof value === 'string') return new Map([['stringValue', value]]);
  if (typeof value === 'boolean') return new Map([['boolValue', value]]);
  if (typeof value === 'bigint') return new Map([['intValue', value.toString()]]);
  if (typeof value === 'number') return new Map([['doubleValue', doubleToJson(value)]]);
  if (value instanceof Uint8Array) return new Map([['bytesValue', toBase64(value)]]);
  if (isList(value)) return new Map([['arrayValue', new Map([['values', value.map(toAnyValue)]])]]);
  return new Map([['kvlistValue', new Map([['values', toKeyValues(value)]])]]);
}

/** `[[key, AnyValue], …]`. */
function toKeyValues(attributes: Attributes): readonly JsonValue[] {
  return [...attributes].map(([key, value]) => [key, toAnyValue(value)]);
}

/** The value of an AnyValue, boxed because the empty value is a value too; undefined when it is none. */
export function fromAnyValue(any: JsonValue | undefined): { readonly value: AttributeValue } | undefined {
  if (!isJsonObject(any)) return undefined;
  const [entry] = any;
  if (!entry) return { value: undefined };
  const [type, content] = entry;
  const value = typedValue(type, content);
  return value === undefined ? undefined : { value };
}

function typedValue(type: string, content: JsonValue): AttributeValue {
  switch (type) {
    case 'stringValue':
      return typeof content === 'string' ? content : undefined;
    case 'boolValue':
      return typeof content === 'boolean' ? content : undefined;
    case 'intValue':
      return typeof content === 'string' ? toInt64({ literal: content }) : undefined;
    case 'doubleValue':
      return toDouble(content);
    case 'bytesValue':
      return typeof content === 'string' ? fromBase64(content) : undefined;
    case 'arrayValue':
      return valuesOf(content)?.map((value) => fromAnyValue(value)?.value);
    case 'kvlistValue':
      return fromKeyValues(valuesOf(content));
    default:
      return undefined;
  }
}

/** The inverse of toKeyValues; entries of another shape are left out. */
function fromKeyValues(entries: JsonValue | undefined): Attributes {
  const attributes = new Map<string, AttributeValue>();
  if (!isJsonArray(entries)) return attributes;
  for (const entry of entries) {
    if (!isJsonArray(entry) || typeof entry[0] !== 'string') continue;
    const boxed = fromAnyValue(entry[1]);
    if (boxed) attributes.set(entry[0], boxed.value);
  }
  return attributes;
}

/**
 * The value as a program sees it for which all JSON numbers are doubles: 5 and 5.0 are one number,
 * as are two that a double cannot tell apart. Members are sorted.
 */
export function asDoubles(value: AttributeValue): AttributeValue {
  if (typeof value === 'bigint') return asDoubles(Number(value));
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (isList(value)) return value.map(asDoubles);
  if (!isMap(value)) return value;
  const entries = [...value].sort(([a], [b]) => (a < b ? -1 : 1));
  return new Map(entries.map(([key, inner]) => [key, asDoubles(inner)]));
}

/** True when such a program gives the value back with its type: no int beyond 2^53, no double without a fraction. */
export function survivesDoubles(value: AttributeValue): boolean {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value));
  if (typeof value === 'number') return !Number.isInteger(value);
  if (isList(value)) return value.every(survivesDoubles);
  return !isMap(value) || [...value.values()].every(survivesDoubles);
}

function isMap(value: AttributeValue): value is Attributes {
  return value instanceof Map;
}

/** Lists and maps inside each other, counted no further than asked. */
export function isDeeperThan(value: AttributeValue, depth: number): boolean {
  if (typeof value !== 'object' || value instanceof Uint8Array) return false;
  if (depth === 0) return true;
  const inner = isList(value) ? value : [...value.values()];
  return inner.some((element) => isDeeperThan(element, depth - 1));
}

function valuesOf(content: JsonValue): readonly JsonValue[] | undefined {
  const values = isJsonObject(content) ? content.get('values') : undefined;
  return isJsonArray(values) ? values : undefined;
}

const namedDoubles: ReadonlyMap<JsonValue, number> = new Map([
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
]);

function toDouble(content: JsonValue): number | undefined {
  return isJsonNumber(content) ? Number(content.literal) : namedDoubles.get(content);
}

export function isList(value: AttributeValue): value is readonly AttributeValue[] {
  return Array.isArray(value);
}

function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

function fromBase64(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    // atob says no more than that the text is not base64, and that is the answer.
    return undefined;
  }
}
