import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Browser } from 'playwright-core';
import { bundleEntrances } from '../../scripts/bundle.ts';
import * as codec from '../../src/codec/index.ts';
import * as convert from '../../src/convert/index.ts';
import type { Span } from '../../src/model/index.ts';
import { openBrowser, openPage, skipWithoutBrowser } from '../support/browser.ts';
import { toBytes } from '../support/bytes.ts';
import { telemetrySpans } from '../support/telemetry.ts';

const entrances = ['codec', 'convert'] as const;

describe('the entrances for library users', () => {
  for (const entrance of entrances) {
    it(`raybridge/${entrance} is one module that imports nothing and does not know Node.js`, async () => {
      const { imports, code } = await bundleEntrances([entrance]);
      assert.deepEqual(imports, []);
      assert.doesNotMatch(code, /["'`]node:|\b(require|process|Buffer|__dirname)\b\s*[.([]/);
    });
  }

  describe('in a browser', { skip: skipWithoutBrowser }, () => {
    let browser: Browser;
    before(async () => void (browser = await openBrowser()));
    after(() => browser?.close());

    it('convert spans there and back as they do in Node.js', async () => {
      const spans = telemetrySpans(20);
      const text = codec.encodeTracesJson(spans);
      const page = await openPage(browser, 'about:blank');
      const [codecUrl, convertUrl] = await Promise.all(entrances.map(moduleUrl));
      const answer = await page.evaluate(`Promise.all([import('${codecUrl}'), import('${convertUrl}')])
        .then(([codec, convert]) => (${thereAndBack})(codec, convert, ${JSON.stringify(text)}))`);
      const expected = thereAndBack(codec, convert, text);
      assert.deepEqual(answer, expected);
      assert.deepEqual(sorted(codec.decodeTracesJson(toBytes(expected.back))), sorted(spans));
    });
  });
});

/** Runs in the browser, too, so it uses its arguments and what browsers have. */
function thereAndBack(
  { decodeTracesJson, decodeSegments, encodeTraces, encodeTracesJson, jsonText, printSegment }: typeof codec,
  { toSegments, toSpans }: typeof convert,
  text: string,
): { readonly documents: readonly string[]; readonly back: string; readonly proto: string } {
  const encoder = new TextEncoder();
  const documents = toSegments(decodeTracesJson(encoder.encode(text)), { json: jsonText }).map(printSegment);
  const { spans } = toSpans(decodeSegments(encoder.encode(`[${documents.join(',')}]`)), { json: jsonText });
  return { documents, back: encodeTracesJson(spans), proto: encodeTraces(spans).join(' ') };
}

/** OTLP groups spans by resource and scope, so their order is not kept. */
function sorted(spans: readonly Span[]): readonly Span[] {
  return spans.toSorted((a, b) => (a.spanId < b.spanId ? -1 : 1));
}

async function moduleUrl(entrance: (typeof entrances)[number]): Promise<string> {
  const { code } = await bundleEntrances([entrance]);
  return `data:text/javascript;base64,${Buffer.from(code).toString('base64')}`;
}
