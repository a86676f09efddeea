import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { assertAccessible, openBrowser, openPage, skipWithoutBrowser } from '../support/browser.ts';
import { eventually } from '../support/eventually.ts';
import { type RunningRaybridge, startRaybridge } from '../support/raybridge.ts';

/** The plan: three whole traces of an entry point, and one in which everything is wrong. */
const start = Math.floor(Date.now() / 1000) - 60;
const traceIdOf = (index: number): string => `1-${start.toString(16)}-${String(index).padStart(24, '0')}`;
const [fast, slow, broken] = [traceIdOf(1), traceIdOf(3), traceIdOf(4)];

type Members = Readonly<Record<string, unknown>>;

function documentsOf(index: number, { dbMs, calls }: { dbMs: number; calls: readonly string[] }): readonly Members[] {
  const id = (place: number): string => `${index}${String(place).padStart(15, '0')}`;
  const at = start + index;
  const subsegments = calls.map((name, place) => ({
    id: id(place + 1),
    name,
    namespace: 'remote',
    start_time: at + 0.01 * place,
    end_time: at + 0.01 * place + (name === 'db' ? dbMs / 1000 : 0.01),
  }));
  const http = { request: { method: 'GET', url: 'https://shop.example/cart' }, response: { status: 200 } };
  const segment = { id: id(0), name: 'shop', start_time: at, end_time: at + 0.2 + dbMs / 1000, http, subsegments };
  return [{ trace_id: traceIdOf(index), ...segment }];
}

const brokenDocuments: readonly Members[] = [
  {
    trace_id: broken,
    id: 'a'.repeat(16),
    parent_id: 'f'.repeat(16),
    name: 'carts',
    start_time: start,
    end_time: start + 1,
  },
  {
    trace_id: broken,
    id: 'b'.repeat(16),
    parent_id: 'a'.repeat(16),
    name: 'price',
    start_time: start - 1,
    end_time: start,
  },
];

describe('in the console', { skip: skipWithoutBrowser }, () => {
  let raybridge: RunningRaybridge;
  let browser: Browser;
  let page: Page;
  let address: string;

  before(async () => {
    raybridge = await startRaybridge(await mkdtemp(join(tmpdir(), 'raybridge-e2e-')));
    address = `http://${raybridge.addresses.api}`;
    await send([
      ...documentsOf(1, { dbMs: 20, calls: ['cache', 'db'] }),
      ...documentsOf(2, { dbMs: 30, calls: ['cache', 'db'] }),
      ...documentsOf(3, { dbMs: 800, calls: ['db', 'mail'] }),
      ...brokenDocuments,
    ]);
    await eventually('the list of traces', async () => {
      const answer = await fetch(`${address}/api/traces?from=${start - 60}&to=${start + 600}`);
      // The list of the console, as answers.ts of it has it; an error while the store opens.
      const { TraceSummaries } = (await answer.json()) as { TraceSummaries?: readonly unknown[] };
      return TraceSummaries?.length === 4 ? TraceSummaries : undefined;
    });
    browser = await openBrowser();
  });
  after(async () => {
    await browser?.close();
    await raybridge?.kill('SIGTERM');
    await rm(raybridge.dataDir, { recursive: true, force: true });
  });

  async function send(documents: readonly Members[]): Promise<void> {
    const body = JSON.stringify({ TraceSegmentDocuments: documents.map((document) => JSON.stringify(document)) });
    const answer = await fetch(`${address}/TraceSegments`, { method: 'POST', body });
    assert.equal(answer.status, 200, await answer.text());
  }

  describe('the doctor', () => {
    it('says in a strip what is worst, opens by key, and leads to the segment', async () => {
      page = await openPage(browser, `${address}/traces/${broken}`);
      const strip = page.getByRole('button', { name: /Doctor: 2 findings/ });
      await strip.waitFor();
      await page.getByText('The caller of carts never came').waitFor();
      await page.keyboard.press('!');
      const findings = page.getByRole('region', { name: 'Doctor' }).getByRole('listitem');
      assert.equal(await findings.count(), 2);
      const skew = findings.filter({ hasText: 'The clock of price is behind' });
      await skew.getByText(/Synchronise the clocks/).waitFor();
      await skew.getByRole('button', { name: /Show/ }).click();
      await page.waitForURL(/span=b{16}/);
      await page.getByRole('treegrid', { name: 'Waterfall' }).locator('[aria-selected="true"]').waitFor();
      await strip.click();
      await page.waitForURL((url) => !url.searchParams.has('doctor'));
    });

    it('says nothing about a trace that is whole', async () => {
      await page.goto(`${address}/traces/${fast}`);
      await page.getByRole('treegrid', { name: 'Waterfall' }).waitFor();
      assert.equal(await page.getByRole('region', { name: 'Doctor' }).count(), 0);
    });
  });

  describe('a comparison', () => {
    it('with what is normal says how many traces do the same, and what is slower', async () => {
      await page.goto(`${address}/traces/${slow}`);
      await page.getByRole('treegrid', { name: 'Waterfall' }).waitFor();
      await page.keyboard.press('Shift+X');
      await page.getByText('what is normal: the median of 2 traces of the same entry point').waitFor();
      await page.getByText('2 operations in both, 1 only in A, 1 only in B.').waitFor();
      const rows = page.getByRole('table', { name: 'Both traces' }).getByRole('row');
      await rows.filter({ hasText: /db.*2 of 2.*25 ms.*800 ms.*\+775 ms/ }).waitFor();
      await rows.filter({ hasText: /cache only in A/ }).waitFor();
      await rows.filter({ hasText: /mail only in B/ }).waitFor();
    });

    it('is sorted by difference when that is asked', async () => {
      await page.getByRole('button', { name: 'By difference' }).click();
      await page.waitForURL(/sort=self/);
      const first = page.getByRole('table', { name: 'Both traces' }).getByRole('row').nth(1);
      await first.filter({ hasText: 'db' }).waitFor();
      await page.getByRole('button', { name: 'By place' }).click();
    });

    it('with another trace is offered those of the same entry point', async () => {
      await page.getByText('Another trace of this entry point').click();
      const offers = page.getByRole('list', { name: 'Other traces of this entry point' });
      await offers.getByRole('link').first().waitFor();
      assert.equal(await offers.getByRole('link', { name: 'GET /cart' }).count(), 2);
      await offers.getByRole('link').last().click();
      await page.waitForURL((url) => url.searchParams.get('b') === fast);
      await page.getByText('2 operations in both, 1 only in A, 1 only in B.').waitFor();
      await page.getByRole('table', { name: 'Both traces' }).getByRole('link', { name: 'db' }).click();
      await page.waitForURL(new RegExp(`/traces/${fast}\\?span=1`));
    });
  });

  it('both have no serious fault for axe, in light and in dark', async () => {
    await page.goto(`${address}/traces/${broken}?doctor=open`);
    await page.getByText(/Synchronise the clocks/).waitFor();
    await assertAccessibleInBoth();
    await page.goto(`${address}/compare?a=${slow}`);
    await page
      .getByText(/only in A/)
      .first()
      .waitFor();
    await page.getByText('Another trace of this entry point').click();
    await page.getByRole('list', { name: 'Other traces of this entry point' }).getByRole('link').first().waitFor();
    await assertAccessibleInBoth();
  });

  async function assertAccessibleInBoth(): Promise<void> {
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await assertAccessible(page);
    }
  }
});
