import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import { RaybridgeError } from '../errors.ts';

/** Of request bodies; in the thread pool, so that receivers are not held up. */
export interface Compressor {
  /** As `Content-Encoding` names it. */
  readonly encoding: string;
  compress(body: Uint8Array): Promise<Uint8Array>;
}

const gzip = promisify(zlib.gzip);
const deflate = promisify(zlib.deflate);

/**
 * Undefined for `none` and the empty name.
 * @throws RaybridgeError CONFIG_INVALID: this Node.js does not have it (zstd came with 22.15).
 */
export function compressorOf(name: string, level?: number): Compressor | undefined {
  const options = level === undefined ? {} : { level };
  switch (name) {
    case 'gzip':
      return { encoding: 'gzip', compress: (body) => gzip(body, options) };
    case 'zlib':
    case 'deflate':
      return { encoding: name, compress: (body) => deflate(body, options) };
    case 'zstd': {
      const zstd = 'zstdCompress' in zlib ? promisify(zlib.zstdCompress as typeof zlib.gzip) : undefined;
      if (!zstd) {
        throw new RaybridgeError(
          'CONFIG_INVALID',
          `compression: zstd needs Node.js 22.15 or newer, this is ${process.version}`,
        );
      }
      return { encoding: 'zstd', compress: (body) => zstd(body, {}) };
    }
    default:
      return undefined;
  }
}
