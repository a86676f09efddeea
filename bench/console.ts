/**
 * The console against its budgets: a waterfall of ten thousand spans in Chromium, from the bytes of the
 * trace to the first rows, and frames while it scrolls; the trace list from a cold cache; the layout of
 * a trace map of 500 nodes.
 *
 *   npm run bench -- console [RUNS]
 */
import { randomBytes } from 'node:crypto';
import { cpus } from 'node:os';
import { performance } from 'node:perf_hooks';
import type { Page } from 'playwright-core';
import { encodeTraces } from '../src/codec/index.ts';
import { type Span, SpanKind, toXrayTraceId } from '../src/model/index.ts';
import { openBrowser } from '../test/support/browser.ts';
import { eventually } from '../test/support/eventually.ts';
import { withRaybridge } from '../test/support/raybridge.ts';
import { resourceOf, testSpan } from '../test/support/span.ts';

const runs = Number(process.argv[3] ?? 5);
const spanCount = 10_000;
const spansPerRequest = 1_000;
const services = 20;
const scrolls = 120;

console.log(`${cpus().length} × ${cpus()[0]?.model}, Node.js ${process.version}, median of ${runs} runs`);
await withRaybridge(async ({ addresses: { api, otlpHttp } }) => {
  const traceId = await sendTrace(`http://${otlpHttp}/v1/traces`);
  const address = `http://${api}`;
  await eventually('the trace', async () => {
    const answer = await fetch(`${address}/api/traces/${traceId}`);
    const text = answer.ok ? await answer.text() : '';
    return text.length > spanCount * 100 ? true : undefined;
  });
  const browser = await openBrowser();
  try {
    const lists: number[] = [];
    const paints: number[] = [];
    const frames: number[] = [];
    for (let run = 0; run < runs; run++) {
      // A context of its own has an empty cache.
      const context = await browser.newContext({ viewport: { width: 1400, height: 900 } });
      const page = await context.newPage();
      lists.push(await timeList(page, address));
      paints.push(await timeWaterfall(page, `${address}/traces/${toXrayTraceId(traceId)}`));
      frames.push(await timeScrolling(page));
      await context.close();
    }
    report('trace list, from a cold cache to its first row', median(lists), 1000);
    report(`waterfall of ${spanCount} spans, from the bytes to its first rows`, median(paints), 300);
    report('p95 of its frames while it scrolls', median(frames), 16.7);
  } finally {
    await browser.close();
  }
});

function report(what: string, milliseconds: number, budget: number): void {
  console.log(`${what.padEnd(64)} ${milliseconds.toFixed(1).padStart(8)} ms   budget ${budget} ms`);
}

async function timeList(page: Page, address: string): Promise<number> {
  const startedAt = performance.now();
  await page.goto(`${address}/traces`);
  await page.getByRole('row').nth(1).waitFor();
  return performance.now() - startedAt;
}

/** From the last byte of the trace, as the browser saw it come, to a frame with rows in it. */
async function timeWaterfall(page: Page, url: string): Promise<number> {
  await page.addInitScript(`
    window.firstRows = new Promise((resolve) => {
      new MutationObserver((_, observer) => {
        if (!document.querySelector('[role="treegrid"] [role="row"][aria-level]')) return;
        observer.disconnect();
        requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now())));
      }).observe(document, { childList: true, subtree: true });
    });
  `);
  await page.goto(url);
  return (await page.evaluate(`(async () => {
    const firstRows = await window.firstRows;
    const fetched = performance.getEntriesByType('resource').find(({ name }) => name.includes('/api/traces/1-'));
    return firstRows - fetched.responseEnd;
  })()`)) as number; // The script gives milliseconds.
}

async function timeScrolling(page: Page): Promise<number> {
  return (await page.evaluate(`(async () => {
    const nextFrame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    let scroller = document.querySelector('[role="treegrid"] [role="row"][aria-level]').parentElement;
    while (scroller.scrollHeight <= scroller.clientHeight + 1) scroller = scroller.parentElement;
    const times = [];
    let before = await nextFrame();
    for (let at = 0; at < ${scrolls}; at++) {
      scroller.scrollTop += 400;
      const now = await nextFrame();
      times.push(now - before);
      before = now;
    }
    return times.sort((a, b) => a - b)[Math.floor(times.length * 0.95)];
  })()`)) as number; // The script gives milliseconds.
}

/** A tree in which each span has up to three children. */
async function sendTrace(url: string): Promise<string> {
  const traceId = randomBytes(16).toString('hex');
  const startNs = BigInt(Date.now() - 60_000) * 1_000_000n;
  const idOf = (index: number) => (index + 1).toString(16).padStart(16, '0');
  const resources = Array.from({ length: services }, (_, service) => resourceOf(`service-${service}`));
  const spans = Array.from({ length: spanCount }, (_, index): Span => {
    const parent = Math.floor((index - 1) / 3);
    const offsetNs = BigInt(index) * 1_000_000n;
    return testSpan({
      traceId,
      spanId: idOf(index),
      parentSpanId: index === 0 ? undefined : idOf(parent),
      name: `operation ${index % 50}`,
      kind: index % 4 === 0 ? SpanKind.server : SpanKind.internal,
      startTimeNs: startNs + offsetNs,
      endTimeNs: startNs + (index === 0 ? BigInt(spanCount) * 1_000_000n : offsetNs + 5_000_000n),
      resource: resources[index % 4 === 0 ? (index / 4) % services : 0] ?? resourceOf('service-0'),
      attributes: new Map([['index', BigInt(index)]]),
    });
  });
  for (let at = 0; at < spanCount; at += spansPerRequest) {
    const body = encodeTraces(spans.slice(at, at + spansPerRequest));
    const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/x-protobuf' }, body });
    if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
  }
  return traceId;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}
