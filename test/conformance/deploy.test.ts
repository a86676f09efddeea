import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { describe, it } from 'node:test';
import { parseAllDocuments, parse } from 'yaml';
import { frontOf } from '../../src/cli/fronts/index.ts';
import { runProgram, startProgram } from '../support/program.ts';
import { rootPath } from '../support/root.ts';

/** The files of `deploy/`: each is read as its program reads it, and all agree about ports, paths and users. */
const file = (name: string) => rootPath('deploy', name);
const text = (name: string) => readFileSync(file(name), 'utf8');

interface Endpoints {
  readonly receivers: {
    readonly otlp: { readonly protocols: Readonly<Record<'grpc' | 'http', { readonly endpoint: string }>> };
    readonly awsxray: { readonly endpoint: string; readonly proxy_server: { readonly endpoint: string } };
  };
  readonly extensions: Readonly<Record<'health_check' | 'health', { readonly endpoint: string }>>;
}

/** What the agent's configuration listens on, as `2000/udp`, but for what only the machine itself reaches. */
async function listened(): Promise<readonly string[]> {
  const { receivers, extensions } = await printed('0.0.0.0');
  const port = (endpoint: string): string => endpoint.split(':').at(-1) ?? '';
  return [
    `${port(receivers.awsxray.endpoint)}/udp`,
    `${port(receivers.awsxray.proxy_server.endpoint)}/tcp`,
    `${port(receivers.otlp.protocols.grpc.endpoint)}/tcp`,
    `${port(receivers.otlp.protocols.http.endpoint)}/tcp`,
    `${port(extensions.health_check.endpoint)}/tcp`,
  ];
}

async function printed(host: string | undefined): Promise<Endpoints> {
  const { code, stdout, stderr } = await runProgram(['print-config', file('agent.yaml')], { RAYBRIDGE_LISTEN: host });
  assert.equal(code, 0, stderr);
  return parse(stdout);
}

describe("the agent's configuration", () => {
  it('is valid without a warning, and stays on loopback unless told', async () => {
    const { code, stderr } = await runProgram(['validate', file('agent.yaml')], { RAYBRIDGE_LISTEN: undefined });
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
    const endpoints = JSON.stringify(await printed(undefined)).match(/"endpoint":"[^"]+"/g) ?? [];
    assert.ok(endpoints.length >= 6);
    for (const endpoint of endpoints) assert.match(endpoint, /"127\.0\.0\.1:\d+"/);
  });

  it('listens where SDKs and health checks look by default', async () => {
    assert.deepEqual(await listened(), ['2000/udp', '2000/tcp', '4317/tcp', '4318/tcp', '13133/tcp']);
  });

  it('runs, and the probe of the image finds it well', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'raybridge-deploy-'));
    const endpoints = ['grpc', 'http'].map((name) => `receivers.otlp.protocols.${name}.endpoint`);
    endpoints.push('receivers.awsxray.endpoint', 'receivers.awsxray.proxy_server.endpoint');
    endpoints.push('extensions.health_check.endpoint', 'extensions.health.endpoint');
    const free = endpoints.flatMap((path) => ['--set', `${path}=127.0.0.1:0`]);
    const words = [`--config=${file('agent.yaml')}`, ...free, '--data-dir', folder, '--log-level', 'info'];
    const program = startProgram(words, { AWS_REGION: 'eu-west-1' });
    const probe = join(folder, 'healthcheck');
    symlinkSync(rootPath('dist', 'src', 'cli', 'main.js'), probe);
    try {
      const line = await program.logged('the health check', ({ protocol }) => protocol === 'health check');
      const port = String(line['address']).split(':').at(-1) ?? '';
      assert.equal((await runProgram(['-port', port], {}, probe)).code, 0);
      await program.stop();
      assert.equal((await runProgram(['-port', port], {}, probe)).code, 1);
    } finally {
      await program.stop();
      rmSync(folder, { recursive: true });
    }
  });
});

describe('the image', () => {
  const dockerfile = text('Dockerfile').replaceAll('\\\n', ' ');
  const lines = dockerfile.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const last = (word: string): string =>
    lines.findLast((line) => line.startsWith(`${word} `))?.slice(word.length + 1) ?? '';

  it('runs as nobody in particular, and its health check needs no other program', () => {
    assert.match(last('USER'), /^[1-9]\d*:[1-9]\d*$/);
    const check = /CMD (\[.*\])$/.exec(last('HEALTHCHECK'))?.[1] ?? '';
    assert.deepEqual(JSON.parse(check), ['/healthcheck']);
    assert.doesNotMatch(dockerfile, /curl|wget/);
  });

  it('exposes what its configuration listens on', async () => {
    assert.deepEqual(last('EXPOSE').split(' ').toSorted(), (await listened()).toSorted());
    assert.match(last('ENV'), /RAYBRIDGE_LISTEN=0\.0\.0\.0/);
    const [command = ''] = JSON.parse(last('CMD'));
    assert.ok(dockerfile.includes(`COPY deploy/agent.yaml ${command.replace('--config=', '')}`), command);
  });

  it('has links only under names that are stood in for', () => {
    const [, paths = ''] = /for path in ([^;]+);/.exec(dockerfile) ?? [];
    for (const path of paths.trim().split(/\s+/)) {
      if (basename(path) === 'raybridge') continue;
      assert.ok(frontOf(['node', path]), path);
    }
  });

  it('copies what there is', () => {
    for (const [, source = ''] of dockerfile.matchAll(/^COPY (?!--from)(\S+) /gm))
      assert.ok(existsSync(rootPath(source)), source);
  });
});

describe('the task definition for ECS', () => {
  it('has a sidecar with the ports, the user, the files and the health check of the image', async () => {
    const { containerDefinitions, volumes } = JSON.parse(text('ecs-task-definition.json'));
    const [shop, sidecar] = containerDefinitions;
    const ports = sidecar.portMappings.map(
      ({ containerPort, protocol }: { containerPort: number; protocol: string }) => `${containerPort}/${protocol}`,
    );
    assert.deepEqual([...ports, '13133/tcp'], await listened());
    const dockerfile = text('Dockerfile');
    assert.ok(dockerfile.includes(` ${sidecar.command[0].replace('--config=', '')} `), sidecar.command[0]);
    assert.ok(dockerfile.includes(`VOLUME ${sidecar.mountPoints[0].containerPath}`));
    assert.ok(dockerfile.includes(`USER ${sidecar.user}`));
    assert.equal(sidecar.mountPoints[0].sourceVolume, volumes[0].name);
    assert.deepEqual(sidecar.healthCheck.command, ['CMD', '/healthcheck']);
    assert.deepEqual(shop.dependsOn, [{ containerName: sidecar.name, condition: 'HEALTHY' }]);
    // Deliveries under way have 20 seconds.
    assert.ok(sidecar.stopTimeout > 20);
  });
});

describe('the manifests for Kubernetes', () => {
  it('put a DaemonSet behind aws-xray.xray:2000, on ports that the image listens on', async () => {
    const documents = parseAllDocuments(text('kubernetes.yaml'));
    for (const document of documents) assert.deepEqual(document.errors, []);
    const byKind = new Map(documents.map((document) => [document.toJS().kind, document.toJS()]));
    const [service, daemonSet] = [byKind.get('Service'), byKind.get('DaemonSet')];
    assert.deepEqual([service.metadata.name, service.metadata.namespace], ['aws-xray', 'xray']);
    assert.equal(byKind.get('Namespace').metadata.name, 'xray');
    const { labels } = daemonSet.spec.template.metadata;
    assert.deepEqual(service.spec.selector, labels);
    assert.deepEqual(daemonSet.spec.selector.matchLabels, labels);
    const portOf = ({ port, containerPort, protocol }: Record<string, string | number>): string =>
      `${containerPort ?? port}/${String(protocol).toLowerCase()}`;
    const pod = daemonSet.spec.template.spec;
    const [container] = pod.containers;
    assert.deepEqual(container.ports.map(portOf), await listened());
    assert.deepEqual([...service.spec.ports.map(portOf), '13133/tcp'], await listened());
    assert.equal(pod.serviceAccountName, byKind.get('ServiceAccount').metadata.name);
    assert.equal(pod.securityContext.runAsNonRoot, true);
    assert.equal(container.securityContext.readOnlyRootFilesystem, true);
    assert.deepEqual(container.volumeMounts[0].mountPath, pod.initContainers[0].volumeMounts[0].mountPath);
    assert.ok(pod.terminationGracePeriodSeconds > 20);
  });
});

describe('the unit for systemd', () => {
  const unit = text('raybridge.service');

  it('keeps away from the X-Ray daemon, is not root, and starts what the program understands', async () => {
    assert.match(unit, /^Conflicts=xray\.service$/m);
    assert.match(unit, /^DynamicUser=yes$/m);
    const [, command = ''] = /^ExecStart=(.*)$/m.exec(unit) ?? [];
    const [, subcommand, ...words] = command.split(' ');
    assert.equal(subcommand, 'serve');
    const own = words.map((word) => word.replace('/etc/raybridge/agent.yaml', file('agent.yaml')));
    const { code, stderr } = await runProgram(['validate', ...own]);
    assert.equal(code, 0, stderr);
    assert.ok(Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)?.[1]) > 20);
  });

  it('is one that systemd takes', (t) => {
    if (spawnSync('systemd-analyze', ['--version']).status !== 0) return t.skip('no systemd-analyze here');
    const folder = mkdtempSync(join(tmpdir(), 'raybridge-unit-'));
    try {
      const program = join(folder, 'raybridge');
      writeFileSync(program, '#!/bin/sh\n');
      chmodSync(program, 0o755);
      const path = join(folder, 'raybridge.service');
      writeFileSync(path, unit.replace('/usr/bin/raybridge', program));
      const { status, stderr } = spawnSync('systemd-analyze', ['verify', path], { encoding: 'utf8' });
      const told = stderr.split('\n').filter((line) => line.includes('raybridge.service'));
      assert.deepEqual({ status, told }, { status: 0, told: [] });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
