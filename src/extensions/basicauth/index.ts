import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { compare } from 'bcryptjs';
import { z } from 'zod';
import { RaybridgeError } from '../../errors.ts';
import type { Extension, ExtensionFactory } from '../../pipeline/component.ts';

const configSchema = z
  .strictObject({
    /** Of a listener: who may send. Lines `user:password`, the password as bcrypt, `{SHA}…` or plain. */
    htpasswd: z.strictObject({ file: z.string().default(''), inline: z.string().default('') }).optional(),
    /** Of a client. */
    client_auth: z
      .strictObject({
        username: z.string().default(''),
        username_file: z.string().default(''),
        password: z.string().default(''),
        password_file: z.string().default(''),
      })
      .optional(),
  })
  .superRefine(({ htpasswd, client_auth: client }, context) => {
    const complain = (message: string) => context.addIssue({ code: 'custom', message });
    if (htpasswd && client) complain('only one of `htpasswd` or `client_auth` can be specified');
    if (!htpasswd && !client) complain('no credential source provided');
  });

type BasicConfig = z.output<typeof configSchema>;

/** Name and password (RFC 7617): asked of whoever sends to a listener, or shown by a client. */
export const basicauth: ExtensionFactory = {
  kind: 'extension',
  type: 'basicauth',
  configSchema,
  create({ config }): Extension {
    // The register has checked `config` with the schema above.
    const { htpasswd, client_auth: client } = config as BasicConfig;
    return {
      async start() {},
      async shutdown() {},
      authenticator: htpasswd ? { verify: verifierOf(htpasswd) } : { authorize: async () => authorize(client) },
    };
  },
};

function verifierOf({ file, inline }: { readonly file: string; readonly inline: string }) {
  const users = readUsers(`${file === '' ? '' : readText(file)}\n${inline}`);
  return async (headers: Readonly<Record<string, string | readonly string[] | undefined>>): Promise<void> => {
    const { authorization } = headers;
    if (typeof authorization !== 'string' || authorization === '') {
      throw new RaybridgeError('CREDENTIALS_MISSING', 'authorization: expected a name and a password, got none');
    }
    const text = /^basic +(\S+)$/i.exec(authorization)?.[1] ?? '';
    const [, name = '', password = ''] = /^([^:]*):(.*)$/s.exec(Buffer.from(text, 'base64').toString()) ?? [];
    const stored = users.get(name);
    // Somebody unknown takes as long as somebody with a wrong password.
    const isRight = await matches(password, stored ?? unmatched);
    if (stored === undefined || !isRight) {
      throw new RaybridgeError('CREDENTIALS_UNKNOWN', 'authorization: the name or the password is wrong');
    }
  };
}

/** A bcrypt hash of nothing anybody knows. */
const unmatched = '$2b$10$C6UzMDM.H6dfI/f/IKcEeO7ZS8yS2o8mZ0m7n0o8p5eYQK8aX6O2e';

function readUsers(text: string): ReadonlyMap<string, string> {
  return new Map(
    text.split('\n').flatMap((line) => {
      const [, name, stored] = /^\s*([^:#\s][^:]*):(.*?)\s*$/.exec(line) ?? [];
      return name === undefined || stored === undefined ? [] : [[name, stored]];
    }),
  );
}

async function matches(password: string, stored: string): Promise<boolean> {
  if (/^\$2[aby]\$/.test(stored)) return await compare(password, stored);
  if (stored.startsWith('{SHA}')) {
    return isSame(createHash('sha1').update(password).digest('base64'), stored.slice('{SHA}'.length));
  }
  return isSame(password, stored);
}

function isSame(one: string, other: string): boolean {
  // Digests have one length, whatever the passwords have.
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}

function authorize(client: BasicConfig['client_auth']): Readonly<Record<string, string>> {
  if (!client) return {};
  const name = client.username_file ? readText(client.username_file).trim() : client.username;
  const password = client.password_file ? readText(client.password_file).trim() : client.password;
  return { authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}` };
}

/** @throws RaybridgeError CONFIG_INVALID. */
function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new RaybridgeError('CONFIG_INVALID', `basicauth: ${error instanceof Error ? error.message : String(error)}`);
  }
}
