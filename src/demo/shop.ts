import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { call } from './http.ts';
import { type Dependency, type ProcessName, processes, troubleOf } from './plan.ts';

export interface Shop {
  /** Where the entry listens: http://127.0.0.1:5000. */
  readonly address: string;
  /** Places an order with the trouble planned for its number; the answer's body. */
  placeOrder(order: number): Promise<object>;
  /** Lets every process send its last spans, and ends them. */
  close(): Promise<void>;
}

export interface ShopOptions {
  /** Port of the entry; 0 takes a free one. */
  readonly port: number;
  readonly broken: Dependency | undefined;
  /** OTEL_EXPORTER_OTLP_ENDPOINT and AWS_XRAY_DAEMON_ADDRESS of the processes. */
  readonly otlpEndpoint: string;
  readonly daemonAddress: string;
}

/** Starts the processes of the shop, each knowing the addresses of those it calls. */
export async function openShop(options: ShopOptions): Promise<Shop> {
  const addresses = new Map<ProcessName, string>();
  const children: ChildProcess[] = [];
  for (const name of processes) {
    const child = fork(fileURLToPath(new URL(`./${name}.js`, import.meta.url)), {
      env: { ...process.env, ...environmentOf(options), ...addressVariables(addresses) },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    children.push(child);
    addresses.set(name, await listening(child, name));
  }
  const address = addresses.get('front') ?? '';

  return {
    address,
    async placeOrder(order) {
      const { body } = await call(`${address}/orders`, { body: { order, trouble: troubleOf(order) } });
      return body;
    },
    async close() {
      await wait(lastMessagesMs);
      await Promise.all(children.map(end));
    },
  };
}

/** Messages may still be on their way through the queue, the slowest behind a slow call. */
const lastMessagesMs = 2000;

function environmentOf({ port, broken, otlpEndpoint, daemonAddress }: ShopOptions): Record<string, string> {
  return {
    SHOP_PORT: String(port),
    ...(broken ? { SHOP_BREAK: broken } : {}),
    OTEL_EXPORTER_OTLP_ENDPOINT: otlpEndpoint,
    AWS_XRAY_DAEMON_ADDRESS: daemonAddress,
  };
}

function addressVariables(addresses: ReadonlyMap<ProcessName, string>): Record<string, string> {
  return Object.fromEntries([...addresses].map(([name, address]) => [`SHOP_${name.toUpperCase()}`, address]));
}

async function listening(child: ChildProcess, name: ProcessName): Promise<string> {
  const message = await Promise.race([
    once(child, 'message').then(([first]: unknown[]) => first),
    once(child, 'exit').then(() => undefined),
  ]);
  if (typeof message === 'object' && message !== null && 'listening' in message) return String(message.listening);
  throw new Error(`the demo's process "${name}" ended before it listened`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'exit');
}
