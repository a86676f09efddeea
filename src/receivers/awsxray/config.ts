import { z } from 'zod';
import { duration, endpoint, noEffect, warned } from '../../config/schema.ts';

const answeredHere = 'is not used; sampling calls are answered by this process, not by AWS';

/** A key of the connection to AWS that the daemon and the Collector keep for these calls. */
function upstream(schema: z.ZodType) {
  return warned(schema.optional(), answeredHere);
}

const dialer = noEffect(z.strictObject({ timeout: duration.optional() }).optional());

export const configSchema = z.strictObject({
  /** UDP, segments. */
  endpoint: endpoint.default('localhost:2000'),
  transport: z
    .literal('udp', {
      error: ({ input }) => `X-Ray receiver only supports ingesting spans through UDP, provided: ${String(input)}`,
    })
    .default('udp'),
  dialer,
  proxy_server: z
    .strictObject({
      /** TCP, sampling calls. */
      endpoint: endpoint.default('localhost:2000'),
      proxy_address: upstream(z.string()),
      tls: upstream(z.strictObject({ insecure: z.boolean().optional(), server_name_override: z.string().optional() })),
      insecure: upstream(z.boolean()),
      server_name_override: upstream(z.string()),
      region: upstream(z.string()),
      role_arn: upstream(z.string()),
      aws_endpoint: upstream(z.string()),
      local_mode: noEffect(z.boolean().optional()),
      service_name: upstream(z.string()),
      certificate_file_path: upstream(z.string()),
      imds_retries: upstream(z.int()),
      profile: upstream(z.string()),
      shared_credentials_file: upstream(z.union([z.string(), z.array(z.string())])),
      dialer,
    })
    .prefault({}),
});

export type AwsxrayConfig = z.output<typeof configSchema>;
