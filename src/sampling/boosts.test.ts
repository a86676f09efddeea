import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { fuzzing } from '../../test/support/fuzz.ts';
import type { SamplingBoost, SamplingBoostReport, SamplingRule } from '../model/index.ts';
import { type BoostLedger, createBoostLedger, servicesMax } from './boosts.ts';
import { defaultSamplingRule } from './rules.ts';

const second = 1_000_000_000n;
const nowNs = 1_716_560_310n * second;

test('a service with anomalies is boosted for a minute, as far as is needed to see ten of them in a minute', () => {
  const boost = boostAfter(createBoostLedger(), { anomalyCount: 40 });
  assert.deepEqual(boost, { rate: 0.25, expiresAtNs: nowNs + 60n * second });
});

test('a boost never goes above the MaxRate of its rule, not even when that falls while it runs', () => {
  const ledger = createBoostLedger();
  assert.equal(boostAfter(ledger, { anomalyCount: 1 })?.rate, 0.5);
  assert.equal(boostAfter(ledger, {}, { rule: rule({ maxRate: 0.3 }) })?.rate, 0.3);
});

test('there is no boost without anomalies, when ten were sampled anyway, or when the fixed rate shows enough', () => {
  assert.equal(boostAfter(createBoostLedger(), { anomalyCount: 0 }), undefined);
  assert.equal(boostAfter(createBoostLedger(), { anomalyCount: 40, sampledAnomalyCount: 10 }), undefined);
  assert.equal(boostAfter(createBoostLedger(), { anomalyCount: 200 }), undefined);
});

test('anomalies of all clients of a service count together, for a minute', () => {
  const ledger = createBoostLedger();
  assert.equal(boostAfter(ledger, { anomalyCount: 1000 }), undefined);
  assert.equal(boostAfter(ledger, { anomalyCount: 20 }, { at: nowNs + 30n * second }), undefined);
  assert.equal(boostAfter(ledger, { anomalyCount: 20 }, { at: nowNs + 61n * second })?.rate, 0.25);
});

test('while a boost runs, every client of the service is told the same rate and end', () => {
  const ledger = createBoostLedger();
  const first = boostAfter(ledger, { anomalyCount: 40 });
  for (const seconds of [10n, 30n, 59n]) {
    const later = boostAfter(ledger, { anomalyCount: 5 }, { at: nowNs + seconds * second });
    assert.deepEqual(later, first);
  }
});

test('the next boost begins when the cooldown window is over', () => {
  const ledger = createBoostLedger();
  boostAfter(ledger, { anomalyCount: 40 });
  const at = (seconds: bigint) => boostAfter(ledger, { anomalyCount: 40 }, { at: nowNs + seconds * second });
  assert.equal(at(60n), undefined);
  assert.equal(at(299n), undefined);
  assert.equal(at(300n)?.expiresAtNs, nowNs + 360n * second);
});

test('with a cooldown window of nothing, one boost follows the other', () => {
  const ledger = createBoostLedger();
  const always = rule({ cooldownWindowMinutes: 0 });
  const at = (seconds: bigint) =>
    boostAfter(ledger, { anomalyCount: 20 }, { at: nowNs + seconds * second, rule: always })?.expiresAtNs;
  assert.deepEqual(
    [at(0n), at(59n), at(60n)],
    [60n, 60n, 120n].map((seconds) => nowNs + seconds * second),
  );
});

test('services are boosted one by one, and rules too', () => {
  const ledger = createBoostLedger();
  assert.ok(boostAfter(ledger, { anomalyCount: 40 }));
  assert.equal(boostAfter(ledger, { serviceName: 'other', anomalyCount: 0 }), undefined);
  const other = { ...rule(), ruleName: 'other' };
  assert.equal(boostAfter(ledger, { ruleName: 'other', anomalyCount: 0 }, { rule: other }), undefined);
});

test('a client that reports for several services gets the highest of their rates', () => {
  const reports = [report({ anomalyCount: 40 }), report({ serviceName: 'b', anomalyCount: 25 })];
  const { boosts } = createBoostLedger().report({ reports, rules: [rule()], nowNs });
  assert.equal(boosts.get('checkout')?.rate, 0.4);
});

test('reports under a rule without a boost are taken without effect', () => {
  const plain = { ...rule(), rateBoost: undefined };
  const answer = createBoostLedger().report({ reports: [report({})], rules: [plain], nowNs });
  assert.deepEqual(answer, { boosts: new Map(), unprocessed: [] });
});

test('reports of unknown rules and of other times are named and not used', () => {
  const reports = [
    report({ ruleName: 'gone' }),
    report({ timeNs: nowNs - 301n * second }),
    report({ anomalyCount: 40 }),
  ];
  const { boosts, unprocessed } = createBoostLedger().report({ reports, rules: [rule()], nowNs });
  assert.equal(boosts.get('checkout')?.rate, 0.25);
  assert.deepEqual(
    unprocessed.map(({ errorCode }) => errorCode),
    ['RuleNotFound', 'StatisticsTooOld'],
  );
});

test('the number of services is bounded; those that fell silent make room', () => {
  const ledger = createBoostLedger();
  const reports = Array.from({ length: servicesMax + 1 }, (_, i) => report({ serviceName: `s${i}`, anomalyCount: 0 }));
  const { unprocessed } = ledger.report({ reports, rules: [rule()], nowNs });
  assert.deepEqual(
    unprocessed.map(({ errorCode }) => errorCode),
    ['TooManyServices'],
  );
  assert.ok(boostAfter(ledger, { serviceName: 'new', anomalyCount: 40 }, { at: nowNs + 120n * second }));
});

test('a clock that is set back does not hold a boost up for ever', () => {
  const ledger = createBoostLedger();
  boostAfter(ledger, { anomalyCount: 40 });
  const before = nowNs - 100_000n * second;
  assert.equal(boostAfter(ledger, { anomalyCount: 40 }, { at: before })?.expiresAtNs, before + 60n * second);
});

test('whatever is reported, a boost stays within its bounds and keeps its window', () => {
  const counts = fc.oneof(fc.nat(50), fc.constant(Number.MAX_SAFE_INTEGER));
  const steps = fc.array(fc.tuple(fc.nat(90), counts, counts), { maxLength: 60 });
  fc.assert(
    fc.property(steps, fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(5), (steps, maxRate, minutes) => {
      const ledger = createBoostLedger();
      const boosted = rule({ maxRate, cooldownWindowMinutes: minutes });
      const starts = new Set<bigint>();
      let at = nowNs;
      for (const [seconds, anomalyCount, sampledAnomalyCount] of steps) {
        at += BigInt(seconds) * second;
        const boost = boostAfter(ledger, { anomalyCount, sampledAnomalyCount }, { at, rule: boosted });
        if (!boost) continue;
        assert.ok(boost.rate <= maxRate && boost.rate > boosted.fixedRate, String(boost.rate));
        assert.ok(boost.expiresAtNs > at && boost.expiresAtNs <= at + 60n * second);
        starts.add(boost.expiresAtNs - 60n * second);
      }
      const windowNs = 60n * second * BigInt(Math.max(1, minutes));
      const sorted = [...starts];
      for (const [i, start] of sorted.entries()) if (i > 0) assert.ok(start - (sorted[i - 1] ?? 0n) >= windowNs);
    }),
    fuzzing(300),
  );
});

/** The boost that a client of the service is told after one report. */
function boostAfter(
  ledger: BoostLedger,
  members: Partial<SamplingBoostReport>,
  { at = nowNs, rule: one = rule() } = {},
): SamplingBoost | undefined {
  const reports = [report({ timeNs: at, ...members })];
  return ledger.report({ reports, rules: [one, { ...rule(), ruleName: 'spare' }], nowNs: at }).boosts.get(one.ruleName);
}

function report(members: Partial<SamplingBoostReport>): SamplingBoostReport {
  return {
    ruleName: 'checkout',
    serviceName: 'shop',
    timeNs: nowNs,
    anomalyCount: 0,
    totalCount: 1000,
    sampledAnomalyCount: 0,
    ...members,
  };
}

function rule(boost: Partial<SamplingRule['rateBoost'] & object> = {}): SamplingRule {
  const rateBoost = { maxRate: 0.5, cooldownWindowMinutes: 5, ...boost };
  return { ...defaultSamplingRule, ruleName: 'checkout', fixedRate: 0.05, rateBoost };
}
