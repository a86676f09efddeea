import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { gunzip, inflate } from 'node:zlib';
import { RaybridgeError } from '../errors.ts';

export interface BodyOptions {
  /** Holds on the wire and again after decompression. */
  readonly bytesMax: number;
  /** Sees the bytes on the wire before anything is made of them, as a signature covers them; what it throws ends the request. */
  readonly verify?: ((wire: Uint8Array) => void) | undefined;
}

/**
 * The body of a request, decompressed. Takes gzip and zlib (under its HTTP name `deflate` and its
 * Collector name `zlib`). Memory is bounded by twice the limit, whatever the body claims to be.
 *
 * A body over the limit is read on and thrown away for a moment before the error, because a client
 * that is still sending when the socket closes never sees the answer and sends the same again.
 * @throws RaybridgeError TOO_LARGE, UNSUPPORTED_MEDIA_TYPE, BAD_INPUT (cut off, or not what the encoding says).
 */
export async function readBody(request: IncomingMessage, { bytesMax, verify }: BodyOptions): Promise<Uint8Array> {
  const decompress = decompressorOf(request.headers['content-encoding']);
  if (Number(request.headers['content-length']) > bytesMax) throw await tooLarge(request, bytesMax);
  const wire = await collect(request, bytesMax);
  if (wire === undefined) throw await tooLarge(request, bytesMax);
  verify?.(wire);
  return decompress && wire.length > 0 ? expand({ wire, decompress, bytesMax }) : wire;
}

type Decompress = (wire: Uint8Array, options: { readonly maxOutputLength: number }) => Promise<Uint8Array>;

const decompressors: ReadonlyMap<string, Decompress | undefined> = new Map([
  ['', undefined],
  ['identity', undefined],
  ['gzip', promisify(gunzip) as Decompress], // promisify picks the overload without options.
  ['deflate', promisify(inflate) as Decompress], // As above.
  ['zlib', promisify(inflate) as Decompress], // As above.
]);

function decompressorOf(contentEncoding: string | undefined): Decompress | undefined {
  const encoding = (contentEncoding ?? '').trim().toLowerCase();
  if (decompressors.has(encoding)) return decompressors.get(encoding);
  throw new RaybridgeError('UNSUPPORTED_MEDIA_TYPE', 'content-encoding: expected gzip, deflate, zlib or none');
}

/** The bytes on the wire; undefined when they are more than `bytesMax`, with the request left flowing. */
function collect(request: IncomingMessage, bytesMax: number): Promise<Uint8Array | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    let length = 0;
    const settle = (): void => {
      request.off('data', take).off('end', finish).off('close', cutOff).off('error', cutOff);
    };
    const take = (chunk: Uint8Array): void => {
      length += chunk.length;
      if (length <= bytesMax) {
        chunks.push(chunk);
        return;
      }
      settle();
      resolve(undefined);
    };
    const finish = (): void => {
      settle();
      resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks, length));
    };
    const cutOff = (): void => {
      settle();
      reject(new RaybridgeError('BAD_INPUT', 'the connection ended before the body did'));
    };
    request.on('data', take).once('end', finish).once('close', cutOff).once('error', cutOff);
  });
}

async function expand({
  wire,
  decompress,
  bytesMax,
}: {
  readonly wire: Uint8Array;
  readonly decompress: Decompress;
  readonly bytesMax: number;
}): Promise<Uint8Array> {
  try {
    return await decompress(wire, { maxOutputLength: bytesMax });
  } catch (cause) {
    if (cause instanceof RangeError) throw limitError(bytesMax, 'after decompression');
    throw new RaybridgeError('BAD_INPUT', 'the body is not what its content-encoding says', { cause });
  }
}

async function tooLarge(request: IncomingMessage, bytesMax: number): Promise<RaybridgeError> {
  await discardBody(request);
  return limitError(bytesMax, 'on the wire');
}

function limitError(bytesMax: number, where: string): RaybridgeError {
  return new RaybridgeError('TOO_LARGE', `body: expected at most ${bytesMax} bytes ${where}, got more`);
}

/** How much, and for how long, a body that nobody wants is read on. */
const discardBytesMax = 64 * 1024 * 1024;
const discardMs = 2_000;

/** For a request that is refused before its body is read, so that its sender sees the answer. */
export function discardBody(request: IncomingMessage): Promise<void> {
  if (request.complete) return Promise.resolve();
  return new Promise((resolve) => {
    let left = discardBytesMax;
    const settle = (): void => {
      clearTimeout(timer);
      request.off('data', skip).off('end', settle).off('close', settle).off('error', settle);
      resolve();
    };
    const skip = (chunk: Uint8Array): void => {
      left -= chunk.length;
      if (left < 0) settle();
    };
    const timer = setTimeout(settle, discardMs);
    request.on('data', skip).once('end', settle).once('close', settle).once('error', settle);
    request.resume();
  });
}
