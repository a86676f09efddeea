import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { text } from 'node:stream/consumers';
import { eventually } from '../../test/support/eventually.ts';
import { startProgram } from '../../test/support/program.ts';
import { rootPath } from '../../test/support/root.ts';

describe('the command line', () => {
  const folder = mkdtempSync(join(tmpdir(), 'raybridge-cli-'));
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('validate accepts the built-in configuration', async () => {
    const { code, stdout } = await run(['validate']);
    assert.deepEqual({ code, stdout }, { code: 0, stdout: 'The configuration is valid.\n' });
  });

  it('validate names file, line, column and the nearest right key', async () => {
    const file = join(folder, 'agent.yaml');
    writeFileSync(
      file,
      'receivers:\n  otlp:\n    protocols:\n      htttp:\nexporters:\n  debug:\nservice:\n  pipelines:\n    traces:\n      receivers: [otlp]\n      exporters: [debug]\n',
    );
    const { code, stderr } = await run(['validate', '--config', file]);
    assert.equal(code, 1);
    assert.match(stderr, /agent\.yaml:4:7: receivers\.otlp\.protocols\.htttp: unknown key/);
    assert.match(stderr, /did you mean "http"\?/);
  });

  it('print-config shows what would run, with what was set', async () => {
    const { code, stdout } = await run(['print-config', '--set', 'extensions.console.endpoint=127.0.0.1:9999']);
    assert.equal(code, 0);
    assert.match(stdout, /console:\n\s+endpoint: 127\.0\.0\.1:9999/);
  });

  it('says at start what listens, where data goes, the region, and what was read', async () => {
    const file = join(folder, 'start.yaml');
    writeFileSync(
      file,
      `receivers: {otlp: {protocols: {http: {endpoint: '127.0.0.1:0'}}}}
exporters:
  awsxray: {endpoint: 'http://127.0.0.1:1', num_workers: 4, sending_queue: {}}
  otlp_http: {endpoint: 'http://127.0.0.1:2/base'}
service:
  telemetry: {metrics: {address: ':8888'}}
  pipelines:
    traces: {receivers: [otlp], exporters: [awsxray, otlp_http]}
    metrics: {receivers: [otlp], exporters: [otlp_http]}
`,
    );
    const env = { AWS_REGION: 'eu-west-1', AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret' };
    const words = ['serve', file, '--data-dir', join(folder, 'start'), '--log-level', 'info'];
    const program = startProgram(words, env);
    try {
      const line = (what: string, matches: (text: string) => boolean) =>
        program.logged(what, (found) => matches(JSON.stringify(found)));
      const read = await program.logged('what was read', ({ sources }) => sources !== undefined);
      assert.deepEqual([read['sources'], read['format'], read['ignoredPipelines']], [[file], 'otelcol', ['metrics']]);
      assert.ok(Number(read['warnings']) >= 3, JSON.stringify(read));
      await line('the listener', (text) => /"protocol":"OTLP HTTP".*"address":"127\.0\.0\.1:\d+"/.test(text));
      const aws = 'sends to http://127.0.0.1:1, region eu-west-1 (from AWS_REGION), 4 workers';
      await line('where awsxray sends to', (text) => text.includes(aws));
      await line('where otlp_http sends to', (text) => text.includes('sends to http://127.0.0.1:2/base/v1/traces'));
      const banner = await eventually('the banner', async () =>
        program.output().includes('OTEL_EXPORTER_OTLP_ENDPOINT') ? program.output() : undefined,
      );
      assert.match(banner, /^ {2}✓ tcp 127\.0\.0\.1:\d+ {2}OTLP HTTP$/m);
      assert.match(banner, /^ {2}→ otlp_http {2}sends to http:\/\/127\.0\.0\.1:2\/base\/v1\/traces$/m);
      assert.match(banner, /^ {2}config {3}\S+start\.yaml \(otelcol\); \d+ warnings; pipelines ignored: metrics$/m);
    } finally {
      await program.stop();
    }
  });

  it('a wrong option is exit code 2', async () => {
    assert.equal((await run(['serve', '--no-such-option'])).code, 2);
  });

  it(
    'a taken port is exit code 1 and names the program that holds it',
    { skip: process.platform !== 'linux' && 'only Linux tells who holds a port' },
    async () => {
      const holder = createServer().listen(0, '127.0.0.1');
      await once(holder, 'listening');
      const { port } = holder.address() as AddressInfo;
      const { code, stderr } = await run([
        'serve',
        '--data-dir',
        join(folder, 'data'),
        '--set',
        `receivers.otlp.protocols.grpc.endpoint=127.0.0.1:${port}`,
      ]);
      holder.close();
      assert.equal(code, 1);
      assert.match(stderr, new RegExp(`error: .*127\\.0\\.0\\.1:${port}.*\\(process ${process.pid}\\)`));
    },
  );

  it('API and console refuse to listen where other machines reach them', async () => {
    const { code, stderr } = await run([
      'serve',
      '--data-dir',
      join(folder, 'data'),
      ...['otlp.protocols.grpc', 'otlp.protocols.http', 'awsxray', 'awsxray.proxy_server'].flatMap((id) => [
        '--set',
        `receivers.${id}.endpoint=127.0.0.1:0`,
      ]),
      '--set',
      'extensions.xray_api.endpoint=0.0.0.0:0',
    ]);
    assert.equal(code, 1);
    assert.match(stderr, /error: xray_api\.endpoint: expected a loopback address.*--insecure-no-auth/);
  });
});

async function run(
  words: readonly string[],
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  const child = spawn(process.execPath, [rootPath('dist', 'program', 'raybridge.js'), ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { code: Number(code), stdout, stderr };
}
