import { z } from 'zod';
import { refused } from '../../config/schema.ts';
import type { Extension, ExtensionFactory } from '../../pipeline/component.ts';

const notKept = 'cannot be done here: the queue keeps spans, and not the requests in which they came';

const configSchema = z.strictObject({
  headers: z
    .array(
      z.strictObject({
        action: z
          .string()
          .toLowerCase()
          .pipe(z.enum(['insert', 'update', 'upsert', 'delete']))
          .default('upsert'),
        key: z.string().toLowerCase().min(1),
        value: z.string().optional(),
        from_context: refused(notKept),
        from_attribute: refused(notKept),
        default_value: z.string().optional(),
      }),
    )
    .min(1, { error: 'missing headers' }),
});

/** Headers of a client, set to fixed values. */
export const headersSetter: ExtensionFactory = {
  kind: 'extension',
  type: 'headers_setter',
  configSchema,
  create({ config }): Extension {
    // The register has checked `config` with the schema above.
    const { headers } = config as z.output<typeof configSchema>;
    return {
      async start() {},
      async shutdown() {},
      authenticator: {
        async authorize(request) {
          const set: Record<string, string> = {};
          for (const { action, key, value, default_value: fallback } of headers) {
            const isThere = key in request.headers || key in set;
            if (action === 'insert' && isThere) continue;
            if (action === 'update' && !isThere) continue;
            set[key] = action === 'delete' ? '' : (value ?? fallback ?? '');
          }
          return set;
        },
      },
    };
  },
};
