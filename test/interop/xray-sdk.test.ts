import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { it } from 'node:test';
import { rootPath } from '../support/root.ts';
import { withRaybridge } from '../support/raybridge.ts';
import { openXrayClient, readDocuments } from '../support/xray-client.ts';

/** The SDK fetches rules when it first decides, and meanwhile decides by its own. */
const requestsMax = 60;

it('aws-xray-sdk-core sends by UDP, samples by our rules, and is read back by @aws-sdk/client-xray', async () => {
  await withRaybridge(async ({ addresses }) => {
    const program = spawn(process.execPath, [rootPath('dist', 'test', 'interop', 'xray-sdk-program.js')], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, AWS_XRAY_DAEMON_ADDRESS: `tcp:${addresses.tcp} udp:${addresses.udp}` },
    });
    const client = openXrayClient(addresses.api);
    const lines = createInterface({ input: program.stdout })[Symbol.asyncIterator]();
    let byRule: Record<string, unknown> | undefined;
    for (let request = 0; request < requestsMax && !byRule; request++) {
      program.stdin.write('go\n');
      const { value: line } = await lines.next();
      const { traceId, sampled } = JSON.parse(String(line));
      if (!sampled) {
        // One request a second is sampled from the reservoir; the next second brings another.
        await new Promise((resolve) => setTimeout(resolve, 250));
        continue;
      }
      const segment = (await readDocuments(client, traceId)).find((document) => document['name'] === 'legacy-orders');
      assert.ok(segment);
      if (ruleOf(segment) === 'Default') byRule = segment;
    }
    program.stdin.end();
    client.destroy();

    assert.ok(byRule, `no segment of ${requestsMax} requests was decided by a rule fetched from Raybridge`);
    assert.equal(byRule['fault'], true);
    assert.deepEqual(byRule['annotations'], { tenant: 'acme' });
    assert.deepEqual(byRule['metadata'], { default: { cart: { items: [1, 2.5, 'three'] } } });
    const [call] = byRule['subsegments'] as { aws: object; cause: { exceptions: { message: string }[] } }[];
    assert.deepEqual(call?.aws, { operation: 'GetItem', table_name: 'orders', region: 'eu-west-1' });
    assert.equal(call?.cause.exceptions[0]?.message, 'the table is gone');
  });
});

function ruleOf(segment: Record<string, unknown>): unknown {
  const { xray } = segment['aws'] as { xray?: { rule_name?: string; sampling_rule_name?: string } };
  return xray?.rule_name ?? xray?.sampling_rule_name;
}
