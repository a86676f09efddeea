import { setTimeout as wait } from 'node:timers/promises';
import { Command, InvalidArgumentError, Option } from 'commander';
import { dependencies, type Dependency } from '../demo/plan.ts';
import type { Shop } from '../demo/shop.ts';

interface DemoOptions {
  readonly port: number;
  readonly break?: Dependency;
  readonly orders?: number;
  readonly intervalMs: number;
}

/** A small shop to look at: real SDKs, several processes, a fault, a slow call and a throttle. */
export function demoCommand(): Command {
  return new Command('demo')
    .description('run a small shop whose traces go to a running Raybridge')
    .option('--port <port>', "port of the shop's entry", wholeNumber, 5000)
    .addOption(new Option('--break <name>', 'make one dependency fail, as when hunting a fault').choices(dependencies))
    .option('--orders <count>', 'stop after this many orders (without it: until Ctrl C)', wholeNumber)
    .option('--interval-ms <milliseconds>', 'pause between two orders', wholeNumber, 1000)
    .action(demo);
}

async function demo(options: DemoOptions): Promise<void> {
  const { openShop } = await import('../demo/shop.ts');
  const shop = await openShop({
    port: options.port,
    broken: options.break,
    otlpEndpoint: process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] ?? 'http://127.0.0.1:4318',
    daemonAddress: process.env['AWS_XRAY_DAEMON_ADDRESS'] ?? '127.0.0.1:2000',
  });
  process.stdout.write(
    `The shop is open at ${shop.address}: POST /orders, GET /generate, /generate-hierarchical,\n` +
      `/outgoing-http-call, /aws-sdk-call, /outgoing-sampleapp. It places an order every ${options.intervalMs} ms.\n`,
  );
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort());
  await placeOrders(shop, options, stopping.signal);
  await shop.close();
}

async function placeOrders(
  shop: Shop,
  { orders = Infinity, intervalMs }: DemoOptions,
  signal: AbortSignal,
): Promise<void> {
  for (let order = 1; order <= orders && !signal.aborted; order++) {
    process.stdout.write(`order ${order}: ${JSON.stringify(await shop.placeOrder(order))}\n`);
    if (order < orders) await wait(intervalMs, undefined, { signal }).catch(() => {});
  }
}

function wholeNumber(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('expected a whole number');
}
