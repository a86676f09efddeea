/** The pictures of docs/images: each page with the demo's data, and the first page before any trace. */
import { mkdirSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { openShop } from '../src/demo/shop.ts';
import { openBrowser, openPage } from '../test/support/browser.ts';
import { eventually } from '../test/support/eventually.ts';
import { withRaybridge } from '../test/support/raybridge.ts';
import { rootPath } from '../test/support/root.ts';

const orders = 24;
/** Whose pictures without any trace are taken too. */
const plainPages = [
  'traces',
  'map',
  'services',
  'exceptions',
  'insights',
  'sampling',
  'groups',
  'pipelines',
  'compare',
];

mkdirSync(rootPath('docs', 'images'), { recursive: true });
await withRaybridge(async ({ addresses: { api, otlpHttp, udp, tcp } }) => {
  const address = `http://${api}`;
  const browser = await openBrowser();
  const shop = await openShop({
    port: 0,
    broken: undefined,
    otlpEndpoint: `http://${otlpHttp}`,
    daemonAddress: `tcp:${tcp} udp:${udp}`,
  });
  try {
    const first = await openPage(browser, address);
    await first.getByRole('heading', { name: 'Waiting for the first trace' }).waitFor();
    await take(first, 'first-run');
    for (const name of plainPages) await takePage(first, { address, name, as: `${name}-empty` });
    for (let order = 1; order <= orders; order++) await shop.placeOrder(order);
    const traceId = await faultyTrace(address);

    const page = await openPage(browser, address);
    await page
      .getByRole('row', { name: /stock@stock-db/ })
      .first()
      .waitFor();
    await take(page, 'home');
    await page.goto(`${address}/traces`);
    await page
      .getByRole('row', { name: /POST \/orders/ })
      .first()
      .waitFor();
    await take(page, 'traces');
    await page.goto(`${address}/map`);
    await page
      .getByLabel(/^stock@stock-db/)
      .first()
      .click();
    await page.getByRole('complementary', { name: 'Details' }).waitFor();
    await take(page, 'map');
    await page.goto(`${address}/traces/${traceId}`);
    const waterfall = page.getByRole('treegrid', { name: 'Waterfall' });
    await waterfall
      .getByRole('row', { name: /stock@stock-db.*fault/i })
      .first()
      .click();
    await page.getByRole('tab', { name: /Exceptions/ }).click();
    await take(page, 'trace');
    // Those that fail are the fastest.
    await page.goto(`${address}/traces?brush=0.001~${await fastQuarter(address)}`);
    await page.getByRole('region', { name: 'What is different' }).getByRole('listitem').first().waitFor();
    await take(page, 'explore');
    await page.goto(`${address}/traces/${traceId}?view=flame`);
    await page.getByRole('listbox', { name: 'Flame graph' }).waitFor();
    await take(page, 'flame');
    await page.goto(`${address}/compare?a=${traceId}`);
    await page.getByRole('table', { name: 'Both traces' }).waitFor();
    await take(page, 'compare');
    await page.goto(`${address}/sampling?select=*`);
    await page.getByLabel('Name', { exact: true }).fill('orders');
    await page.getByLabel('URL path').fill('/orders');
    await page.getByLabel('Rate of the rest (0 to 1)').fill('0.1');
    await page.getByLabel('Reservoir (requests a second)').fill('0');
    await page.getByRole('table', { name: 'Preview by service' }).waitFor();
    await take(page, 'sampling');
    for (const name of ['services', 'exceptions', 'pipelines', 'groups', 'insights']) {
      await takePage(page, { address, name, as: name });
    }
    const dark = await openPage(browser, `${address}/map`, { colorScheme: 'dark' });
    await dark
      .getByLabel(/^stock@stock-db/)
      .first()
      .waitFor();
    await take(dark, 'map-dark');
  } finally {
    await browser.close();
    await shop.close();
  }
});

async function takePage(
  page: Page,
  { address, name, as }: { readonly address: string; readonly name: string; readonly as: string },
): Promise<void> {
  await page.goto(`${address}/${name}`);
  await page.getByRole('heading', { level: 1 }).waitFor({ state: 'attached' });
  await page.waitForLoadState('networkidle');
  await take(page, as);
}

async function take(page: Page, name: string): Promise<void> {
  const path = rootPath('docs', 'images', `${name}.png`);
  await page.screenshot({ path, animations: 'disabled' });
  console.log(path);
}

/** Seconds that a quarter of the traces took at most. */
async function fastQuarter(address: string): Promise<number> {
  const now = Math.floor(Date.now() / 1000);
  const response = await fetch(`${address}/api/traces/points?from=${now - 600}&to=${now + 60}`);
  const { Points } = JSON.parse(await response.text()) as { Points: readonly { readonly ResponseTime: number }[] };
  const seconds = Points.map(({ ResponseTime }) => ResponseTime).toSorted((a, b) => a - b);
  return seconds[seconds.length >> 2] ?? 1;
}

async function faultyTrace(address: string): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  return await eventually('a trace with a fault', async () => {
    const response = await fetch(`${address}/api/traces?filter=fault&from=${now - 600}&to=${now + 60}`);
    const { TraceSummaries } = JSON.parse(await response.text());
    return TraceSummaries[0]?.Id;
  });
}
