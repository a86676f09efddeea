import type { JsonArray, JsonObject, JsonValue } from '../model/index.ts';
import { isJsonArray, isJsonNumber, isJsonObject, parseTime } from '../model/index.ts';

/**
 * Members of segment documents, by the type they must have. A member of another type counts as
 * absent: X-Ray drops what does not fit its schema, and one bad member must not hide a trace.
 */

export function readText(document: JsonObject | undefined, name: string): string | undefined {
  const value = document?.get(name);
  return typeof value === 'string' ? value : undefined;
}

export function readFlag(document: JsonObject | undefined, name: string): boolean | undefined {
  const value = document?.get(name);
  return typeof value === 'boolean' ? value : undefined;
}

export function readNumber(document: JsonObject | undefined, name: string): number | undefined {
  return toNumber(document?.get(name));
}

/** Epoch seconds as exact nanoseconds. */
export function readTime(document: JsonObject | undefined, name: string): bigint | undefined {
  const value = document?.get(name);
  return isJsonNumber(value) ? parseTime(value.literal) : undefined;
}

export function readObject(document: JsonObject | undefined, name: string): JsonObject | undefined {
  const value = document?.get(name);
  return isJsonObject(value) ? value : undefined;
}

/** Empty when the member is absent. */
export function readList(document: JsonObject | undefined, name: string): JsonArray {
  const value = document?.get(name);
  return isJsonArray(value) ? value : [];
}

/** Undefined for anything but a finite number. */
export function toNumber(value: JsonValue | undefined): number | undefined {
  if (!isJsonNumber(value)) return undefined;
  const number = Number(value.literal);
  return Number.isFinite(number) ? number : undefined;
}
