import type { AttributeValue, Attributes, JsonObject, JsonValue, Span } from '../model/index.ts';
import { isJsonObject } from '../model/index.ts';
import { withoutPassword, withoutUserInfo } from './url.ts';

/**
 * Credentials in URLs and connection strings. They are removed before anything else happens, in
 * both directions, so that neither an envelope nor a residual carries them on. This is the one
 * thing that a conversion loses on purpose.
 */

type Remove = (text: string) => string;

const attributesWithCredentials: ReadonlyMap<string, Remove> = new Map([
  ['url.full', withoutUserInfo],
  ['http.url', withoutUserInfo],
  ['db.connection_string', withoutPassword],
  ['aws.xray.sql.connection_string', withoutPassword],
  ['aws.xray.sql.url', withoutPassword],
]);

/** The same span when it holds none. */
export function withoutCredentials(span: Span): Span {
  let attributes: Attributes = span.attributes;
  for (const [key, remove] of attributesWithCredentials) {
    const value = span.attributes.get(key);
    const clean = typeof value === 'string' ? remove(value) : value;
    if (clean !== value) attributes = new Map<string, AttributeValue>(attributes).set(key, clean);
  }
  return attributes === span.attributes ? span : { ...span, attributes };
}

const membersWithCredentials: readonly (readonly [path: readonly [string, ...string[]], remove: Remove])[] = [
  [['http', 'request', 'url'], withoutUserInfo],
  [['sql', 'url'], withoutPassword],
  [['sql', 'connection_string'], withoutPassword],
];

/** The same document when it holds none; calls `report` for each that was removed. */
export function documentWithoutCredentials(document: JsonObject, report: (pointer: string) => void): JsonObject {
  let clean = document;
  for (const [path, remove] of membersWithCredentials) {
    const next = changed(clean, path, remove);
    if (next !== clean) report(`/${path.join('/')}`);
    clean = next;
  }
  return clean;
}

function changed(
  object: JsonObject,
  [name, next, ...rest]: readonly [string, ...string[]],
  remove: Remove,
): JsonObject {
  const value = object.get(name);
  const clean =
    next === undefined
      ? changedText(value, remove)
      : isJsonObject(value)
        ? changed(value, [next, ...rest], remove)
        : value;
  return clean === value || clean === undefined ? object : new Map(object).set(name, clean);
}

function changedText(value: JsonValue | undefined, remove: Remove): JsonValue | undefined {
  return typeof value === 'string' ? remove(value) : value;
}
