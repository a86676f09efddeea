import { createHash, createHmac } from 'node:crypto';

/** Signature Version 4 itself (AWS IAM User Guide, "Create a signed AWS API request", steps 2 to 4). */

export const algorithm = 'AWS4-HMAC-SHA256';
export const terminator = 'aws4_request';

/** What a signature is good for, besides the request. */
export interface Scope {
  /** YYYYMMDD. */
  readonly date: string;
  readonly region: string;
  readonly service: string;
}

/** The 32 bytes that sign a canonical request. */
export function signatureOf(
  canonicalRequest: string,
  {
    timestamp,
    scope,
    secretAccessKey,
  }: {
    /** YYYYMMDD'T'HHMMSS'Z', as in `x-amz-date`. */
    readonly timestamp: string;
    readonly scope: Scope;
    readonly secretAccessKey: string;
  },
): Buffer {
  const { date, region, service } = scope;
  // Each character of a canonical request is one byte.
  const hash = sha256(Buffer.from(canonicalRequest, 'latin1'));
  const toSign = [algorithm, timestamp, `${date}/${region}/${service}/${terminator}`, hash].join('\n');
  const key = [date, region, service, terminator].reduce<string | Buffer>(hmac, `AWS4${secretAccessKey}`);
  return hmac(key, toSign);
}

/** As lower-case hex. */
export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
