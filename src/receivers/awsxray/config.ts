import { z } from 'zod';
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
  proxy_server: proxyServer.prefault({}),
});

export type AwsxrayConfig = z.output<typeof configSchema>;

/** Whether the configuration says where sampling calls are to go. */
export function namesUpstream({ proxy_server: proxy }: AwsxrayConfig): boolean {
  return (
    [proxy.region, proxy.role_arn, proxy.aws_endpoint, proxy.profile].some((text) => text !== '') || proxy.local_mode
  );
}
