import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { it } from 'node:test';
import { promisify } from 'node:util';
import { PutTraceSegmentsCommand } from '@aws-sdk/client-xray';
import { withRaybridge } from '../support/raybridge.ts';
import { openXrayClient, readDocuments } from '../support/xray-client.ts';

const installed = isInstalled('aws');
const skip = !installed && process.env['RAYBRIDGE_REQUIRE_CLIENTS'] === undefined && 'the AWS CLI is not installed';

it('the AWS CLI reads traces and the service graph', { skip }, async () => {
  await withRaybridge(async ({ addresses }) => {
    const nowSeconds = Date.now() / 1000;
    const traceId = `1-${Math.floor(nowSeconds).toString(16)}-0123456789abcdef01234567`;
    const document = {
      name: 'cli-shop',
      id: '5a1b2c3d4e5f6071',
      trace_id: traceId,
      start_time: nowSeconds,
      end_time: nowSeconds + 0.25,
      http: { request: { method: 'GET', url: 'http://cli.example/' }, response: { status: 200 } },
    };
    const client = openXrayClient(addresses.api);
    await client.send(new PutTraceSegmentsCommand({ TraceSegmentDocuments: [JSON.stringify(document)] }));
    await readDocuments(client, traceId);
    client.destroy();

    const { Traces } = await aws(addresses.api, ['batch-get-traces', '--trace-ids', traceId]);
    assert.deepEqual(JSON.parse(Traces[0].Segments[0].Document), document);
    const range = [
      '--start-time',
      String(Math.floor(nowSeconds) - 60),
      '--end-time',
      String(Math.floor(nowSeconds) + 60),
    ];
    const { Services } = await aws(addresses.api, ['get-service-graph', ...range]);
    assert.deepEqual(
      Services.map(({ Name, Type }: { Name: string; Type?: string }) => [Name, Type]),
      [
        ['cli-shop', 'client'],
        ['cli-shop', undefined],
      ],
    );
  });
});

// The answer of another program; the test looks into it.
// oxlint-disable-next-line typescript/no-explicit-any
async function aws(api: string, words: readonly string[]): Promise<any> {
  const { stdout } = await promisify(execFile)(
    'aws',
    ['xray', ...words, '--endpoint-url', `http://${api}`, '--output', 'json'],
    {
      env: {
        PATH: process.env['PATH'],
        AWS_ACCESS_KEY_ID: 'any',
        AWS_SECRET_ACCESS_KEY: 'any',
        AWS_DEFAULT_REGION: 'us-east-1',
        AWS_EC2_METADATA_DISABLED: 'true',
      },
    },
  );
  return JSON.parse(stdout);
}

function isInstalled(program: string): boolean {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
