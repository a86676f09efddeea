import { z } from 'zod';
import { httpClient, noEffect, retryOnFailure, sendingQueue } from '../../config/schema.ts';

const url = z.string().refine((text) => text === '' || /^https?:\/\/[^/]/.test(text), {
  error: ({ input }) => `endpoint must be a valid URL, such as https://host:4318, got ${JSON.stringify(input)}`,
});

/** As the Collector's exporter of this name (specification: configuration 1.8 and 1.12). */
export const configSchema = z
  .strictObject({
    ...httpClient,
    /** `/v1/traces` is appended. */
    endpoint: url.default(''),
    /** Used as it stands. */
    traces_endpoint: url.default(''),
    metrics_endpoint: noEffect(z.string().optional()),
    logs_endpoint: noEffect(z.string().optional()),
    profiles_endpoint: noEffect(z.string().optional()),
    encoding: z
      .enum(['proto', 'json'], { error: ({ input }) => `invalid encoding type: ${String(input)}` })
      .default('proto'),
    retry_on_failure: retryOnFailure.prefault({}),
    sending_queue: sendingQueue.prefault({}),
  })
  .superRefine(({ endpoint, traces_endpoint: tracesEndpoint }, context) => {
    if (endpoint || tracesEndpoint) return;
    context.addIssue({ code: 'custom', message: 'either endpoint or traces_endpoint must be specified' });
  });

export type OtlpHttpConfig = z.output<typeof configSchema>;

export function tracesUrlOf({ endpoint, traces_endpoint: tracesEndpoint }: OtlpHttpConfig): URL {
  return new URL(tracesEndpoint || `${endpoint.replace(/\/$/, '')}/v1/traces`);
}
