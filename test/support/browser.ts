import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Browser, chromium, type Page } from 'playwright-core';

const candidates = [
  process.env['CHROMIUM'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
];
const executablePath = candidates.find((path) => path && existsSync(path));

/** The reason to skip browser tests, or false. Where clients are required there is none. */
export const skipWithoutBrowser =
  executablePath === undefined &&
  process.env['RAYBRIDGE_REQUIRE_CLIENTS'] === undefined &&
  'no Chromium is installed (set CHROMIUM to its path)';

export async function openBrowser(): Promise<Browser> {
  return await chromium.launch({
    executablePath: executablePath ?? 'chromium',
    // Root has no sandbox, and the page must not look anything up outside.
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/** A page that fails the test on errors of its scripts and on anything its Content-Security-Policy stops. */
export async function openPage(
  browser: Browser,
  url: string,
  options: { readonly colorScheme?: 'light' | 'dark' } = {},
): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, reducedMotion: 'reduce', ...options });
  page.on('pageerror', (error) => assert.fail(`the page threw: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error' && message.text().includes('Content Security Policy')) assert.fail(message.text());
  });
  await page.goto(url);
  return page;
}

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface AxeResults {
  readonly violations: readonly {
    readonly id: string;
    readonly impact: string;
    readonly nodes: readonly { readonly html: string }[];
  }[];
}

/** Fails when axe finds a fault of serious or critical impact on the page as it is now. */
export async function assertAccessible(page: Page): Promise<void> {
  await page.evaluate(axeSource);
  // axe is a global of the page after its source ran there.
  const results = (await page.evaluate('axe.run({ resultTypes: ["violations"] })')) as AxeResults;
  const serious = results.violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  assert.deepEqual(
    serious.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' | ')}`),
    [],
    `axe on ${page.url()}`,
  );
}
