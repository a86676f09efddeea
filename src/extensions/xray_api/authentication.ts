import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import { toRawHeaders } from '../../aws/canonical-request.ts';
import { createReplayCache } from '../../aws/replay.ts';
import { readClaim, verifyClaim } from '../../aws/verify.ts';
import { duration } from '../../config/schema.ts';
import { RaybridgeError } from '../../errors.ts';
import { isLoopback, parseAddress } from '../../net/address.ts';
import { type BodyOptions, discardBody } from '../../net/body.ts';
import { changesState, permits, role, type Role } from './roles.ts';

const clockSkewMsDefault = 5 * 60_000;
/** What the AWS SDKs speak of. */
const clockSkewMsMax = 15 * 60_000;

/** Who may call. Absent: everybody who reaches the listener. */
export const authSchema = z.strictObject({
  keys: z
    .array(
      z.strictObject({
        access_key_id: z.string().regex(/^[\w.-]{1,128}$/, { error: 'expected letters, digits, "_", "." or "-"' }),
        /**
         * Trimmed, because a file that holds one ends with a line break. A signature can be seen on
         * the way and guessed at in peace, so a word will not do.
         */
        secret_access_key: z.string().trim().min(16, { error: 'must have at least 16 characters' }),
        role,
      }),
    )
    .min(1)
    .refine((keys) => new Set(keys.map((key) => key.access_key_id)).size === keys.length, {
      error: 'each access_key_id must stand once',
    }),
  /** Regions that signatures may be made for. */
  regions: z.array(z.string().regex(/^[a-z0-9-]{1,64}$/, { error: 'expected a region such as us-east-1' })).min(1),
  clock_skew: duration
    .refine((milliseconds) => milliseconds >= 1_000 && milliseconds <= clockSkewMsMax, {
      error: 'must be from 1s to 15m',
    })
    .default(clockSkewMsDefault),
  /** On loopback anybody may call, unless this says that keys count there too. */
  enforce_on_loopback: z.boolean().default(false),
});

/** Decides who may call the API. */
export interface Gate {
  /**
   * Refuses by the headers what can be refused by them, and says what must be true of the body's
   * bytes: signed by a key whose role permits the action. Undefined is an action that nobody has.
   * @throws RaybridgeError CREDENTIALS_MISSING, CREDENTIALS_UNKNOWN, SIGNATURE_MALFORMED,
   * SIGNATURE_INVALID; `verify` throws FORBIDDEN as well.
   */
  admit(message: IncomingMessage, action: string | undefined): Promise<BodyOptions['verify']>;
}

/** Undefined when everybody may call. */
export function createGate({
  auth,
  endpoint,
  nowNs,
}: {
  readonly auth: z.output<typeof authSchema> | undefined;
  readonly endpoint: string;
  readonly nowNs: () => bigint;
}): Gate | undefined {
  if (!auth || (isLoopback(parseAddress(endpoint).host) && !auth.enforce_on_loopback)) return undefined;
  const keys = new Map(auth.keys.map((key) => [key.access_key_id, key]));
  const replays = createReplayCache({ clockSkewMs: auth.clock_skew });
  const nowMs = (): number => Number(nowNs() / 1_000_000n);

  return {
    async admit(message, action) {
      const claim = await orDiscard(message, () =>
        readClaim(
          { method: message.method ?? '', target: message.url ?? '', headers: toRawHeaders(message.rawHeaders) },
          { service: 'xray', regions: auth.regions, clockSkewMs: auth.clock_skew, nowMs: nowMs() },
        ),
      );
      return (wire) => {
        verifyClaim(claim, wire, (accessKeyId) => keys.get(accessKeyId)?.secret_access_key);
        if (action === undefined) return;
        requirePermission(keys.get(claim.accessKeyId)?.role, action);
        if (changesState(action)) replays.use(claim, nowMs());
      };
    },
  };
}

async function orDiscard<Result>(message: IncomingMessage, check: () => Result): Promise<Result> {
  try {
    return check();
  } catch (error) {
    await discardBody(message);
    throw error;
  }
}

function requirePermission(role: Role | undefined, action: string): void {
  if (role && permits(role, action)) return;
  throw new RaybridgeError('FORBIDDEN', `a key with role ${role} is not authorized to perform xray:${action}`);
}
