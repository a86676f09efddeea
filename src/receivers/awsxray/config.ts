import { z } from 'zod';
import { isNetwork } from './sources.ts';
import { duration, endpoint, noEffect, proxyServer } from '../../config/schema.ts';

export const configSchema = z.strictObject({
  /** UDP, segments. */
  endpoint: endpoint.default('localhost:2000'),
  transport: z
    .literal('udp', {
      error: ({ input }) => `X-Ray receiver only supports ingesting spans through UDP, provided: ${String(input)}`,
    })
    .default('udp'),
  dialer: noEffect(z.strictObject({ timeout: duration.optional() }).optional()),
  /** Ours: who may send segments. */
  allowed_sources: z
    .array(
      z.string().refine(isNetwork, {
        error: ({ input }) => `expected an address or a network such as 10.0.0.0/8, got ${JSON.stringify(input)}`,
      }),
    )
    .default([]),
  /** Ours: datagrams a second of one address; 0 means any number. */
  source_rate_limit: z.int().min(0).default(0),
  proxy_server: proxyServer.prefault({}),
});

export type AwsxrayConfig = z.output<typeof configSchema>;

/** Whether the configuration says where sampling calls are to go. */
export function namesUpstream({ proxy_server: proxy }: AwsxrayConfig): boolean {
  return (
    [proxy.region, proxy.role_arn, proxy.aws_endpoint, proxy.profile].some((text) => text !== '') || proxy.local_mode
  );
}
