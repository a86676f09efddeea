import type { AttributeValue, Attributes, JsonNumber, JsonObject, JsonValue, Span } from '../../model/index.ts';
import type { JsonText } from '../section.ts';
import { isList, toJson } from '../values.ts';

/**
 * What the sections of the Collector's document share. The documents of this folder are those of
 * the OpenTelemetry Collector's awsxrayexporter, its faults included: for people who compare, and
 * for those who must not notice the change. docs/collector-compatibility.md lists what differs
 * from our own mapping, and what is not imitated.
 */

/** A span while the exporter's document of it is made. */
export interface CollectorView {
  readonly span: Span;
  /**
   * The attributes that no section has taken yet. A section takes what it knows, whether the
   * document shows it or not; what nobody takes becomes annotations and metadata.
   */
  readonly rest: Map<string, AttributeValue>;
  readonly json: JsonText;
}

/** The string of that name; a value of any other type counts as the empty one. */
export function textIn(attributes: Attributes, key: string): string {
  const value = attributes.get(key);
  return typeof value === 'string' ? value : '';
}

/** The int of that name; a value of any other type, digits included, counts as 0. */
export function integerIn(attributes: Attributes, key: string): bigint {
  const value = attributes.get(key);
  return typeof value === 'bigint' ? value : 0n;
}

/** Calls through AWS SDKs, by the older conventions only. */
export function isAwsSdkCall({ attributes }: Pick<Span, 'attributes'>): boolean {
  return attributes.get('rpc.system') === 'aws-api';
}

/** A value as the exporter's JSON shows it: doubles without a point where they are whole, maps by key. */
export function toCollectorJson(value: AttributeValue): JsonValue {
  if (typeof value === 'number' && Number.isFinite(value)) return doubleToJson(value);
  if (typeof value !== 'object' || value instanceof Uint8Array) return toJson(value);
  if (isList(value)) return value.map(toCollectorJson);
  return sortedMap([...value].map(([key, inner]) => [key, toCollectorJson(inner)]));
}

/** JavaScript prints doubles as the exporter does, but for the sign of zero. */
export function doubleToJson(value: number): JsonNumber {
  return { literal: Object.is(value, -0) ? '-0' : String(value) };
}

export function sortedMap<T extends JsonValue>(entries: Iterable<readonly [string, T]>): ReadonlyMap<string, T> {
  return new Map([...entries].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Undefined instead of an object without members, which the exporter leaves out. */
export function filled(object: JsonObject): JsonObject | undefined {
  return object.size === 0 ? undefined : object;
}
