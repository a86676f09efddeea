import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rootPath } from './root.ts';

/** A real Raybridge in a process of its own, on free ports, as a user would start it. */
export interface RunningRaybridge {
  readonly addresses: Addresses;
  readonly dataDir: string;
  readonly pid: number;
  /** Everything printed so far, for messages of failing tests. */
  output(): string;
  /** Sends the signal and waits for the end; the exit code, or null after a signal that kills. */
  kill(signal: NodeJS.Signals): Promise<number | null>;
}

export interface Addresses {
  /** host:port each. */
  readonly otlpGrpc: string;
  readonly otlpHttp: string;
  readonly udp: string;
  readonly tcp: string;
  readonly api: string;
}

/** Components that name the same endpoint share its listener, port 0 included, so each listener has its own address. */
const freePorts = [
  'receivers.otlp.protocols.grpc.endpoint=127.0.0.1:0',
  'receivers.otlp.protocols.http.endpoint=127.0.0.1:0',
  'receivers.awsxray.endpoint=127.0.0.1:0',
  'receivers.awsxray.proxy_server.endpoint=127.0.0.3:0',
  ...['xray_api', 'console', 'health'].map((id) => `extensions.${id}.endpoint=127.0.0.2:0`),
];

/** Starts Raybridge on a data directory; resolves when its banner is complete. */
export async function startRaybridge(
  dataDir: string,
  extraArguments: readonly string[] = [],
): Promise<RunningRaybridge> {
  const words = [
    'serve',
    '--data-dir',
    dataDir,
    '--log-level',
    'warn',
    ...freePorts.flatMap((set) => ['--set', set]),
    ...extraArguments,
  ];
  const child = spawn(process.execPath, [rootPath('dist', 'program', 'raybridge.js'), ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => void (output += text));
  const banner = await new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (output.includes('export AWS_ENDPOINT_URL_XRAY')) resolve(output);
    });
    child.once('exit', (code) => reject(new Error(`raybridge ended with ${code} before it was ready:\n${output}`)));
  });

  return {
    addresses: readAddresses(banner),
    dataDir,
    pid: child.pid ?? 0,
    output: () => output,
    kill: (signal) => kill(child, signal),
  };
}

/** A temporary data directory, and Raybridge on it; both gone after the test. */
export async function withRaybridge(run: (raybridge: RunningRaybridge) => Promise<void>): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'raybridge-'));
  const raybridge = await startRaybridge(dataDir);
  try {
    await run(raybridge);
  } catch (error) {
    process.stderr.write(`Raybridge printed:\n${raybridge.output()}\n`);
    throw error;
  } finally {
    await raybridge.kill('SIGTERM');
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function kill(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  child.kill(signal);
  const [code] = await once(child, 'exit');
  return typeof code === 'number' ? code : null;
}

function readAddresses(banner: string): Addresses {
  const find = (transport: string, protocol: string): string => {
    const address = new RegExp(`${transport} (\\S+:\\d+) .*${protocol}`).exec(banner)?.[1];
    if (address) return address;
    throw new Error(`no ${protocol} on ${transport} in the banner:\n${banner}`);
  };
  return {
    otlpGrpc: find('tcp', 'OTLP gRPC'),
    otlpHttp: find('tcp', 'OTLP HTTP'),
    udp: find('udp', 'X-Ray segments'),
    tcp: find('tcp', 'X-Ray sampling'),
    api: find('tcp', 'X-Ray API'),
  };
}
