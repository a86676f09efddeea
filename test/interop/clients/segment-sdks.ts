import { CreateSamplingRuleCommand, DeleteSamplingRuleCommand } from '@aws-sdk/client-xray';
import assert from 'node:assert/strict';
import { openXrayClient, readDocuments } from '../../support/xray-client.ts';
import type { Product } from './product.ts';

/**
 * Runs a program that uses one of the X-Ray SDKs in a service of this name, under a rule that samples
 * all of it, and reads back what it sent. The program prints the trace ids of the segments it sent.
 */
export async function assertSegmentSdk(
  { api, raybridge }: Product,
  { service, run }: { readonly service: string; run(env: NodeJS.ProcessEnv): Promise<string> },
): Promise<void> {
  const { tcp, udp } = raybridge.addresses;
  const client = openXrayClient(api);
  const RuleName = `all of ${service}`;
  const any = { ResourceARN: '*', ServiceType: '*', Host: '*', HTTPMethod: '*', URLPath: '*', Version: 1 };
  const SamplingRule = { RuleName, ...any, ServiceName: service, Priority: 1, FixedRate: 1, ReservoirSize: 1 };
  await client.send(new CreateSamplingRuleCommand({ SamplingRule }));
  try {
    const printed = await run({ AWS_XRAY_DAEMON_ADDRESS: `tcp:${tcp} udp:${udp}` });
    // One of the SDKs logs to the same stream.
    const traceIds = printed.split('\n').filter((line) => line.startsWith('1-'));
    const segments = await Promise.all(
      traceIds.map(async (traceId) => {
        const documents = await readDocuments(client, traceId);
        return documents.find((document) => document['name'] === service);
      }),
    );
    for (const segment of segments) {
      assert.deepEqual(segment?.['annotations'], { tenant: 'acme' });
      assert.deepEqual(segment?.['metadata'], { default: { cart: { items: [1, 2.5, 'three'] } } });
      const [call] = segment['subsegments'] as { name: string; fault: boolean; cause: { exceptions: object[] } }[];
      assert.deepEqual([call?.name, call?.fault], ['price', true]);
      assert.match(JSON.stringify(call?.cause.exceptions), /no price/);
    }
    const byRule = segments.filter((segment) => JSON.stringify(segment?.['aws']).includes(`"${RuleName}"`));
    assert.ok(byRule.length > 0, `none of ${traceIds.length} segments was sampled by ${RuleName}`);
  } finally {
    await client.send(new DeleteSamplingRuleCommand({ RuleName }));
    client.destroy();
  }
}
