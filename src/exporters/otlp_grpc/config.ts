import { z } from 'zod';
import { duration, grpcClient, retryOnFailure, sendingQueue } from '../../config/schema.ts';

/** As the Collector's exporter of this name (specification: configuration 1.8 and 1.12). */
export const configSchema = z
  .strictObject({
    ...grpcClient,
    /** Of one attempt. */
    timeout: duration.default(5_000),
    retry_on_failure: retryOnFailure.prefault({}),
    sending_queue: sendingQueue.prefault({}),
  })
  .superRefine(({ endpoint }, context) => {
    const wrong = wrongEndpoint(endpoint);
    if (wrong !== undefined) context.addIssue({ code: 'custom', path: ['endpoint'], message: wrong });
  });

export type OtlpGrpcConfig = z.output<typeof configSchema>;

function wrongEndpoint(endpoint: string): string | undefined {
  if (endpoint === '') return 'requires a non-empty "endpoint"';
  if (endpoint.startsWith('unix:')) return undefined;
  const port = /:([^:/\]]*)\/?$/.exec(endpoint.replace(/^(?:https?|dns):\/*/, ''))?.[1];
  if (port === undefined) return `expected host:port, got ${JSON.stringify(endpoint)}`;
  return /^\d{1,5}$/.test(port) && Number(port) <= 65_535 ? undefined : `invalid port ${JSON.stringify(port)}`;
}

/** What the gRPC library dials, and whether in plain text: `http://` and `tls.insecure` say so. */
export function targetOf({ endpoint, tls }: OtlpGrpcConfig): { readonly target: string; readonly plain: boolean } {
  const plain = tls.insecure || endpoint.startsWith('http://');
  return { target: endpoint.replace(/^https?:\/\//, '').replace(/\/$/, ''), plain };
}
