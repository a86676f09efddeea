import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { openShop, type Shop } from '../../src/demo/shop.ts';
import { assertAccessible, openBrowser, openPage, skipWithoutBrowser } from '../support/browser.ts';
import { type RunningRaybridge, startRaybridge } from '../support/raybridge.ts';

/** The plan of the demo: order 2 ends in a fault of the stock database. */
const faultyOrder = 2;
const faultMessage = /deadlock detected while updating relation "goods"/;

describe('the console', { skip: skipWithoutBrowser }, () => {
  let raybridge: RunningRaybridge;
  let shop: Shop;
  let browser: Browser;
  let page: Page;
  let address: string;

  before(async () => {
    raybridge = await startRaybridge(await mkdtemp(join(tmpdir(), 'raybridge-e2e-')));
    const { api, otlpHttp, udp, tcp } = raybridge.addresses;
    address = `http://${api}`;
    shop = await openShop({
      port: 0,
      broken: undefined,
      otlpEndpoint: `http://${otlpHttp}`,
      daemonAddress: `tcp:${tcp} udp:${udp}`,
    });
    browser = await openBrowser();
  });
  after(async () => {
    await browser?.close();
    await shop?.close();
    await raybridge?.kill('SIGTERM');
    await rm(raybridge.dataDir, { recursive: true, force: true });
  });

  it('says what to do before the first trace', async () => {
    page = await openPage(browser, address);
    await page.getByRole('heading', { name: 'Waiting for the first trace' }).waitFor();
    await page.getByText(`udp:${raybridge.addresses.udp}`).first().waitFor();
    await page.getByRole('tab', { name: 'OpenTelemetry' }).click();
    await page.getByText(`OTEL_EXPORTER_OTLP_ENDPOINT=http://${raybridge.addresses.otlpHttp}`).first().waitFor();
    await assertAccessible(page);
  });

  it('notices the first trace by itself', async () => {
    await shop.placeOrder(1);
    await page.getByRole('heading', { name: /First trace: POST \/orders/ }).waitFor();
    await assertAccessible(page);
  });

  it('lists a faulty trace, opens it, and shows the message of its exception', async () => {
    await shop.placeOrder(faultyOrder);
    await page.goto(`${address}/traces?q=fault`);
    await page
      .getByRole('row', { name: /POST \/orders/ })
      .first()
      .click();
    const waterfall = page.getByRole('treegrid', { name: 'Waterfall' });
    await waterfall.waitFor();
    await assertAccessible(page);

    await waterfall
      .getByRole('row', { name: /stock@stock-db.*fault/i })
      .first()
      .click();
    await page.getByRole('tab', { name: /Exceptions/ }).click();
    await page.getByRole('tabpanel').getByText(faultMessage).first().waitFor();
    await page.getByRole('tab', { name: 'Raw' }).click();
    await page
      .getByRole('tabpanel')
      .getByText(/"sanitized_query"/)
      .first()
      .waitFor();
    await assertAccessible(page);
  });

  it('walks the waterfall by keyboard', async () => {
    const waterfall = page.getByRole('treegrid', { name: 'Waterfall' });
    const rows = await waterfall.getByRole('row').count();
    await waterfall.locator('[role="row"][tabindex="0"]').focus();
    await page.keyboard.press('Home');
    await page.keyboard.press('ArrowLeft');
    await waterfall.locator('[aria-expanded="false"]').first().waitFor();
    assert.ok((await waterfall.getByRole('row').count()) < rows, 'a collapsed segment hides what is in it');
    await page.keyboard.press('ArrowRight');
    await waterfall.locator('[aria-expanded="true"]').first().waitFor();
  });

  it('draws the map with the failing node in red', async () => {
    await page.goto(`${address}/map`);
    const node = page.getByLabel(/^stock@stock-db.*fault/i).first();
    await node.waitFor();
    await assertAccessible(page);
    const stroke = await page.evaluate(
      `getComputedStyle(document.querySelector('[aria-label^="stock@stock-db"] circle[data-outcome="fault"]')).stroke`,
    );
    const [red = 0, green = 0, blue = 0] = String(stroke).match(/\d+/g)?.map(Number) ?? [];
    assert.ok(red > 2 * green && red > 2 * blue, `part of the ring is red, got ${String(stroke)}`);
    await node.click();
    await page.getByRole('complementary', { name: 'Details' }).getByText(/Fault/).first().waitFor();
  });

  it('says in words what is wrong with a filter expression', async () => {
    await page.goto(`${address}/traces?q=${encodeURIComponent('responsetime > fast')}`);
    await page
      .getByRole('alert')
      .getByText(/responsetime takes a number/)
      .waitFor();
    await assertAccessible(page);
  });

  for (const colorScheme of ['light', 'dark'] as const) {
    it(`has no serious fault for axe in ${colorScheme} on any page`, async () => {
      for (const path of ['/', '/traces', '/map']) {
        const themed = await openPage(browser, `${address}${path}`, { colorScheme });
        await themed
          .getByText(/shop-api|POST \/orders/)
          .first()
          .waitFor();
        await assertAccessible(themed);
        await themed.close();
      }
    });
  }
});
