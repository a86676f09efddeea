/**
 * Reading foreign JSON member by member: a segment document may hold anything, so each of these
 * gives the value when it has the wished type and undefined when it has not.
 */
export type JsonRecord = Readonly<Record<string, unknown>>;

export function asRecord(value: unknown): JsonRecord | undefined {
  // A JSON object has string keys and unknown values, which is what JsonRecord says.
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonRecord) : undefined;
}

export function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** A non-empty string. */
export function asText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** A finite number, or the text of one: some SDKs send content lengths and line numbers as strings. */
export function asNumber(value: unknown): number | undefined {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}

/** The own member of that name; a document's keys may be those of Object.prototype. */
export function member(record: JsonRecord | undefined, key: string): unknown {
  return record && Object.hasOwn(record, key) ? record[key] : undefined;
}

/** The member at the end of a path of keys. */
export function memberAt(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce((at, key) => member(asRecord(at), key), value);
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
