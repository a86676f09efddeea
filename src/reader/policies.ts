import { z } from 'zod';
import { RaybridgeError } from '../errors.ts';
import type { Store } from '../pipeline/store.ts';
import { locksOut, parsePolicy } from './policy-document.ts';
import { openState } from './state.ts';

/** A resource policy (X-Ray API reference, ResourcePolicy). It is kept and has no effect. */
export interface ResourcePolicy {
  readonly name: string;
  /** As it was put. */
  readonly document: string;
  /** A counter for each policy, from 1. */
  readonly revisionId: string;
  readonly updatedAtNs: bigint;
}

export interface PolicyWrite {
  readonly name: string;
  readonly document: string;
  /** The revision that is to be replaced; `0`: the policy must be new. */
  readonly revisionId: string | undefined;
  readonly lockoutMeant: boolean;
}

/** All throw RaybridgeError STORE_UNAVAILABLE, STORE_FAILED too. */
export interface PolicyRegistry {
  /** By name. */
  list(): Promise<readonly ResourcePolicy[]>;
  /** @throws RaybridgeError INVALID_REQUEST, POLICY_TOO_LARGE, POLICY_MALFORMED, POLICY_LOCKOUT, POLICY_REVISION, POLICY_TOO_MANY. */
  put(policy: PolicyWrite): Promise<ResourcePolicy>;
  /** @throws RaybridgeError INVALID_REQUEST (no such policy), POLICY_REVISION. */
  delete(policy: { readonly name: string; readonly revisionId: string | undefined }): Promise<void>;
}

/** X-Ray's quotas. */
export const policiesMax = 5;
export const policyBytesMax = 5 * 1024;

const policySchema = z.object({ document: z.string(), revision: z.int(), updatedAtNs: z.string().regex(/^\d+$/) });
type PolicyDocument = z.output<typeof policySchema>;

export function createPolicyRegistry({
  store,
  nowNs,
}: {
  readonly store: Store;
  readonly nowNs: () => bigint;
}): PolicyRegistry {
  const state = openState({ store, nowNs, kind: 'resource_policy', schema: policySchema });
  return {
    list: async () =>
      [...(await state.read())]
        .map(([name, document]) => toPolicy(name, document))
        .sort((one, other) => (one.name < other.name ? -1 : 1)),
    async put({ name, document, revisionId, lockoutMeant }) {
      checkName(name);
      checkDocument(document, { lockoutMeant });
      return await state.change(async (documents, write) => {
        const known = documents.get(name);
        checkRevision(revisionId, known?.revision ?? 0);
        if (!known && documents.size >= policiesMax) {
          throw new RaybridgeError(
            'POLICY_TOO_MANY',
            `expected at most ${policiesMax} resource policies; delete one first`,
          );
        }
        const next = { document, revision: (known?.revision ?? 0) + 1, updatedAtNs: String(nowNs()) };
        await write(name, next);
        return toPolicy(name, next);
      });
    },
    async delete({ name, revisionId }) {
      checkName(name);
      await state.change(async (documents, write) => {
        const known = documents.get(name);
        if (revisionId !== undefined) checkRevision(revisionId, known?.revision ?? 0);
        if (!known) throw new RaybridgeError('INVALID_REQUEST', `PolicyName: there is no resource policy ${name}`);
        await write(name, undefined);
      });
    },
  };
}

function checkName(name: string): void {
  if (/^[\w+=,.@-]{1,128}$/.test(name)) return;
  throw new RaybridgeError(
    'INVALID_REQUEST',
    'PolicyName: expected 1 to 128 letters, digits and _ + = , . @ -, got another text',
  );
}

function checkDocument(document: string, { lockoutMeant }: { readonly lockoutMeant: boolean }): void {
  if (Buffer.byteLength(document) > policyBytesMax) {
    throw new RaybridgeError('POLICY_TOO_LARGE', `PolicyDocument: expected at most ${policyBytesMax} bytes`);
  }
  const policy = parsePolicy(document);
  if (locksOut(policy) && !lockoutMeant) {
    throw new RaybridgeError(
      'POLICY_LOCKOUT',
      'PolicyDocument: denies everybody xray:PutResourcePolicy; BypassPolicyLockoutCheck says that this is meant',
    );
  }
}

/** @param current 0 when there is no such policy. */
function checkRevision(wished: string | undefined, current: number): void {
  if (wished === undefined || wished === String(current)) return;
  const found = current === 0 ? 'there is no such policy' : `the policy has revision ${current}`;
  throw new RaybridgeError(
    'POLICY_REVISION',
    `PolicyRevisionId: expected the current one, or 0 for a new policy; ${found}`,
  );
}

function toPolicy(name: string, { document, revision, updatedAtNs }: PolicyDocument): ResourcePolicy {
  return { name, document, revisionId: String(revision), updatedAtNs: BigInt(updatedAtNs) };
}
