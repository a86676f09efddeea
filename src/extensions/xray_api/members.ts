import { RaybridgeError } from '../../errors.ts';
import { isJsonArray, isJsonNumber, isJsonObject, parseSeconds, parseTraceId } from '../../model/index.ts';
import type { JsonObject } from '../../model/index.ts';
import { numberMember, textMember, wrong } from '../../net/members.ts';
import type { GroupReference } from '../../reader/index.ts';

/**
 * Reads the members of a request to the X-Ray API. Unknown members are ignored, as AWS does; a
 * missing or wrong one is an INVALID_REQUEST that names it, what was expected and what was found.
 */

export { numberMember, objectMember, textMember, wrong } from '../../net/members.ts';

/** The value of a member that must be there. */
export function required<Value>(name: string, value: Value | undefined): Value {
  if (value !== undefined) return value;
  throw new RaybridgeError('INVALID_REQUEST', `${name}: expected it, got nothing`);
}

/** A required string of 1 to `charactersMax` characters. */
export function requiredTextMember(
  request: JsonObject,
  name: string,
  { charactersMax }: { readonly charactersMax: number },
): string {
  const text = required(name, textMember(request, name));
  if (text.length >= 1 && text.length <= charactersMax) return text;
  const find = `got ${text.length}`;
  throw new RaybridgeError('INVALID_REQUEST', `${name}: expected 1 to ${charactersMax} characters, ${find}`);
}

/** One of a few words. */
export function choiceMember<Choice extends string>(
  request: JsonObject,
  name: string,
  choices: readonly Choice[],
): Choice | undefined {
  const text = textMember(request, name);
  if (text === undefined) return undefined;
  const choice = choices.find((one) => one === text);
  if (choice !== undefined) return choice;
  throw wrong(name, choices.join(' or '), text);
}

export function flagMember(request: JsonObject, name: string): boolean | undefined {
  const value = request.get(name);
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'boolean') return value;
  throw wrong(name, 'true or false', value);
}

export function integerMember(
  request: JsonObject,
  name: string,
  { min, max }: { readonly min: number; readonly max: number },
): number | undefined {
  const value = numberMember(request, name);
  if (value === undefined || (Number.isInteger(value) && value >= min && value <= max)) return value;
  throw new RaybridgeError('INVALID_REQUEST', `${name}: expected a whole number from ${min} to ${max}, got ${value}`);
}

/** A required list of objects. */
export function objectListMember(request: JsonObject, name: string): readonly JsonObject[] {
  const value = request.get(name);
  if (!isJsonArray(value)) throw wrong(name, 'a list of objects', value);
  return value.map((entry, index) => {
    if (isJsonObject(entry)) return entry;
    throw wrong(`${name}[${index}]`, 'an object', entry);
  });
}

/** GroupName and GroupARN: how operations name a group. */
export function groupReference(request: JsonObject): GroupReference {
  return { name: textMember(request, 'GroupName'), arn: textMember(request, 'GroupARN') };
}

/** Tags, each `{ Key, Value }`, by key. What keys and values may be is not checked. */
export function tagsMember(request: JsonObject): ReadonlyMap<string, string> | undefined {
  if ((request.get('Tags') ?? undefined) === undefined) return undefined;
  const list = objectListMember(request, 'Tags');
  if (list.length > tagsPerRequestMax) {
    throw new RaybridgeError('INVALID_REQUEST', `Tags: expected at most ${tagsPerRequestMax}, got ${list.length}`);
  }
  const tags = new Map<string, string>();
  for (const [index, tag] of list.entries()) {
    const [key, value] = [tag.get('Key'), tag.get('Value')];
    if (typeof key !== 'string') throw wrong(`Tags[${index}].Key`, 'a string', key);
    if (typeof value !== 'string') throw wrong(`Tags[${index}].Value`, 'a string', value);
    if (tags.has(key)) throw wrong(`Tags[${index}].Key`, 'every key once', key);
    tags.set(key, value);
  }
  return tags;
}

/** API reference, TagResource. */
const tagsPerRequestMax = 200;

/** A required list of at most `countMax` strings. */
export function textListMember(request: JsonObject, name: string, countMax: number): readonly string[] {
  const value = request.get(name);
  if (!isJsonArray(value)) throw wrong(name, 'a list of strings', value);
  if (value.length > countMax) {
    throw new RaybridgeError('INVALID_REQUEST', `${name}: expected at most ${countMax} entries, got ${value.length}`);
  }
  return value.map((entry, index) => {
    if (typeof entry === 'string') return entry;
    throw wrong(`${name}[${index}]`, 'a string', entry);
  });
}

/** A required list of trace ids in either form, as 32 hex digits. */
export function traceIdsMember(request: JsonObject, countMax: number): readonly string[] {
  const texts = textListMember(request, 'TraceIds', countMax);
  if (texts.length === 0)
    throw new RaybridgeError('INVALID_REQUEST', 'TraceIds: expected at least one trace id, got none');
  return texts.map((text, index) => {
    const traceId = parseTraceId(text);
    if (traceId) return traceId;
    throw wrong(`TraceIds[${index}]`, 'a trace id such as 1-5759e988-bd862e3fe1be46a994272793', text);
  });
}

/** StartTime and EndTime: epoch seconds as number or numeric text, or an ISO 8601 text. */
export function rangeMembers(request: JsonObject): { readonly fromNs: bigint; readonly toNs: bigint } {
  const fromNs = timeMember(request, 'StartTime');
  const toNs = timeMember(request, 'EndTime');
  if (toNs < fromNs) throw new RaybridgeError('INVALID_REQUEST', 'EndTime: expected a time not before StartTime');
  return { fromNs, toNs };
}

/** For operations with one page: no token was ever given. */
export function refuseToken(request: JsonObject): void {
  if (!textMember(request, 'NextToken')) return;
  throw new RaybridgeError(
    'INVALID_REQUEST',
    'NextToken is not one that this server gave; repeat the request without it',
  );
}

/** A required time: nanoseconds since 1970. */
export function timeMember(request: JsonObject, name: string): bigint {
  const value = request.get(name);
  const text = isJsonNumber(value) ? value.literal : value;
  if (typeof text === 'string') {
    const timeNs = parseSeconds(text) ?? parseIsoTime(text);
    if (timeNs !== undefined) return timeNs;
  }
  throw wrong(name, 'a time in epoch seconds', value);
}

/** Date.parse alone would guess at any text, and take a time without a zone for local time. */
const isoPattern = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)?)?$/;

function parseIsoTime(text: string): bigint | undefined {
  const parts = isoPattern.exec(text);
  if (!parts) return undefined;
  const milliseconds = Date.parse(parts[1] && !parts[4] ? `${text}Z` : text);
  return Number.isNaN(milliseconds) ? undefined : BigInt(milliseconds) * 1_000_000n;
}
