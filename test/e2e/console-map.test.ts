import { PutTraceSegmentsCommand } from '@aws-sdk/client-xray';
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { assertAccessible, openBrowser, openPage, skipWithoutBrowser } from '../support/browser.ts';
import { eventually } from '../support/eventually.ts';
import { type RunningRaybridge, startRaybridge } from '../support/raybridge.ts';
import { openXrayClient } from '../support/xray-client.ts';

const teams = ['checkout', 'search', 'billing', 'support'];
const servicesPerTeam = 140;
const documentsPerCall = 50;

describe('the map of very many services', { skip: skipWithoutBrowser }, () => {
  let raybridge: RunningRaybridge;
  let browser: Browser;
  let page: Page;
  let address: string;
  let sentAt: number;

  before(async () => {
    raybridge = await startRaybridge(await mkdtemp(join(tmpdir(), 'raybridge-map-')));
    address = `http://${raybridge.addresses.api}`;
    sentAt = await sendServices(raybridge.addresses.api);
    browser = await openBrowser();
    page = await openPage(browser, `${address}/map`);
    await page.getByText(/560 are folded into some of them/).waitFor();
  });
  after(async () => {
    await browser?.close();
    await raybridge?.kill('SIGTERM');
    await rm(raybridge.dataDir, { recursive: true, force: true });
  });

  it('is folded, says so, and is opened in place', async () => {
    await assertAccessible(page);
    const team = page.getByLabel(/^search…, Service, 140 nodes folded/);
    await team.focus();
    await page.keyboard.press('Enter');
    const details = page.getByRole('complementary', { name: 'Details' });
    await details.getByRole('heading', { name: 'search… (140)' }).waitFor();
    await details.getByRole('button', { name: 'Show them in the map' }).click();
    await page.getByText(/420 are folded into some of them/).waitFor();
    await page.getByRole('button', { name: 'Fold all again' }).click();
    await page.getByText(/560 are folded into some of them/).waitFor();
  });

  it('has every service in the list', async () => {
    await page.getByRole('button', { name: 'List', exact: true }).click();
    await page.getByText('support-139').first().waitFor();
    await page.getByRole('button', { name: 'Map', exact: true }).click();
  });

  it('is replayed minute by minute', async () => {
    const replay = page.getByRole('region', { name: 'Replay' });
    await replay.getByRole('button', { name: 'Replay minute by minute' }).click();
    const slider = replay.getByRole('slider', { name: 'Minute' });
    const first = await slider.getAttribute('aria-valuetext');
    await slider.focus();
    await page.keyboard.press('ArrowRight');
    await eventually(
      'another minute',
      async () => (await slider.getAttribute('aria-valuetext')) !== first || undefined,
    );
    // Nothing was sent so long ago.
    await page.getByLabel(/^search…, Service, 140 nodes folded, 0 requests/).waitFor();
    await page.keyboard.press('End');
    await page.keyboard.press('ArrowLeft');
    await replay.getByRole('button', { name: 'Play' }).click();
    await replay.getByRole('button', { name: 'Pause' }).waitFor();
    // At the end of the range it stops by itself.
    await replay.getByRole('button', { name: 'Play' }).waitFor();
    assert.equal(await slider.inputValue(), await slider.getAttribute('max'));
    await page.goto(`${address}/map?at=${sentAt - (sentAt % 60)}`);
    await page.getByLabel(/^search…, Service, 140 nodes folded, 140 requests/).waitFor();
    await assertAccessible(page);
    await replay.getByRole('button', { name: 'Whole range' }).click();
    await replay.getByRole('button', { name: 'Replay minute by minute' }).waitFor();
  });
});

/** One trace in which a gateway calls every service of four teams, and when it started; epoch seconds. */
async function sendServices(api: string): Promise<number> {
  const now = Math.floor(Date.now() / 1000) - 5;
  const trace_id = `1-${now.toString(16)}-${'a'.repeat(24)}`;
  const times = { start_time: now, end_time: now + 0.5 };
  const idOf = (at: number): string => (at + 1).toString(16).padStart(16, '0');
  const root = { trace_id, id: 'f'.repeat(16), name: 'gateway', ...times };
  const services = teams.flatMap((team) => Array.from({ length: servicesPerTeam }, (_, at) => `${team}-${at}`));
  const documents = [
    root,
    ...services.map((name, at) => ({ trace_id, id: idOf(at), parent_id: root.id, name, ...times })),
  ].map((document) => JSON.stringify(document));
  const client = openXrayClient(api);
  try {
    for (let at = 0; at < documents.length; at += documentsPerCall) {
      const TraceSegmentDocuments = documents.slice(at, at + documentsPerCall);
      await client.send(new PutTraceSegmentsCommand({ TraceSegmentDocuments }));
    }
    return now;
  } finally {
    client.destroy();
  }
}
