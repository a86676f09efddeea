import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { createProcessing } from '../../../test/support/processing.ts';
import { seededRandom } from '../../../test/support/seeded-random.ts';
import { testSpan } from '../../../test/support/span.ts';
import type { AttributeValue, Span } from '../../model/index.ts';
import { probabilityOf, thresholdOf } from '../../transform/consistent-sampling.ts';
import { parseTraceState, printTraceState } from '../../transform/trace-state.ts';
import { probabilisticSamplerProcessor } from './index.ts';

const seed = process.env['RAYBRIDGE_SEED'] ?? randomBytes(4).toString('hex');

/** With random bits at the end, as W3C Trace Context Level 2 wants them. */
function spansOf(count: number): readonly Span[] {
  const random = seededRandom(seed);
  const word = (): string =>
    Math.floor(random() * 2 ** 32)
      .toString(16)
      .padStart(8, '0');
  return Array.from({ length: count }, () => testSpan({ traceId: word() + word() + word() + word() }));
}

function sampler(config: object): (spans: readonly Span[]) => readonly Span[] {
  return createProcessing(probabilisticSamplerProcessor, config).run;
}

/** The tracestate of one span after the sampler; undefined when it was dropped. */
function after(
  config: object,
  traceState: string,
  bits = '80000000000000',
  priority?: AttributeValue,
): string | undefined {
  const attributes = priority === undefined ? new Map() : new Map([['sampling.priority', priority]]);
  return sampler(config)([testSpan({ traceId: `${'f'.repeat(18)}${bits}`, traceState, attributes })])[0]?.traceState;
}

/** Five standard deviations of how many of so many are drawn: outside once in a million times. */
function tolerance(count: number, probability: number): number {
  return 5 * Math.sqrt(count * probability * (1 - probability));
}

describe('thresholds', () => {
  it('are what is left of 2^56, in as many digits as wanted', () => {
    const printed = (probability: number, precision: number): string =>
      printTraceState({
        randomness: undefined,
        threshold: thresholdOf(probability, precision),
        fields: [],
        members: [],
      });
    for (const [probability, precision, wanted] of [
      [1, 4, '0'],
      [0.5, 4, '8'],
      [0.25, 4, 'c'],
      [1 / 3, 4, 'aaab'],
      [1 / 3, 14, 'aaaaaaaaaaaaac'],
      [0.1, 4, 'e666'],
      [0.4, 3, '99a'],
      // Leading digits that say nothing do not count.
      [0.01, 4, 'fd70a'],
      [0.01, 3, 'fd71'],
      [2 ** -14, 4, 'fffc'],
      [1 - 2 ** -12, 3, '001'],
      [2 ** -56, 3, 'ffffffffffffff'],
      [2 ** -52, 3, 'fffffffffffff'],
    ] as const)
      assert.equal(printed(probability, precision), `ot=th:${wanted}`, `${probability} in ${precision}`);
  });

  it('give their probability back, as far as their digits go', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 2 ** -40, max: 1, noNaN: true }),
        fc.integer({ min: 1, max: 14 }),
        (probability, precision) => {
          const back = probabilityOf(thresholdOf(probability, precision));
          // The share that is dropped, or kept, whichever is smaller, is off by half a digit at most.
          const smaller = Math.min(probability, 1 - probability) || 1;
          assert.ok(Math.abs(back - probability) <= smaller * 16 ** (1 - precision) + 2 ** -50, `${back}`);
        },
      ),
    );
  });
});

describe('a tracestate', () => {
  it('keeps what it holds beside ot, and ot comes to the front', () => {
    const text = 'vendor=a:b;c, ot=th:c;p:8;rv:9b8233f7e3a151,acme@x=1';
    const state = parseTraceState(text);
    assert.deepEqual(state, {
      randomness: '9b8233f7e3a151',
      threshold: 'c0000000000000',
      fields: ['p:8'],
      members: ['vendor=a:b;c', 'acme@x=1'],
    });
    assert.equal(state && printTraceState(state), 'ot=rv:9b8233f7e3a151;th:c;p:8,vendor=a:b;c,acme@x=1');
    assert.deepEqual(parseTraceState(''), { randomness: undefined, threshold: undefined, fields: [], members: [] });
  });

  it('is none with values of another form', () => {
    for (const text of [
      'ot=rv:123',
      'ot=th:123456789012345',
      'ot=th:-1',
      'ot=th:',
      'ot=noColon',
      'a',
      'a=',
      'A=1',
      'a=\u00e9',
      `a=${'x'.repeat(257)}`,
      `ot=x:${'1'.repeat(255)}`,
      Array.from({ length: 33 }, (_, i) => `k${i}=v`).join(','),
    ])
      assert.equal(parseTraceState(text), undefined, text);
  });

  it('is read again as it was printed', () => {
    const hex = (min: number, max: number) =>
      fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: min, maxLength: max });
    fc.assert(
      fc.property(
        fc.option(hex(14, 14), { nil: undefined }),
        fc.option(hex(14, 14), { nil: undefined }),
        (randomness, threshold) => {
          const state = { randomness, threshold, fields: ['p:8'], members: ['a=b'] };
          assert.deepEqual(parseTraceState(printTraceState(state)), state);
        },
      ),
    );
  });
});

describe('equalizing and proportional sampling', () => {
  const count = 100_000;
  const all = spansOf(count);

  for (const mode of ['equalizing', 'proportional'] as const) {
    for (const percentage of [0.5, 10, 100 / 3, 50, 90]) {
      it(`${mode} keeps ${percentage.toFixed(1)} % of 100,000 traces, and says how many each stands for`, (t) => {
        t.diagnostic(`seed ${seed}: RAYBRIDGE_SEED=${seed} repeats this run`);
        const kept = sampler({ mode, sampling_percentage: percentage, sampling_precision: 6 })(all);
        const probability = percentage / 100;
        assert.ok(Math.abs(kept.length - count * probability) <= tolerance(count, probability), `${kept.length} kept`);
        const states = new Set(kept.map(({ traceState }) => traceState));
        assert.equal(states.size, 1);
        const { threshold = '' } = parseTraceState([...states][0] ?? '') ?? {};
        const stoodFor = kept.length / probabilityOf(threshold);
        assert.ok(Math.abs(stoodFor - count) <= tolerance(count, probability) / probability, `${stoodFor} counted`);
      });
    }

    it(`${mode} keeps traces at 10 % that it keeps at 50 % too`, () => {
      const spans = spansOf(10_000);
      const idsAt = (percentage: number) =>
        sampler({ mode, sampling_percentage: percentage })(spans).map(({ traceId }) => traceId);
      const half = new Set(idsAt(50));
      assert.deepEqual(
        idsAt(10).filter((id) => !half.has(id)),
        [],
      );
    });

    it(`${mode} takes the random bits of a tracestate before those of the trace id`, () => {
      const config = { mode, sampling_percentage: 1, sampling_precision: 4 };
      assert.equal(after(config, 'ot=rv:FD70A3D70A3D71', '00000000000000'), 'ot=rv:FD70A3D70A3D71;th:fd70a');
      assert.equal(after(config, 'ot=rv:40000000000000', 'ffffffffffffff'), undefined);
    });

    it(`${mode} heeds what a span says of itself`, () => {
      assert.equal(after({ mode, sampling_percentage: 1 }, '', '00000000000000', 2n), 'ot=th:0');
      assert.equal(after({ mode, sampling_percentage: 100 }, '', 'ffffffffffffff', 0n), undefined);
      assert.equal(after({ mode, sampling_percentage: 0 }, '', 'ffffffffffffff', 1n), '');
      assert.equal(after({ mode, sampling_percentage: 0 }, '', 'ffffffffffffff'), undefined);
      assert.equal(after({ mode, sampling_percentage: 200 }, ''), 'ot=th:0');
    });

    it(`${mode} drops what comes with a tracestate that cannot be, unless it is to fail open`, () => {
      for (const wrong of ['ot=rv:123', 'ot=th:123456789012345', 'ot=rv:40000000000000;th:8', 'no tracestate'])
        assert.equal(after({ mode, sampling_percentage: 100 }, wrong), undefined, wrong);
      const open = { mode, sampling_percentage: 10, fail_closed: false };
      assert.equal(after(open, 'ot=rv:40000000000000;th:8'), 'ot=rv:40000000000000;th:0');
      assert.equal(after(open, 'no tracestate'), 'no tracestate');
      assert.equal(after({ ...open, sampling_percentage: 0 }, 'no tracestate'), undefined);
    });
  }

  it('equalizing keeps what was sampled harder before as it is', () => {
    const config = { mode: 'equalizing', sampling_percentage: 50 };
    assert.equal(after(config, 'ot=th:c', 'c0000000000000'), 'ot=th:c');
    assert.equal(after(config, 'ot=th:4', 'c0000000000000'), 'ot=th:8');
    assert.equal(after({ ...config, sampling_percentage: 25 }, 'ot=th:8', 'b0000000000000'), undefined);
  });

  it('proportional multiplies', () => {
    const config = { mode: 'proportional', sampling_percentage: 50 };
    assert.equal(after(config, 'ot=th:8', 'c0000000000000'), 'ot=th:c');
    assert.equal(after(config, 'ot=th:8', 'b0000000000000'), undefined);
    // Below what 56 bits can say nothing is left.
    assert.equal(
      after({ ...config, sampling_percentage: 0.0625 }, 'ot=th:fffffffffffff8', 'ffffffffffffff'),
      undefined,
    );
  });

  it('two in a row keep their product or the smaller share, of all that came', () => {
    const half = sampler({ mode: 'proportional', sampling_percentage: 50 })(all);
    const product = sampler({ mode: 'proportional', sampling_percentage: 20 })(half);
    assert.ok(Math.abs(product.length - count / 10) <= tolerance(count, 0.1), `${product.length} of 10 %`);
    const equal = sampler({ mode: 'equalizing', sampling_percentage: 20 })(half);
    assert.ok(Math.abs(equal.length - count / 5) <= tolerance(count, 0.2), `${equal.length} of 20 %`);
  });

  it('the settings are checked with the words of the Collector', () => {
    const complaint = (config: object): string =>
      String(probabilisticSamplerProcessor.configSchema.safeParse(config).error?.issues[0]?.message);
    assert.equal(complaint({ mode: 'x' }), 'unsupported sampler mode "x"');
    assert.equal(complaint({ sampling_precision: 0 }), 'invalid sampling precision: 0');
    assert.equal(complaint({ sampling_percentage: -1 }), 'sampling rate is negative: -1%');
    assert.equal(complaint({ sampling_percentage: 1e-16 }), 'sampling rate is too small: 1e-16%');
  });
});
