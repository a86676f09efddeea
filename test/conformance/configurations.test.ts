import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { components } from '../../src/components.ts';
import { type Format, loadConfig, printProblems } from '../../src/config/index.ts';
import { rootPath } from '../support/root.ts';

/**
 * Every configuration of the collection has the outcome that its README states. The files are those
 * of other projects, unchanged; their sources and licences stand there too.
 */
const folder = (...steps: string[]) => rootPath('test', 'fixtures', 'configurations', ...steps);

interface Case {
  readonly file: string;
  readonly expected: string;
  readonly note: string;
}

const formatOf: Readonly<Record<string, Format>> = {
  otelcol: 'otelcol',
  'cloudwatch-agent': 'cloudwatch-agent',
  'fluent-bit': 'fluent-bit',
  'xray-daemon': 'xray',
  xrayconnector: 'xrayconnector',
};

for (const [section, format] of Object.entries(formatOf)) {
  describe(`configurations of ${section}`, () => {
    for (const { file, expected, note } of casesOf(section)) {
      if (!/^(?:accepted|refused)/.test(expected)) continue;
      if (!/\.(?:ya?ml|json|conf)$/.test(file)) continue;
      it(`${file}: ${expected}${note === '' ? '' : ` (${note})`}`, async () => {
        const path = folder(section, file);
        const text = readFileSync(path, 'utf8');
        const loaded = await loadConfig({
          locations: [path],
          sets: [],
          read: async (name) => readFileSync(name.startsWith('/') ? name : folder(section, file, '..', name), 'utf8'),
          env: plausibleEnvironment(text),
          registry: components,
        });
        const told = printProblems(loaded.problems, loaded.sources);
        const warnings = loaded.problems.filter(({ severity }) => severity === 'warning').length;
        if (expected === 'refused') assert.equal(loaded.config, undefined, 'it was accepted');
        else {
          assert.ok(loaded.config, told);
          assert.equal(loaded.format, format);
          assert.equal(warnings > 0, expected === 'accepted with warning', told);
        }
        // Whatever is wrong is told with its place.
        for (const { severity, line, source } of loaded.problems) {
          if (severity === 'error') assert.ok(line > 0 || source !== '', told);
        }
      });
    }
  });
}

function casesOf(section: string): readonly Case[] {
  const readme = readFileSync(folder('README.md'), 'utf8');
  const [, after = ''] = readme.split(`\n## ${section}/\n`);
  return (after.split('\n## ')[0] ?? '').split('\n').flatMap((line) => {
    const [, file, , , expected = '', note = ''] = line.split('|').map((cell) => cell.trim());
    const name = /^`(.*)`$/.exec(file ?? '')?.[1];
    return name === undefined ? [] : [{ file: name, expected, note }];
  });
}

const known: Readonly<Record<string, string>> = {
  RECEIVERS: '[nop]',
  XRAY_ENDPOINT: '0.0.0.0:2000',
  AWS_REGION: 'eu-west-1',
};

/** Every variable that the text names, with a value of the kind that its name promises. */
function plausibleEnvironment(text: string): ReadonlyMap<string, string> {
  const names = [...text.matchAll(/\$\{(?:env:)?([A-Za-z_]\w*)\}/g)].map(([, name = '']) => name);
  return new Map(
    names
      .filter((name) => name !== 'CWAGENT_ROLE_ARN')
      .map((name) => [name, known[name] ?? (/PORT/.test(name) ? '14318' : 'plausible')]),
  );
}
