import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createReport, type Report } from './report.ts';

describe('the report', () => {
  it('is silent about progress off a terminal', () => {
    const { report, texts, pass } = reporting({ isTerminal: false });
    pass(5000);
    report.progress({ converted: 10, bytes: 1000 });
    assert.equal(report.finish(), true);
    assert.deepEqual(texts, []);
  });

  it('at a terminal shows progress after a second, four times a second, and totals at the end', () => {
    const { report, texts, pass } = reporting({ isTerminal: true });
    const step = (ms: number): void => {
      pass(ms);
      report.progress({ converted: 10, bytes: 1_500_000 });
    };
    step(900);
    step(200);
    step(200);
    step(100);
    report.finish();
    assert.deepEqual(texts, [
      '\r\u001b[K1.5 MB read, 20 converted, 0 lost, 0 warnings, 1.1 s',
      '\r\u001b[K1.5 MB read, 40 converted, 0 lost, 0 warnings, 1.4 s',
      '\r\u001b[K1.5 MB read, 40 converted, 0 lost, 0 warnings, 1.4 s\n',
    ]);
  });

  it('says that something was lost, in a line of its own', () => {
    const { report, texts, pass } = reporting({ isTerminal: true });
    pass(2000);
    report.progress({ converted: 1, bytes: 0 });
    report.lost('a.json:1: 3 spans left out', 3);
    assert.equal(report.finish(), false);
    assert.equal(texts[1], '\r\u001b[Kerror: a.json:1: 3 spans left out\n');
    assert.equal(texts[2], '0.0 MB read, 1 converted, 3 lost, 0 warnings, 2.0 s\n');
  });

  it('lets no message write to the terminal', () => {
    const { report, texts } = reporting({ isTerminal: false });
    report.lost('a.json:1: /\u001b[2J\u009b: no', 1);
    assert.deepEqual(texts, ['error: a.json:1: /·[2J·: no\n']);
  });
});

function reporting({ isTerminal }: { readonly isTerminal: boolean }): {
  readonly report: Report;
  readonly texts: readonly string[];
  readonly pass: (ms: number) => void;
} {
  const texts: string[] = [];
  let now = 0;
  const report = createReport({ write: (text) => void texts.push(text), isTerminal, nowMs: () => now });
  return { report, texts, pass: (ms) => void (now += ms) };
}
