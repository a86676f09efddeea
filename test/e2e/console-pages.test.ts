import { PutTraceSegmentsCommand } from '@aws-sdk/client-xray';
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { openShop, type Shop } from '../../src/demo/shop.ts';
import { assertAccessible, openBrowser, openPage, skipWithoutBrowser } from '../support/browser.ts';
import { hostileTexts } from '../support/hostile-texts.ts';
import { type RunningRaybridge, startRaybridge } from '../support/raybridge.ts';
import { openXrayClient, readDocuments } from '../support/xray-client.ts';

/** The plan of the demo: orders 2 and 10 end in a fault of the stock database. */
const orders = [1, 2, 3, 4, 5, 10];
const faultMessage = /deadlock detected while updating relation "goods"/;

describe('the pages of the console', { skip: skipWithoutBrowser }, () => {
  let raybridge: RunningRaybridge;
  let shop: Shop;
  let browser: Browser;
  let page: Page;
  let address: string;
  let brokenId: string;

  before(async () => {
    // Console and X-Ray API on one listener, as without a configuration: the pages change things through the API.
    raybridge = await startRaybridge(await mkdtemp(join(tmpdir(), 'raybridge-pages-')));
    const { api, otlpHttp, udp, tcp } = raybridge.addresses;
    address = `http://${api}`;
    const daemonAddress = `tcp:${tcp} udp:${udp}`;
    shop = await openShop({ port: 0, broken: undefined, otlpEndpoint: `http://${otlpHttp}`, daemonAddress });
    for (const order of orders) await shop.placeOrder(order);
    brokenId = await sendTraces(api);
    browser = await openBrowser();
    page = await openPage(browser, `${address}/traces`);
    await page
      .getByRole('row', { name: /POST \/orders/ })
      .first()
      .waitFor();
  });
  after(async () => {
    await browser?.close();
    await shop?.close();
    await raybridge?.kill('SIGTERM');
    await rm(raybridge.dataDir, { recursive: true, force: true });
  });

  it('lead from a red ring to the message of the exception in three clicks', async () => {
    await page.goto(`${address}/map`);
    await page
      .getByLabel(/^stock@stock-db.*fault/i)
      .first()
      .click();
    await page.getByRole('link', { name: 'View the traces with fault' }).first().click();
    await page
      .getByRole('row', { name: /POST \/orders/ })
      .first()
      .click();
    await page.getByRole('tabpanel').getByText(faultMessage).first().waitFor();
  });

  it('lead there by keyboard alone', async () => {
    await page.goto(address);
    await page
      .getByRole('heading', { name: /orders|Services|Raybridge/i })
      .first()
      .waitFor();
    await page.keyboard.press('g');
    await page.keyboard.press('t');
    await page.getByRole('treegrid').or(page.getByRole('grid')).or(page.getByRole('table')).first().waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('fault');
    await page.keyboard.press('Enter');
    // The list of before is shown until the answer is there.
    await page.getByText(/^2 of \d+ traces read$/).waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('j');
    await page.locator('[data-index="0"] a:focus').waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('treegrid', { name: 'Waterfall' }).waitFor();
    await page.getByRole('tabpanel').getByText(faultMessage).first().waitFor();
    await page.keyboard.press('4');
    await page.getByRole('table', { name: 'Operations' }).waitFor();
    await page.keyboard.press('3');
    await page.getByRole('listbox', { name: 'Flame graph' }).focus();
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('Enter');
    await page.getByText(/^Only /).waitFor();
    await assertAccessible(page);
  });

  it('tell of one service, and lead to those that it calls', async () => {
    await page.goto(`${address}/services`);
    await page
      .getByRole('button', { name: /^stock\b/ })
      .first()
      .click();
    await page.getByRole('heading', { name: 'stock', level: 1 }).waitFor();
    await page.getByRole('img', { name: /^stock, each minute; most faults at/ }).waitFor();
    await page.getByRole('region', { name: 'Exceptions' }).getByText(faultMessage).waitFor();
    await assertAccessible(page);
    await page
      .getByRole('region', { name: 'Calls', exact: true })
      .getByRole('link', { name: /stock-db/ })
      .click();
    await page.getByRole('heading', { name: /stock-db/, level: 1 }).waitFor();
    await page.getByRole('region', { name: 'Called by' }).getByRole('link', { name: 'stock', exact: true }).waitFor();
  });

  it('lead from a trace to those that came from it, and back', async () => {
    const { api, otlpHttp } = raybridge.addresses;
    const sent = await sendLinkedTraces(api, `http://${otlpHttp}/v1/traces`);
    await page.goto(`${address}/traces/${sent.producer}`);
    const leadsTo = page.getByRole('region', { name: 'Leads to' });
    await leadsTo.getByRole('link', { name: /invoices/ }).waitFor();
    await page.getByRole('treegrid', { name: 'Waterfall' }).getByText('2 links', { exact: true }).first().waitFor();
    await assertAccessible(page);
    await leadsTo.getByRole('link', { name: /mail-worker/ }).click();
    await page.waitForURL((url) => url.pathname.endsWith(sent.consumer));
    await page.getByRole('region', { name: 'Comes from' }).getByRole('link', { name: /mails/ }).click();
    await page.waitForURL((url) => url.pathname.endsWith(sent.producer));
  });

  it('say what is wrong with a trace, and where', async () => {
    await page.goto(`${address}/traces/${brokenId}`);
    const doctor = page.getByRole('region', { name: 'Doctor' });
    await doctor.getByRole('button', { name: /Doctor: \d finding/ }).click();
    await doctor.getByText('2 segments say that nobody called them').waitFor();
    await assertAccessible(page);
    await doctor.getByRole('button', { name: 'Show in the waterfall' }).first().click();
    await page.waitForURL(/span=/);
  });

  it('draw response times, and say what sets the chosen traces apart', async () => {
    await page.goto(`${address}/traces`);
    const chart = page.getByRole('region', { name: 'Response times' });
    await chart.getByRole('img').waitFor();
    const box = await chart.getByRole('img').boundingBox();
    assert.ok(box);
    await page.mouse.move(box.x + box.width / 2, box.y + 20);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width - 2, box.y + 40, { steps: 4 });
    await page.mouse.up();
    await chart.getByRole('region', { name: 'What is different' }).waitFor();
    await assertAccessible(page);
    await chart.getByRole('button', { name: 'Filter to these' }).click();
    await page.waitForURL(/responsetime/);
    for (const view of ['Heatmap', 'Scatter', 'Table']) {
      await chart.getByRole('button', { name: view }).click();
      await assertAccessible(page);
    }
    await page.goto(`${address}/traces?view=groups&by=url`);
    await page.getByRole('table', { name: 'Traces by URL' }).getByText('http://shop.example/orders').click();
    await page.waitForURL(/http\.url/);
  });

  it('save the map as a picture', async () => {
    await page.goto(`${address}/map`);
    await page
      .getByLabel(/^shop-api/)
      .first()
      .waitFor();
    for (const [kind, start] of [
      ['SVG', '<svg'],
      ['PNG', '\u0089PNG'],
    ] as const) {
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('button', { name: kind }).click(),
      ]);
      const bytes = await readFile(await download.path());
      assert.ok(bytes.toString('latin1').startsWith(start), kind);
      if (kind === 'SVG') assert.ok(bytes.toString().includes('>shop-api<'));
    }
  });

  it('zoom by the minimap', async () => {
    await page.goto(`${address}/traces/${brokenId}`);
    await page.getByRole('treegrid', { name: 'Waterfall' }).waitFor();
    const box = await page.locator('[class*="minimap"]').first().boundingBox();
    assert.ok(box);
    await page.mouse.move(box.x + box.width * 0.4, box.y + 10);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.6, box.y + 10, { steps: 3 });
    await page.mouse.up();
    await page.getByRole('button', { name: /whole/i }).and(page.locator(':not([disabled])')).waitFor();
  });

  it('complete a filter with words of the language and what the store holds', async () => {
    await page.goto(`${address}/traces?chart=off`);
    const filter = page.getByRole('combobox', { name: 'Filter expression' });
    await filter.pressSequentially('anno');
    await page.getByRole('option', { name: /annotation/ }).waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.type('ten');
    await page.getByRole('option', { name: /tenant.*traces/ }).waitFor();
    await page.keyboard.press('ArrowDown');
    await assertAccessible(page);
    await page.keyboard.press('Enter');
    await page.keyboard.type(' = "ac');
    await page.getByRole('option', { name: /acme/ }).click();
    assert.equal(await filter.inputValue(), 'annotation.tenant = "acme"');
    await page.keyboard.press('Enter');
    await page.waitForURL(/acme/);
  });

  it('compare a trace with what is normal', async () => {
    await page.goto(`${address}/traces?q=fault`);
    await page
      .getByRole('row', { name: /POST \/orders/ })
      .first()
      .click();
    await page.getByRole('link', { name: 'Compare' }).click();
    await page.getByText(/what is normal: the median of \d+ traces?/).waitFor();
    await page.getByRole('table', { name: 'Both traces' }).getByText('stock@stock-db').first().waitFor();
    await assertAccessible(page);
  });

  it('preview a sampling rule, make it, and say which rule a trace matches', async () => {
    await page.goto(`${address}/sampling`);
    await page.getByRole('button', { name: 'New rule' }).click();
    await page.getByLabel('Name', { exact: true }).fill('orders');
    await page.getByLabel('URL path').fill('/orders');
    await page.getByLabel('Rate of the rest (0 to 1)').fill('0');
    await page.getByLabel('Reservoir (requests a second)').fill('0');
    const preview = page.getByRole('table', { name: 'Preview by service' });
    await preview.getByRole('row', { name: /^shop-api 6 / }).waitFor();
    assert.match(await preview.getByRole('row', { name: /^shop-api/ }).innerText(), /\b0\b/);
    await assertAccessible(page);
    await page.getByRole('button', { name: 'Create' }).click();
    const rules = page.getByRole('table', { name: 'Sampling rules' });
    await rules.getByText('path=/orders').waitFor();
    await page.getByLabel('Trace id').fill(brokenId);
    await page.getByRole('button', { name: 'Ask' }).click();
    await page.getByText('orders did not match').waitFor();
    await page.getByText('Default matched and decided').waitFor();
    await rules.getByRole('button', { name: 'orders' }).click();
    await page.getByLabel('Priority (1 to 9999, lower first)').fill('0');
    await page.getByRole('button', { name: 'Save' }).click();
    await page
      .getByRole('alert')
      .getByText(/Priority/)
      .waitFor();
    await page.getByRole('button', { name: 'Delete' }).click();
    await rules.getByText('path=/orders').waitFor({ state: 'detached' });
  });

  it('make a group, and show what it holds', async () => {
    await page.goto(`${address}/groups`);
    await page.getByRole('button', { name: 'New group' }).click();
    await page.getByLabel('Name', { exact: true }).fill('faulty');
    await page.getByLabel('Filter expression').fill('fault AND');
    await page.getByRole('button', { name: 'Create' }).click();
    await page.getByRole('alert').waitFor();
    await page.getByLabel('Filter expression').fill('fault');
    await page.getByRole('button', { name: 'Create' }).click();
    const groups = page.getByRole('table', { name: 'Groups' });
    await groups.getByRole('row', { name: /^faulty fault 2 / }).waitFor();
    await groups.getByRole('link', { name: 'faulty' }).click();
    await page.waitForURL(/traces\?q=fault/);
  });

  it('show every text of a trace as text', async () => {
    const hostileId = await sendHostileTrace(raybridge.addresses.api);
    const hostile = await openPage(browser, `${address}/traces/${hostileId}`);
    hostile.on('dialog', (dialog) => assert.fail(`a dialog opened: ${dialog.message()}`));
    await hostile.getByRole('treegrid', { name: 'Waterfall' }).waitFor();
    for (const tab of ['Overview', 'Request', 'Annotations', 'Metadata', 'Exceptions', 'SQL', 'Raw']) {
      await hostile.getByRole('tab', { name: new RegExp(`^${tab}`) }).click();
    }
    for (const view of ['map', 'flame', 'table', 'raw']) {
      await hostile.goto(`${address}/traces/${hostileId}?view=${view}`);
      await hostile.getByText('<script>').or(hostile.getByLabel('<script>')).first().waitFor();
    }
    for (const path of ['/traces', '/traces?view=groups&by=user', '/map', '/services', '/exceptions']) {
      await hostile.goto(`${address}${path}`);
      await hostile
        .getByText(/alert\(1\)/)
        .first()
        .waitFor();
    }
    assert.equal(await hostile.locator('a[href^="javascript:"]').count(), 0);
    assert.equal(await hostile.locator('main script, main iframe, main img[src="x"]').count(), 0);
    await hostile.close();
  });

  for (const colorScheme of ['light', 'dark'] as const) {
    it(`have no serious fault for axe in ${colorScheme}`, async () => {
      const themed = await openPage(browser, address, { colorScheme });
      for (const [path, text] of [
        ['/services', /shop-api/],
        ['/exceptions', faultMessage],
        ['/insights', /No insight|Insights/],
        ['/insights/nothing', /not here/],
        ['/sampling?select=*', /What it would have done/],
        ['/groups', /Default/],
        ['/pipelines', /X-Ray segments/],
        ['/compare', /Which traces/],
        [`/traces/${brokenId}?doctor=open`, /Doctor/],
        [`/traces/${brokenId}?view=table`, /Operation/],
        ['/traces?chart=scatter&view=groups', /Group by/],
      ] as const) {
        await themed.goto(`${address}${path}`);
        await themed.getByText(text).first().waitFor();
        await assertAccessible(themed);
      }
      await themed.close();
    });
  }
});

/** A trace with two roots; resolves with its id when it can be read. */
async function sendTraces(api: string): Promise<string> {
  const now = Date.now() / 1000;
  const trace_id = `1-${Math.floor(now).toString(16)}-${'b'.repeat(24)}`;
  const documents = ['shop', 'mailer'].map((name, place) => ({
    trace_id,
    id: `${place + 1}`.repeat(16),
    name,
    start_time: now - 1 + place / 10,
    end_time: now,
  }));
  return await put(api, trace_id, documents);
}

/** A message that two consumers take: one says so as X-Ray does, the other by a span link. */
async function sendLinkedTraces(
  api: string,
  otlp: string,
): Promise<{ readonly producer: string; readonly consumer: string }> {
  const now = Math.floor(Date.now() / 1000);
  const idOf = (letter: string): string => `1-${now.toString(16)}-${letter.repeat(24)}`;
  const [producer, consumer, send] = [idOf('d'), idOf('e'), '5'.repeat(16)];
  const call = { id: send, name: 'SQS', namespace: 'aws', aws: { operation: 'SendMessage' } };
  const times = { start_time: now - 3, end_time: now - 2.5 };
  await put(api, producer, [
    { trace_id: producer, id: '4'.repeat(16), name: 'mails', ...times, subsegments: [{ ...call, ...times }] },
  ]);
  const link = { trace_id: producer, id: send, attributes: { 'aws.xray.reserved.reference_type': 'parent' } };
  await put(api, consumer, [
    { trace_id: consumer, id: '6'.repeat(16), name: 'mail-worker', start_time: now - 2, end_time: now, links: [link] },
  ]);
  const span = {
    traceId: `${now.toString(16)}${'f'.repeat(24)}`,
    spanId: '7'.repeat(16),
    name: 'print',
    kind: 5,
    startTimeUnixNano: `${now - 2}000000000`,
    endTimeUnixNano: `${now - 1}000000000`,
    links: [{ traceId: producer.replaceAll(/^1-|-/g, ''), spanId: send }],
  };
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'invoices' } }] };
  const answer = await fetch(otlp, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans: [span] }] }] }),
  });
  assert.equal(answer.status, 200);
  return { producer, consumer };
}

async function sendHostileTrace(api: string): Promise<string> {
  const now = Date.now() / 1000;
  const trace_id = `1-${Math.floor(now).toString(16)}-${'c'.repeat(24)}`;
  const all = Object.fromEntries(hostileTexts.map((text, place) => [`k${place}`, text]));
  const documents = hostileTexts.map((text, place) => ({
    trace_id,
    id: `${place + 1}`.repeat(16),
    ...(place === 0 ? {} : { parent_id: '1'.repeat(16) }),
    name: text,
    start_time: now - 1,
    end_time: now - 0.5,
    fault: true,
    user: text,
    http: { request: { method: text, url: text, user_agent: text }, response: { status: 500 } },
    annotations: all,
    metadata: { default: { [text]: text } },
    sql: { sanitized_query: text, url: text },
    cause: {
      exceptions: [{ id: 'f'.repeat(16), type: text, message: text, stack: [{ path: text, label: text, line: 1 }] }],
    },
  }));
  return await put(api, trace_id, documents);
}

async function put(api: string, traceId: string, documents: readonly object[]): Promise<string> {
  const client = openXrayClient(api);
  try {
    await client.send(
      new PutTraceSegmentsCommand({ TraceSegmentDocuments: documents.map((document) => JSON.stringify(document)) }),
    );
    await readDocuments(client, traceId, documents.length);
    return traceId;
  } finally {
    client.destroy();
  }
}
