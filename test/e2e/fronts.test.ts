import { CreateSamplingRuleCommand, GetSamplingRulesCommand } from '@aws-sdk/client-xray';
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { encodeTraces } from '../../src/codec/index.ts';
import { eventually } from '../support/eventually.ts';
import { type FakeXray, openFakeXray } from '../support/fake-xray.ts';
import { type Program, runProgram, startProgram } from '../support/program.ts';
import { startRaybridge } from '../support/raybridge.ts';
import { rootPath } from '../support/root.ts';
import { testSpan } from '../support/span.ts';
import { openXrayClient } from '../support/xray-client.ts';

/**
 * The programs that Raybridge stands in for, as their users have them today: their files, unchanged but
 * for addresses, and their command lines.
 */
const file = (...steps: string[]) => rootPath('test', 'fixtures', 'configurations', ...steps);
const credentials = { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret', AWS_REGION: 'eu-west-1' };
const segment =
  '{"trace_id":"1-6553f100-00f1e2d3c4b5a69788796a5b","id":"1b07842d944e7141","name":"shop","start_time":1.7E9,"end_time":1700000000.50}';

let folder: string;
let aws: FakeXray;
let programs: Program[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'raybridge-fronts-'));
  aws = await openFakeXray();
  programs = [];
});
afterEach(async () => {
  for (const program of programs.toReversed()) await program.stop();
  await aws.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('in place of other programs', () => {
  it('Fluent Bit hands on to ADOT, and ADOT to X-Ray', async () => {
    const adot = start('adot', [
      'otelcol',
      `--config=${file('otelcol', 'seed', 'otel.yaml')}`,
      ...sets({
        'exporters.awsxray.endpoint': aws.endpoint,
        'exporters.awsxray.region': 'eu-west-1',
        'service.telemetry.logs.level': 'info',
      }),
      ...otlpOnFreePorts,
    ]);
    const otlp = await listening(adot, 'OTLP HTTP');
    const [host = '', port = ''] = otlp.split(':');
    const config = readFileSync(file('fluent-bit', 'seed', 'fluent-bit.conf'), 'utf8')
      .replace('host 0.0.0.0', 'listen 127.0.0.1')
      .replace('port 3000', 'port 0')
      .replace('aws-adot', host)
      .replace('4318', port);
    const path = write('fluent-bit.conf', config);
    assert.equal((await runProgram(['fluent-bit', '-D', '-c', path])).stdout, 'configuration test is successful\n');

    const fluent = start('fluent', ['fluent-bit', '-c', path]);
    const address = await eventually('the input', async () => /listening on (\S+)/.exec(fluent.errors())?.[1]);
    assert.equal(await post(`http://${address}/v1/traces`), 200);
    const document = await eventually('the document', async () => aws.taken[0]);
    assert.equal(JSON.parse(document).id, testSpan().spanId);
  });

  it('the daemon in its form for Kubernetes takes what the X-Ray SDK sends, byte for byte', async () => {
    const config = readFileSync(file('xray-daemon', 'seed', 'config.yaml'), 'utf8')
      .replace('Endpoint: ""', `Endpoint: "${aws.endpoint}"`)
      .replaceAll('0.0.0.0:2000', '127.0.0.1:0');
    const daemon = start('daemon', ['xray', '-o', '-n', 'eu-west-1', '-c', write('config.yaml', config)]);
    const udp = await eventually(
      'the daemon',
      async () => /Listening for segments on (\S+)/.exec(daemon.errors())?.[1],
    );
    const tcp = /Starting proxy http server on (\S+)/.exec(daemon.errors())?.[1];
    assert.match(daemon.errors(), /^\S+Z \[Info\] Using region: eu-west-1$/m);
    assert.match(daemon.errors(), /^\S+Z \[Warn\] .*Logging\.LogLevel: "pro" is not a level .*; using info$/m);

    await sendSegment(udp, segment);
    assert.equal(await eventually('the segment', async () => aws.taken[0]), segment);

    const sdk = fork(rootPath('dist', 'test', 'interop', 'xray-sdk-program.js'), {
      env: { ...process.env, AWS_XRAY_DAEMON_ADDRESS: `tcp:${tcp} udp:${udp}` },
      stdio: ['pipe', 'pipe', 'inherit', 'ipc'],
    });
    try {
      sdk.stdin?.write('go\n');
      const document = await eventually('the segment of the SDK', async () => aws.taken[1]);
      const { name, annotations, subsegments } = JSON.parse(document);
      assert.deepEqual([name, annotations, subsegments[0].name], ['legacy-orders', { tenant: 'acme' }, 'DynamoDB']);
    } finally {
      sdk.kill();
    }
  });

  it("ADOT's default configuration takes OTLP and segments, and answers for the metrics that it ignores", async () => {
    const adot = start('adot', [
      'otelcol',
      '--config',
      file('otelcol', 'aws-otel-collector', 'config.yaml'),
      ...sets({
        'exporters.awsxray.endpoint': aws.endpoint,
        'receivers.awsxray.endpoint': '127.0.0.1:0',
        'receivers.awsxray.proxy_server.endpoint': '127.0.0.3:0',
        'extensions.health_check.endpoint': '127.0.0.2:0',
      }),
      ...otlpOnFreePorts,
    ]);
    const http = await listening(adot, 'OTLP HTTP');
    assert.equal(await post(`http://${http}/v1/traces`), 200);
    assert.equal(await post(`http://${http}/v1/metrics`, new Uint8Array()), 200);
    assert.equal(await post(`http://${http}/v1/logs`, new Uint8Array()), 404);
    await sendSegment(await listening(adot, 'X-Ray segments'), segment);
    await eventually('both', async () => (aws.taken.length === 2 ? true : undefined));
    assert.ok(aws.taken.includes(segment));
    const health = await fetch(`http://${await listening(adot, 'health check')}/`);
    assert.match(await health.text(), /"status":"Server available"/);
    assert.match(adot.errors(), /pipeline "metrics" ignored: Raybridge handles traces only/);
  });

  it('the CloudWatch agent is fetched, started, asked and stopped by its control script', async () => {
    const env = { ...credentials, RAYBRIDGE_CWAGENT_ROOT: folder };
    const ctl = (...words: string[]) => runProgram(['amazon-cloudwatch-agent-ctl', ...words], env);
    assert.deepEqual(JSON.parse((await ctl('-m', 'ec2', '-a', 'status')).stdout).status, 'stopped');
    const config = JSON.parse(readFileSync(file('cloudwatch-agent', 'seed', 'amazon-cloudwatch-agent.json'), 'utf8'));
    // The addresses, which the file leaves to the defaults.
    Object.assign(config.traces, { endpoint_override: aws.endpoint });
    Object.assign(config.traces.traces_collected.xray, {
      bind_address: '127.0.0.1:0',
      tcp_proxy: { bind_address: '127.0.0.3:0' },
    });
    Object.assign(config.traces.traces_collected.otlp, { grpc_endpoint: '127.0.0.1:0', http_endpoint: '127.0.0.2:0' });
    const path = write('amazon-cloudwatch-agent.json', JSON.stringify(config, undefined, 2));

    const fetched = await ctl('-a', 'fetch-config', '-m', 'ec2', '-s', '-c', `file:${path}`);
    assert.equal(fetched.code, 0, fetched.stderr + fetched.stdout);
    assert.match(
      fetched.stdout,
      /Successfully fetched the config and saved in .*\nStart configuration validation\.\.\.\n/,
    );
    assert.match(fetched.stdout, /Configuration validation succeeded\n/);
    try {
      const status = await ctl('-m', 'ec2', '-a', 'status');
      assert.match(
        status.stdout,
        /^\{\n {2}"status": "running",\n {2}"starttime": "\d{4}-\d\d-\d\dT[\d:]+\+00:00",\n {2}"configstatus": "configured",\n {2}"version": ".*"\n\}\n$/,
      );
      const log = readFileSync(join(folder, 'logs', 'amazon-cloudwatch-agent.log'), 'utf8');
      const address = (protocol: string) =>
        new RegExp(`"protocol":"${protocol}","transport":"\\w+","address":"([^"]+)"`).exec(log)?.[1] ?? '';
      assert.equal(await post(`http://${address('OTLP HTTP')}/v1/traces`), 200);
      await sendSegment(address('X-Ray segments'), segment);
      await eventually('both', async () => (aws.taken.length === 2 ? true : undefined));
    } finally {
      const stopped = await ctl('-a', 'stop');
      assert.equal(stopped.code, 0, stopped.stderr);
    }
    assert.equal((await ctl('-a', 'stop')).stdout, 'amazon-cloudwatch-agent has already been stopped\n');

    const broken = await ctl(
      '-a',
      'append-config',
      '-c',
      `file:${file('cloudwatch-agent', 'seed', 'amazon-cloudwatch-agent.as-printed.json')}`,
    );
    assert.deepEqual([broken.code, /^E! .*as-printed\.json/m.test(broken.stderr)], [1, true], broken.stderr);
    assert.equal(JSON.parse((await ctl('-a', 'status')).stdout).configstatus, 'configured');
  });

  it('sampling rules come through the port of the daemon from another X-Ray, which verifies who asks', async () => {
    const keys = [
      'extensions.xray_api.auth.keys=[{access_key_id: AKIDEXAMPLE, secret_access_key: a-secret-of-some-length, role: admin}]',
      'extensions.xray_api.auth.regions=[eu-west-1]',
      'extensions.xray_api.auth.enforce_on_loopback=true',
    ];
    const upstream = await startRaybridge(
      join(folder, 'upstream'),
      keys.flatMap((set) => ['--set', set]),
    );
    const signer = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'a-secret-of-some-length' };
    try {
      const client = openXrayClient(upstream.addresses.api, { ...signer, region: 'eu-west-1' });
      const SamplingRule = {
        RuleName: 'mine',
        ResourceARN: '*',
        Priority: 1,
        FixedRate: 0.5,
        ReservoirSize: 1,
        ServiceName: '*',
        ServiceType: '*',
        Host: '*',
        HTTPMethod: '*',
        URLPath: '*',
        Version: 1,
      };
      await eventually('the store', async () =>
        client.send(new CreateSamplingRuleCommand({ SamplingRule })).catch(() => undefined),
      );
      const config = write(
        'cfg.yaml',
        `Version: 2\nEndpoint: http://${upstream.addresses.api}\nSocket: {UDPAddress: "127.0.0.1:0", TCPAddress: "127.0.0.1:0"}\n`,
      );
      const daemon = start('daemon', ['xray', '-o', '-n', 'eu-west-1', '-c', config], {
        AWS_SECRET_ACCESS_KEY: signer.secretAccessKey,
      });
      const tcp = await eventually(
        'the proxy',
        async () => /Starting proxy http server on (\S+)/.exec(daemon.errors())?.[1],
      );
      // The daemon asks nobody to sign; whatever the caller signs with does not pass.
      const asked = openXrayClient(tcp, { accessKeyId: 'anybody', secretAccessKey: 'anything' });
      const { SamplingRuleRecords } = await asked.send(new GetSamplingRulesCommand({}));
      assert.deepEqual(
        SamplingRuleRecords?.map(({ SamplingRule: rule }) => rule?.RuleName),
        ['mine', 'Default'],
      );
      // Nothing else passes, and no page of a browser.
      assert.equal((await fetch(`http://${tcp}/TraceSegments`, { method: 'POST', body: '{}' })).status, 404);
      assert.equal(
        (await fetch(`http://${tcp}/GetSamplingRules`, { method: 'POST', headers: { origin: 'http://evil.example' } }))
          .status,
        403,
      );
      assert.equal((await fetch(`http://${tcp}/GetSamplingRules`)).status, 405);
      assert.equal(
        (await fetch(`http://${tcp}/GetSamplingRules`, { method: 'POST', body: 'x'.repeat(300_000) })).status,
        413,
      );
    } finally {
      await upstream.kill('SIGTERM');
    }
  });

  it('answers under the names of the programs', async () => {
    const named = async (name: string, ...words: string[]) => {
      const link = join(folder, name);
      symlinkSync(rootPath('dist', 'program', 'raybridge.js'), link);
      return await runProgram(words, {}, link);
    };
    assert.match((await named('xray', '-version')).stdout, /^AWS X-Ray daemon version: 3\.6\.6/);
    assert.match((await named('awscollector', '--version')).stdout, /^otelcol version /);
    assert.match((await named('fluent-bit', '-V')).stdout, /^Fluent Bit v/);
    assert.equal((await named('healthcheck', '-port', '1')).code, 1);
    const unknown = await runProgram(['xray', '-x']);
    assert.deepEqual([unknown.code, unknown.stderr.split('\n')[0]], [2, 'flag provided but not defined: -x']);
    const nothing = await runProgram(['otelcol']);
    assert.deepEqual([nothing.code, nothing.stderr], [1, 'Error: at least one config flag must be provided\n']);
    const content = await runProgram(['otelcol', 'validate', '--config', '/nowhere'], {
      AOT_CONFIG_CONTENT: readFileSync(file('otelcol', 'seed', 'otel.yaml'), 'utf8'),
    });
    assert.equal(content.code, 0, content.stderr);
    assert.match(content.stderr, /AOT_CONFIG_CONTENT is set: --config and --set are ignored/);
  });
});

const otlpOnFreePorts = sets({
  'receivers.otlp.protocols.grpc.endpoint': '127.0.0.1:0',
  'receivers.otlp.protocols.http.endpoint': '127.0.0.1:0',
});

function sets(values: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(values).map(([path, value]) => `--set=${path}=${value}`);
}

function start(name: string, words: readonly string[], env: Readonly<Record<string, string>> = {}): Program {
  const program = startProgram(words, { ...credentials, RAYBRIDGE_DATA_DIR: join(folder, name), ...env });
  programs.push(program);
  return program;
}

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

async function listening(program: Program, protocol: string): Promise<string> {
  const line = await program.logged(protocol, (one) => one.msg === 'listening' && one['protocol'] === protocol);
  return String(line['address']);
}

async function post(url: string, body: Uint8Array = encodeTraces([testSpan({})])): Promise<number> {
  const headers = { 'content-type': 'application/x-protobuf' };
  return (await fetch(url, { method: 'POST', headers, body: Buffer.from(body) })).status;
}

async function sendSegment(address: string, document: string): Promise<void> {
  const [host, port] = address.split(':');
  const socket = createSocket('udp4');
  socket.send(`{"format":"json","version":1}\n${document}`, Number(port), host, () => socket.close());
  await once(socket, 'close');
}
