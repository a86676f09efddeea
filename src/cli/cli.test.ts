import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { text } from 'node:stream/consumers';
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
