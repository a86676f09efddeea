import { timingSafeEqual } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { z } from 'zod';
import { RaybridgeError } from '../../errors.ts';
import type { Extension, ExtensionFactory } from '../../pipeline/component.ts';

const configSchema = z
  .strictObject({
    scheme: z.string().default('Bearer'),
    header: z.string().toLowerCase().default('authorization'),
    token: z.string().default(''),
    /** Of a listener: any of them lets in. */
    tokens: z.array(z.string().min(1)).default([]),
    /** One token a line; read again when it changes, and in place of `token` and `tokens`. */
    filename: z.string().default(''),
  })
  .refine(({ token, tokens, filename }) => token !== '' || tokens.length > 0 || filename !== '', {
    error: 'no bearer token provided: expected token, tokens or filename',
  });

type BearerConfig = z.output<typeof configSchema>;

/** A fixed token: asked of whoever sends to a listener, or shown by a client. */
export const bearertokenauth: ExtensionFactory = {
  kind: 'extension',
  type: 'bearertokenauth',
  configSchema,
  create({ config }): Extension {
    // The register has checked `config` with the schema above.
    const checked = config as BearerConfig;
    const tokensNow = createTokens(checked);
    const prefix = checked.scheme === '' ? '' : `${checked.scheme} `;
    return {
      async start() {
        tokensNow();
      },
      async shutdown() {},
      authenticator: {
        async verify(headers) {
          const value = headers[checked.header];
          if (typeof value !== 'string' || value === '') {
            throw new RaybridgeError('CREDENTIALS_MISSING', `${checked.header}: expected a token, got none`);
          }
          const shown = Buffer.from(value);
          if (tokensNow().some((token) => isSame(shown, Buffer.from(`${prefix}${token}`)))) return;
          throw new RaybridgeError(
            'CREDENTIALS_UNKNOWN',
            `${checked.header}: the token is not one of those configured`,
          );
        },
        async authorize() {
          const [token = ''] = tokensNow();
          return { [checked.header]: `${prefix}${token}` };
        },
      },
    };
  },
};

/** @throws RaybridgeError CONFIG_INVALID: the file cannot be read. */
function createTokens({ token, tokens, filename }: BearerConfig): () => readonly string[] {
  if (filename === '') return () => (token === '' ? tokens : [token, ...tokens]);
  let readAtMs = -1;
  let known: readonly string[] = [];
  return () => {
    try {
      const { mtimeMs } = statSync(filename);
      if (mtimeMs !== readAtMs)
        known = readFileSync(filename, 'utf8')
          .split('\n')
          .map((line) => line.trim())
          .filter(Boolean);
      readAtMs = mtimeMs;
    } catch (error) {
      // A file that is being replaced is not there for a moment.
      if (readAtMs >= 0) return known;
      throw new RaybridgeError(
        'CONFIG_INVALID',
        `bearertokenauth.filename: ${error instanceof Error ? error.message : ''}`,
      );
    }
    return known;
  };
}

function isSame(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}
