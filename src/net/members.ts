import { RaybridgeError } from '../errors.ts';
import { isJsonArray, isJsonNumber, isJsonObject } from '../model/index.ts';
import type { JsonObject, JsonValue } from '../model/index.ts';

/**
 * Members of a request in AWS's JSON. One that is null is absent, as with AWS; a wrong one is an
 * INVALID_REQUEST that names it, what was expected and what was found.
 */

export function textMember(request: JsonObject, name: string): string | undefined {
  const value = request.get(name);
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string') return value;
  throw wrong(name, 'a string', value);
}

export function objectMember(request: JsonObject, name: string): JsonObject | undefined {
  const value = request.get(name);
  if (value === undefined || value === null) return undefined;
  if (isJsonObject(value)) return value;
  throw wrong(name, 'an object', value);
}

export function numberMember(request: JsonObject, name: string): number | undefined {
  const value = request.get(name);
  if (value === undefined || value === null) return undefined;
  if (isJsonNumber(value)) return Number(value.literal);
  throw wrong(name, 'a number', value);
}

const foundCharactersMax = 80;

/** The error of a member that is not as it has to be. */
export function wrong(name: string, wish: string, found: JsonValue | undefined): RaybridgeError {
  return new RaybridgeError('INVALID_REQUEST', `${name}: expected ${wish}, got ${describe(found)}`);
}

function describe(value: JsonValue | undefined): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (typeof value === 'string') return JSON.stringify(value.slice(0, foundCharactersMax));
  if (typeof value === 'boolean') return String(value);
  if (isJsonNumber(value)) return value.literal.slice(0, foundCharactersMax);
  return isJsonArray(value) ? 'a list' : 'an object';
}
