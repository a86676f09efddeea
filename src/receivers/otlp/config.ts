import { z } from 'zod';
import { grpcServer, httpServer } from '../../config/schema.ts';

/** The protocols whose keys are present are served. */
export const configSchema = z.strictObject({
  protocols: z
    .strictObject({
      grpc: grpcServer({ endpoint: 'localhost:4317' }).optional(),
      http: httpServer({ endpoint: 'localhost:4318' })
        .extend({
          /** Of an answer that all is taken; 201 is what Fluent Bit answers. */
          success_status: z.literal([200, 201, 204]).default(200),
          traces_url_path: urlPath('/v1/traces'),
          metrics_url_path: urlPath('/v1/metrics'),
          logs_url_path: urlPath('/v1/logs'),
          profiles_url_path: urlPath('/v1development/profiles'),
        })
        .optional(),
    })
    .refine(({ grpc, http }) => grpc !== undefined || http !== undefined, {
      error: 'must specify at least one protocol when using the OTLP receiver',
    }),
});

export type OtlpConfig = z.output<typeof configSchema>;
export type HttpConfig = NonNullable<OtlpConfig['protocols']['http']>;

function urlPath(path: string) {
  return z
    .string()
    .regex(/^[^?#\s]*$/, { error: ({ input }) => `invalid HTTP URL path set for signal: ${JSON.stringify(input)}` })
    .default(path)
    .transform((text) => (text.startsWith('/') ? text : `/${text}`));
}
