import { z } from 'zod';
import { RaybridgeError } from '../errors.ts';
import type { Store } from '../pipeline/store.ts';
import { openState } from './state.ts';

/**
 * Tags of groups and sampling rules, by the ARN of the resource (X-Ray API reference, Tag). Whether
 * there is such a resource is for the caller to know.
 */
export interface TagRegistry {
  /** By key. */
  list(arn: string): Promise<Tags>;
  /**
   * Adds tags; one whose key is known replaces it.
   * @throws RaybridgeError INVALID_REQUEST (bad tag), TOO_MANY_TAGS.
   */
  add(arn: string, tags: Tags): Promise<void>;
  /** Removes tags; keys that are not there are passed over. */
  remove(arn: string, keys: readonly string[]): Promise<void>;
  /**
   * These tags, checked by `checkFirstTags`, and no others: for a resource that comes into being,
   * because its ARN may have had an owner before, and none for one that goes.
   */
  replace(arn: string, tags: Tags): Promise<void>;
}

export type Tags = ReadonlyMap<string, string>;

/** X-Ray's quota for each resource. */
export const tagsPerResourceMax = 50;

const tagsSchema = z.array(z.tuple([z.string(), z.string()]));

export function createTagRegistry({
  store,
  nowNs,
}: {
  readonly store: Store;
  readonly nowNs: () => bigint;
}): TagRegistry {
  const state = openState({ store, nowNs, kind: 'tags', schema: tagsSchema });

  const change = (arn: string, edit: (known: Tags) => Tags): Promise<void> =>
    state.change(async (documents, write) => {
      const known = new Map(documents.get(arn));
      const tags = edit(known);
      if (tags.size === 0 && known.size === 0) return;
      await write(arn, tags.size === 0 ? undefined : [...tags].sort(byKey));
    });

  return {
    list: async (arn) => new Map((await state.read()).get(arn)),
    async add(arn, tags) {
      checkTags(tags);
      await change(arn, (known) => {
        const all = new Map([...known, ...tags]);
        if (all.size <= tagsPerResourceMax) return all;
        const message = `Tags: expected at most ${tagsPerResourceMax} on a resource, got ${all.size}`;
        throw new RaybridgeError('TOO_MANY_TAGS', message, { resource: arn });
      });
    },
    remove: (arn, keys) => change(arn, (known) => new Map([...known].filter(([key]) => !keys.includes(key)))),
    replace: (arn, tags) => change(arn, () => tags),
  };
}

/**
 * Checks the tags that a resource is to come into being with.
 * @throws RaybridgeError INVALID_REQUEST.
 */
export function checkFirstTags(tags: Tags): void {
  if (tags.size > tagsPerResourceMax) {
    throw new RaybridgeError('INVALID_REQUEST', `Tags: expected at most ${tagsPerResourceMax}, got ${tags.size}`);
  }
  checkTags(tags);
}

function checkTags(tags: Tags): void {
  for (const [key, value] of tags) {
    if (!keyPattern.test(key)) throw invalidTag('Key', '1 to 128 characters', key);
    if (reservedPattern.test(key)) throw invalidTag('Key', 'one that does not begin with aws:', key);
    if (!valuePattern.test(value)) throw invalidTag('Value', 'at most 256 characters', value);
  }
}

/** Letters, digits and separators of any script, and what the API reference lists. */
const keyPattern = /^[\p{L}\p{N}\p{Z}_.:/=+@-]{1,128}$/u;
const valuePattern = /^[\p{L}\p{N}\p{Z}_.:/=+@-]{0,256}$/u;
const reservedPattern = /^aws:/i;

const foundCharactersMax = 80;

function invalidTag(member: 'Key' | 'Value', wish: string, found: string): RaybridgeError {
  const allowed = 'of letters, digits, spaces and _ . : / = + - @';
  const shown = JSON.stringify(found.slice(0, foundCharactersMax));
  return new RaybridgeError(
    'INVALID_REQUEST',
    `Tags: ${member}: expected ${wish}${wish.includes('characters') ? `, ${allowed}` : ''}, got ${shown}`,
  );
}

function byKey([one]: readonly [string, string], [other]: readonly [string, string]): number {
  return one < other ? -1 : 1;
}
