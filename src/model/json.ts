/**
 * JSON as Raybridge keeps it: objects are Maps, because foreign keys such as `__proto__` are legal,
 * and numbers keep their text, because `1.499473411677E9` must come back as it was written.
 * Produced and printed by `codec/json.ts`.
 */
export type JsonValue = string | boolean | null | JsonNumber | JsonArray | JsonObject;
export type JsonArray = readonly JsonValue[];
export type JsonObject = ReadonlyMap<string, JsonValue>;

/** A JSON number as its source text, a valid JSON number literal. */
export interface JsonNumber {
  readonly literal: string;
}

/**
 * Objects and arrays inside each other that the JSON text in an attribute may have: those of the
 * document a residual or an envelope belongs to and some of its own, or four for each level of an
 * attribute.
 */
export const jsonTextDepthMax = 160;

export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return value instanceof Map;
}

export function isJsonArray(value: JsonValue | undefined): value is JsonArray {
  return Array.isArray(value);
}

export function isJsonNumber(value: JsonValue | undefined): value is JsonNumber {
  return typeof value === 'object' && value !== null && 'literal' in value;
}
