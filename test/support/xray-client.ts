import { BatchGetTracesCommand, type Trace, XRayClient } from '@aws-sdk/client-xray';
import { eventually } from './eventually.ts';

/** The AWS SDK's X-Ray client, unmodified but for its endpoint. */
export function openXrayClient(
  api: string,
  { region = 'us-east-1', accessKeyId = 'any', secretAccessKey = 'any' }: Partial<Caller> = {},
): XRayClient {
  return new XRayClient({
    endpoint: `http://${api}`,
    region,
    credentials: { accessKeyId, secretAccessKey },
    maxAttempts: 3,
  });
}

interface Caller {
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** The segment documents of a trace, once it is there and has at least `count` of them. */
export async function readDocuments(
  client: XRayClient,
  traceId: string,
  count = 1,
): Promise<readonly Record<string, unknown>[]> {
  return await eventually(`trace ${traceId} with ${count} segments`, async () => {
    const trace = await readTrace(client, traceId);
    const documents = (trace?.Segments ?? []).map(({ Document = '{}' }) => JSON.parse(Document));
    return documents.length >= count ? documents : undefined;
  });
}

export async function readTrace(client: XRayClient, traceId: string): Promise<Trace | undefined> {
  const { Traces = [] } = await client.send(new BatchGetTracesCommand({ TraceIds: [traceId] }));
  return Traces[0];
}
