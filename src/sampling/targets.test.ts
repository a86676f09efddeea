import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { SamplingReport } from '../model/index.ts';
import { defaultSamplingRule } from './rules.ts';
import { clientsMax, createTargetLedger, type TargetLedger } from './targets.ts';

const second = 1_000_000_000n;
const nowNs = 1_716_560_310n * second;
const rules = [{ ...defaultSamplingRule, ruleName: 'checkout', reservoirSize: 10, fixedRate: 0.25 }];

test('a client alone gets the whole reservoir for five minutes, and reports every ten seconds', () => {
  assert.deepEqual(createTargetLedger().report({ reports: [report('a', 80)], rules, nowNs }), {
    targets: [
      {
        ruleName: 'checkout',
        fixedRate: 0.25,
        reservoirQuota: 10,
        reservoirQuotaExpiresAtNs: nowNs + 300n * second,
        intervalSeconds: 10,
      },
    ],
    unprocessed: [],
  });
});

test('the reservoir is shared by demand; a client without requests gets nothing', () => {
  const ledger = createTargetLedger();
  assert.deepEqual(quotas(ledger, [report('a', 30), report('b', 10), report('c', 0)]), [8, 2, 0]);
});

test('without any demand the reservoir is shared evenly', () => {
  assert.deepEqual(quotas(createTargetLedger(), [report('a', 0), report('b', 0), report('c', 0)]), [4, 3, 3]);
});

test('the quotas of all clients together are the reservoir, whatever they report', () => {
  const counts = fc.array(fc.oneof(fc.nat(5), fc.nat(100_000), fc.constant(Number.MAX_SAFE_INTEGER)), {
    minLength: 1,
    maxLength: 40,
  });
  fc.assert(
    fc.property(counts, fc.nat(2000), fc.nat(30), (counts, reservoirSize, waitSeconds) => {
      const ledger = createTargetLedger();
      const sized = rules.map((rule) => ({ ...rule, reservoirSize }));
      // Some clients have reported before, so that rates rest on different intervals.
      const early = counts.slice(0, counts.length / 2).map((count, i) => report(String(i), count));
      ledger.report({ reports: early, rules: sized, nowNs });
      const later = nowNs + BigInt(waitSeconds) * second;
      const reports = counts.map((count, i) => ({ ...report(String(i), count), timeNs: later }));
      const { targets } = ledger.report({ reports, rules: sized, nowNs: later });
      const sum = targets.reduce((total, { reservoirQuota }) => total + reservoirQuota, 0);
      assert.equal(sum, reservoirSize);
      assert.ok(targets.every(({ reservoirQuota }) => Number.isInteger(reservoirQuota) && reservoirQuota >= 0));
    }),
    { numRuns: 500 },
  );
});

test('demand is requests a second since the client reported before', () => {
  const ledger = createTargetLedger();
  quotas(ledger, [report('a', 0), report('b', 0)]);
  ledger.report({
    reports: [{ ...report('a', 30), timeNs: nowNs + 10n * second }],
    rules,
    nowNs: nowNs + 10n * second,
  });
  // 30 requests in 10 s against 60 in 20 s are the same demand.
  const { targets } = ledger.report({
    reports: [{ ...report('b', 60), timeNs: nowNs + 20n * second }],
    rules,
    nowNs: nowNs + 20n * second,
  });
  assert.equal(targets[0]?.reservoirQuota, 5);
});

test('a client that is silent for three intervals gives its share to the others', () => {
  const ledger = createTargetLedger();
  quotas(ledger, [report('a', 50), report('b', 50)]);
  // 50 requests in 30 s against 50 in 10 s are 2.5 of 10; the half goes to the client whose id is first.
  for (const [seconds, quota] of [
    [30n, 2],
    [31n, 10],
  ] as const) {
    const later = nowNs + seconds * second;
    const { targets } = ledger.report({ reports: [{ ...report('b', 50), timeNs: later }], rules, nowNs: later });
    assert.equal(targets[0]?.reservoirQuota, quota);
  }
});

test('clients are forgotten by their last report, whatever the order of their first', () => {
  const ledger = createTargetLedger();
  const at = (clientId: string, seconds: bigint) => {
    const timeNs = nowNs + seconds * second;
    return ledger.report({ reports: [{ ...report(clientId, 50), timeNs }], rules, nowNs: timeNs }).targets[0];
  };
  at('a', 0n);
  at('b', 1n);
  at('a', 10n);
  // Now b is gone, and a, which reported before it, is not.
  assert.equal(at('a', 32n)?.reservoirQuota, 10);
  assert.equal(at('c', 33n)?.reservoirQuota, 7);
});

test('a clock that is set back does not keep clients for ever', () => {
  const ledger = createTargetLedger();
  quotas(ledger, [report('a', 50)]);
  const before = nowNs - 100_000n * second;
  const { targets } = ledger.report({ reports: [{ ...report('b', 1), timeNs: before }], rules, nowNs: before });
  assert.equal(targets[0]?.reservoirQuota, 10);
});

test('reports of unknown rules, of other times and of monstrous clients are named and not used', () => {
  const ledger = createTargetLedger();
  const reports = [
    { ...report('a', 1), ruleName: 'gone' },
    { ...report('b', 1), timeNs: nowNs - 301n * second },
    { ...report('c', 1), timeNs: nowNs + 301n * second },
    report('d'.repeat(65), 1),
    report('e', 7),
  ];
  const { targets, unprocessed } = ledger.report({ reports, rules, nowNs });
  assert.deepEqual(
    targets.map(({ reservoirQuota }) => reservoirQuota),
    [10],
  );
  assert.deepEqual(
    unprocessed.map(({ errorCode }) => errorCode),
    ['RuleNotFound', 'StatisticsTooOld', 'StatisticsTooOld', 'InvalidClientId'],
  );
  assert.deepEqual(
    ledger.statistics(nowNs).map(({ requestCount }) => requestCount),
    [7],
  );
});

test('a deleted rule is forgotten with its clients', () => {
  const ledger = createTargetLedger();
  quotas(ledger, [report('a', 50)]);
  ledger.report({ reports: [], rules: [], nowNs });
  assert.deepEqual(quotas(ledger, [report('b', 50)]), [10]);
});

test('the number of clients is bounded; those beyond get the fixed rate alone', () => {
  const ledger = createTargetLedger();
  quotas(
    ledger,
    Array.from({ length: clientsMax }, (_, i) => report(String(i), 1)),
  );
  const { targets } = ledger.report({ reports: [report('one too many', 1_000_000)], rules, nowNs });
  assert.deepEqual(
    targets.map(({ reservoirQuota, fixedRate }) => [reservoirQuota, fixedRate]),
    [[0, 0.25]],
  );
});

test('statistics are sums over all clients in windows of ten seconds, and old ones go', () => {
  const ledger = createTargetLedger();
  const at = (seconds: bigint) => nowNs + seconds * second;
  for (const seconds of [0n, 9n, 10n]) {
    ledger.report({ reports: [{ ...report('a', 5), timeNs: at(seconds) }], rules, nowNs: at(seconds) });
  }
  const counts = { ruleName: 'checkout', sampledCount: 1, borrowCount: 1 };
  assert.deepEqual(ledger.statistics(at(10n)), [
    { ...counts, windowStartNs: at(0n), requestCount: 10, sampledCount: 2, borrowCount: 2 },
    { ...counts, windowStartNs: at(10n), requestCount: 5 },
  ]);
  assert.deepEqual(ledger.statistics(at(1000n)), []);
});

function quotas(ledger: TargetLedger, reports: readonly SamplingReport[]): readonly number[] {
  return ledger.report({ reports, rules, nowNs }).targets.map(({ reservoirQuota }) => reservoirQuota);
}

function report(clientId: string, requestCount: number): SamplingReport {
  return { ruleName: 'checkout', clientId, timeNs: nowNs, requestCount, sampledCount: 1, borrowCount: 1 };
}
