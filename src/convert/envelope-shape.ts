import type { JsonObject, JsonValue } from '../model/index.ts';
import { isJsonArray, isJsonNumber, isJsonObject } from '../model/index.ts';

/**
 * What an envelope may look like. One that is of another version, or holds a member of a wrong type,
 * was not written by us or has been changed by someone who does not know it; no part of it can be
 * trusted then. Members of other names are those of a later version and do no harm.
 */

export const envelopeVersion = 1;

/** True for an envelope of this version, each known member of which has its type. */
export function isEnvelope(value: JsonValue | undefined): value is JsonObject {
  if (!isJsonObject(value) || !value.has('v')) return false;
  return hasShape(value, envelopeMembers);
}

/** True for a member that a later version of the envelope has. */
export function isUnknownMember(name: string): boolean {
  return !envelopeMembers.has(name);
}

type Check = (value: JsonValue) => boolean;
type Shape = ReadonlyMap<string, Check>;

const isText: Check = (value) => typeof value === 'string';
const isInteger: Check = (value) => isJsonNumber(value) && Number.isSafeInteger(Number(value.literal));
const isTime: Check = (value) => typeof value === 'string' && /^\d{1,20}$/.test(value);
const isTexts = listOf(isText);
/** What stands inside an AnyValue is looked at when it is read. */
const isKeyAndValue = tuple([isText, isJsonObject]);
const isAttributes = listOf(isKeyAndValue);
const isDoubles = objectOf({ d: isTexts });
const attributeMembers = {
  u: isTexts,
  a: listOf(tuple([isText, isJsonObject], [isText])),
  x: isTexts,
  y: isDoubles,
} as const;

const envelopeMembers: Shape = new Map<string, Check>(
  Object.entries({
    v: (value: JsonValue) => isJsonNumber(value) && value.literal === String(envelopeVersion),
    n: isText,
    k: isInteger,
    t: tuple([isTime, isTime]),
    s: tuple([isInteger, isText]),
    w: isText,
    f: isInteger,
    p: isText,
    j: (value: JsonValue) => value === 'dep' || value === 'svc',
    q: tuple([isInteger, isInteger, isInteger]),
    ...attributeMembers,
    m: (value: JsonValue) => isJsonObject(value) && [...value.values()].every(isText),
    e: listOf(tuple([isTime, isText, listOf(isDifference), isInteger], [isText])),
    l: listOf(tuple([isText, isInteger, isInteger, isAttributes], [isText, isText])),
    c: objectOf({ n: isText, v: isText, a: isAttributes, q: isInteger, u: isText }),
    r: objectOf({
      h: isText,
      a: objectOf(attributeMembers),
      q: isInteger,
      u: isText,
      e: listOf(tuple([isText, isText, isTexts, isTexts])),
    }),
    z: isTexts,
  }),
);

/** [key, AnyValue], or [key] of an attribute that is not there. */
function isDifference(value: JsonValue): boolean {
  return isKeyAndValue(value) || (isJsonArray(value) && value.length === 1 && value.every(isText));
}

function hasShape(object: JsonObject, shape: Shape): boolean {
  for (const [name, value] of object) if (shape.get(name)?.(value) === false) return false;
  return true;
}

function objectOf(members: Readonly<Record<string, Check>>): Check {
  const shape: Shape = new Map(Object.entries(members));
  return (value) => isJsonObject(value) && hasShape(value, shape);
}

function listOf(check: Check): Check {
  return (value) => isJsonArray(value) && value.every(check);
}

/** A list of these elements, and of the optional ones as many as it has. */
function tuple(required: readonly Check[], optional: readonly Check[] = []): Check {
  const checks = [...required, ...optional];
  return (value) =>
    isJsonArray(value) &&
    value.length >= required.length &&
    value.length <= checks.length &&
    value.every((element, i) => checks[i]?.(element) === true);
}
