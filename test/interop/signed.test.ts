import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import {
  BatchGetTracesCommand,
  GetSamplingRulesCommand,
  PutTraceSegmentsCommand,
  XRayClient,
} from '@aws-sdk/client-xray';
import { SpanStatusCode } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import { encodeTraces } from '../../src/codec/index.ts';
import { toXrayTraceId } from '../../src/model/index.ts';
import { sendHttp } from '../support/http.ts';
import { type RunningRaybridge, startRaybridge } from '../support/raybridge.ts';
import { ruleOf } from '../support/sampling-rules.ts';
import { sign } from '../support/sign.ts';
import { testSpan } from '../support/span.ts';
import { readDocuments } from '../support/xray-client.ts';

const secrets = {
  AKIDWRITE: 'the secret of the writer',
  AKIDREAD: 'the secret of the reader',
  AKIDADMIN: 'the secret of the admin',
};
const rule = ruleOf({ RuleName: 'signed', Priority: 1, FixedRate: 0.1, ReservoirSize: 1 });
const absent = { traceId: `1-00000001-${'0'.repeat(24)}` };

describe('a Raybridge that other machines reach', () => {
  let raybridge: RunningRaybridge;
  let folder: string;
  /** host:port by loopback: what arrives there is treated as on any other interface. */
  let api: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'raybridge-signed-'));
    await writeFile(join(folder, 'reader'), `${secrets.AKIDREAD}\n`);
    process.env['RAYBRIDGE_TEST_SECRET'] = secrets.AKIDWRITE;
    const keys = [
      '{access_key_id: AKIDWRITE, secret_access_key: "${env:RAYBRIDGE_TEST_SECRET}", role: write}',
      `{access_key_id: AKIDREAD, secret_access_key: "\${file:${join(folder, 'reader')}}", role: read}`,
      `{access_key_id: AKIDADMIN, secret_access_key: ${secrets.AKIDADMIN}, role: admin}`,
    ];
    const auth = `extensions.xray_api.auth={regions: [us-east-1], keys: [${keys.join(', ')}]}`;
    raybridge = await startRaybridge(folder, ['--set', 'extensions.xray_api.endpoint=0.0.0.0:0', '--set', auth]);
    api = raybridge.addresses.api.replace('0.0.0.0', '127.0.0.1');
  });
  after(async () => {
    await raybridge.kill('SIGTERM');
    await rm(folder, { recursive: true, force: true });
    delete process.env['RAYBRIDGE_TEST_SECRET'];
  });

  function openClient(accessKeyId: string, secretAccessKey: string): XRayClient {
    return new XRayClient({
      endpoint: `http://${api}`,
      region: 'us-east-1',
      credentials: { accessKeyId, secretAccessKey },
      maxAttempts: 1,
    });
  }

  const writer = (): XRayClient => openClient('AKIDWRITE', secrets.AKIDWRITE);
  const reader = (): XRayClient => openClient('AKIDREAD', secrets.AKIDREAD);

  it('takes what the AWS SDK signs with a key to write, and shows it to a key to read', async () => {
    const traceId = await putSegment(writer());
    assert.equal((await readDocuments(reader(), traceId)).length, 1);
    const { SamplingRuleRecords: rules = [] } = await writer().send(new GetSamplingRulesCommand({}));
    assert.equal(rules.length, 1);
  });

  it('refuses the AWS SDK by the names that it knows', async () => {
    const read = new BatchGetTracesCommand({ TraceIds: [absent.traceId] });
    for (const [client, name] of [
      [openClient('AKIDREAD', 'another secret'), 'InvalidSignatureException'],
      [openClient('AKIDNOBODY', secrets.AKIDREAD), 'UnrecognizedClientException'],
      [writer(), 'AccessDeniedException'],
    ] as const) {
      await assert.rejects(client.send(read), { name });
    }
    await assert.rejects(putSegment(reader()), { name: 'AccessDeniedException' });
    const unsigned = await fetch(`http://${api}/Traces`, { method: 'POST', body: '{}' });
    assert.equal(unsigned.status, 403);
    assert.equal(unsigned.headers.get('x-amzn-errortype'), 'MissingAuthenticationTokenException');
  });

  it('lets only an admin change a sampling rule, and only once with one signature', async () => {
    const body = Buffer.from(JSON.stringify({ SamplingRule: rule }));
    const headers = { host: api, 'content-type': 'application/json' };
    const request = { method: 'POST', path: '/CreateSamplingRule', headers, body };
    const send = async (accessKeyId: keyof typeof secrets): Promise<() => Promise<number>> => {
      const key = { accessKeyId, secretAccessKey: secrets[accessKeyId], signedAtMs: Date.now() };
      const signed = await sign(request, key);
      return async () => (await sendHttp(api, { ...request, headers: signed })).status;
    };
    assert.equal(await (await send('AKIDWRITE'))(), 403);
    assert.equal(await (await send('AKIDREAD'))(), 403);
    const once = await send('AKIDADMIN');
    assert.deepEqual([await once(), await once()], [200, 403]);
  });

  it('sets the clock of an AWS SDK right that signs an hour late', async () => {
    const client = new XRayClient({
      endpoint: `http://${api}`,
      region: 'us-east-1',
      credentials: { accessKeyId: 'AKIDREAD', secretAccessKey: secrets.AKIDREAD },
      systemClockOffset: -3_600_000,
    });
    const { $metadata: metadata } = await client.send(new BatchGetTracesCommand({ TraceIds: [absent.traceId] }));
    assert.deepEqual([metadata.httpStatusCode, metadata.attempts], [200, 2]);
  });

  it('takes the AWS CLI with the right key only', { skip: skipWithout('aws') }, async () => {
    const words = ['xray', 'batch-get-traces', '--trace-ids', absent.traceId, '--endpoint-url', `http://${api}`];
    const { stdout } = await aws([...words, '--output', 'json'], 'AKIDREAD', secrets.AKIDREAD);
    assert.deepEqual(JSON.parse(stdout).UnprocessedTraceIds, [absent.traceId]);
    for (const [accessKeyId, secretAccessKey, name] of [
      ['AKIDREAD', 'another secret', 'InvalidSignatureException'],
      ['AKIDNOBODY', secrets.AKIDREAD, 'UnrecognizedClientException'],
      ['AKIDWRITE', secrets.AKIDWRITE, 'AccessDeniedException'],
    ] as const) {
      await assert.rejects(aws(words, accessKeyId, secretAccessKey), new RegExp(`\\(${name}\\)`));
    }
    await assert.rejects(aws([...words, '--no-sign-request'], '', ''), /\(MissingAuthenticationTokenException\)/);
  });

  it('takes OTLP that curl signs, and no other', { skip: skipWithout('curl') }, async () => {
    const span = testSpan();
    const body = join(folder, 'spans');
    await writeFile(body, encodeTraces([span]));
    const send = async (user: string): Promise<string> => {
      const signing = user === '' ? [] : ['--aws-sigv4', 'aws:amz:us-east-1:xray', '--user', user];
      const words = ['--silent', '--output', '/dev/null', '--write-out', '%{http_code}', ...signing];
      const header = 'Content-Type: application/x-protobuf';
      const { stdout } = await run('curl', [
        ...words,
        '-H',
        header,
        '--data-binary',
        `@${body}`,
        `http://${api}/v1/traces`,
      ]);
      return stdout;
    };
    assert.equal(await send(`AKIDWRITE:${secrets.AKIDWRITE}`), '200');
    assert.equal(await send(`AKIDREAD:${secrets.AKIDREAD}`), '403');
    assert.equal(await send('AKIDWRITE:another secret'), '401');
    assert.equal(await send(''), '401');
    assert.equal((await readDocuments(reader(), toXrayTraceId(span.traceId))).length, 1);
  });

  it('keeps its secrets to itself', async () => {
    for (const secret of Object.values(secrets)) assert.equal(raybridge.output().includes(secret), false);
  });
});

it('a Raybridge on loopback takes OTLP from the OpenTelemetry JS SDK on the port of the X-Ray API', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'raybridge-otlp-api-'));
  const raybridge = await startRaybridge(folder);
  try {
    const exporter = new OTLPTraceExporter({ url: `http://${raybridge.addresses.api}/v1/traces` });
    const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
    const span = provider.getTracer('interop').startSpan('checkout');
    span.setStatus({ code: SpanStatusCode.ERROR });
    span.end();
    await provider.shutdown();
    const client = new XRayClient({
      endpoint: `http://${raybridge.addresses.api}`,
      region: 'us-east-1',
      credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
    });
    const [document] = await readDocuments(client, toXrayTraceId(span.spanContext().traceId));
    assert.equal(document?.['fault'], true);
  } finally {
    await raybridge.kill('SIGTERM');
    await rm(folder, { recursive: true, force: true });
  }
});

async function putSegment(client: XRayClient): Promise<string> {
  const seconds = Date.now() / 1000;
  const traceId = `1-${Math.floor(seconds).toString(16)}-0123456789abcdef01234567`;
  const segment = { name: 'signed', id: '5a1b2c3d4e5f6071', trace_id: traceId, start_time: seconds, end_time: seconds };
  await client.send(new PutTraceSegmentsCommand({ TraceSegmentDocuments: [JSON.stringify(segment)] }));
  return traceId;
}

const run = promisify(execFile);

async function aws(
  words: readonly string[],
  accessKeyId: string,
  secretAccessKey: string,
): Promise<{ stdout: string }> {
  return await run('aws', words, {
    env: {
      PATH: process.env['PATH'],
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_DEFAULT_REGION: 'us-east-1',
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_MAX_ATTEMPTS: '1',
    },
  });
}

/** The reason to skip, if the program is not installed. */
function skipWithout(program: string): string | false {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' });
    return false;
  } catch {
    return process.env['RAYBRIDGE_REQUIRE_CLIENTS'] === undefined && `${program} is not installed`;
  }
}
