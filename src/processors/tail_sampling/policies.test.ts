import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createTestContext } from '../../../test/support/context.ts';
import { resourceOf, testSpan } from '../../../test/support/span.ts';
import type { AttributeValue, Span } from '../../model/index.ts';
import type { TraceProcessor } from '../../pipeline/component.ts';
import { fnv64a } from '../../transform/fnv.ts';
import { tailSamplingProcessor } from './index.ts';

const second = 1_000_000_000n;

function sampler(config: object): TraceProcessor {
  return tailSamplingProcessor.create({
    config: tailSamplingProcessor.configSchema.parse(config),
    context: createTestContext('tail_sampling').context,
  });
}

/** Whether a trace of these spans is kept by one policy. */
function keeps(type: string, settings: object, ...spans: readonly Partial<Span>[]): boolean {
  const policy = { name: 'p', type, [type]: settings };
  const members = spans.length === 0 ? [{}] : spans;
  const made = members.map((member, i) => testSpan({ spanId: (i + 1).toString(16).padStart(16, '0'), ...member }));
  return sampler({ policies: [policy] }).decide(made[0]?.traceId ?? '', made) === 'keep';
}

const having = (key: string, value: AttributeValue): Partial<Span> => ({ attributes: new Map([[key, value]]) });
const lasting = (ms: number): Partial<Span> => ({ startTimeNs: second, endTimeNs: second + BigInt(ms) * 1_000_000n });

describe('a policy of tail_sampling', () => {
  it('latency: from the earliest start to the latest end', () => {
    assert.equal(keeps('latency', { threshold_ms: 100 }, lasting(100)), true);
    assert.equal(keeps('latency', { threshold_ms: 100 }, lasting(99)), false);
    assert.equal(
      keeps('latency', { threshold_ms: 100 }, lasting(60), {
        startTimeNs: second + 60_000_000n,
        endTimeNs: second + 110_000_000n,
      }),
      true,
    );
    assert.equal(keeps('latency', { threshold_ms: 100, upper_threshold_ms: 200 }, lasting(200)), true);
    assert.equal(keeps('latency', { threshold_ms: 100, upper_threshold_ms: 200 }, lasting(201)), false);
  });

  it('attributes: of spans and resources, inverted too', () => {
    const wanted = { key: 'service.name', values: ['shop'] };
    assert.equal(keeps('string_attribute', wanted, { resource: resourceOf('shop') }), true);
    assert.equal(keeps('string_attribute', { ...wanted, invert_match: true }, { resource: resourceOf('shop') }), false);
    assert.equal(keeps('string_attribute', { ...wanted, invert_match: true }, {}), true);
    assert.equal(
      keeps('string_attribute', { key: 'a', values: ['^x'], enabled_regex_matching: true }, having('a', 'xy')),
      true,
    );
    assert.equal(keeps('string_attribute', { key: 'a', values: [''] }, having('a', '')), false);
    assert.equal(keeps('numeric_attribute', { key: 'n', min_value: 5, max_value: 7 }, having('n', 7n)), true);
    assert.equal(keeps('numeric_attribute', { key: 'n', min_value: 5 }, having('n', 4n)), false);
    assert.equal(keeps('numeric_attribute', { key: 'n', min_value: 5 }, having('n', '9')), false);
    assert.equal(keeps('boolean_attribute', { key: 'b', value: true }, having('b', true)), true);
  });

  it('status, count, flags and state', () => {
    assert.equal(keeps('status_code', { status_codes: ['ERROR'] }, {}, { status: { code: 2, message: '' } }), true);
    assert.equal(keeps('status_code', { status_codes: ['OK'] }, {}), false);
    assert.equal(keeps('span_count', { min_spans: 2, max_spans: 3 }, {}, {}), true);
    assert.equal(keeps('span_count', { min_spans: 2 }, {}), false);
    assert.equal(keeps('trace_flags', {}, { flags: 1 }), true);
    assert.equal(keeps('trace_state', { key: 'k', values: ['v'] }, { traceState: 'a=b,k=v' }), true);
    assert.equal(keeps('trace_state', { key: 'k', values: ['v'] }, { traceState: 'k=vv' }), false);
    assert.equal(keeps('always_sample', {}), true);
  });

  it('conditions of OTTL and of X-Ray', () => {
    assert.equal(keeps('ottl_condition', { span: ['attributes["a"] == 1'] }, {}, having('a', 1n)), true);
    const event = { name: 'exception', timeNs: 1n, attributes: new Map(), droppedAttributesCount: 0 };
    assert.equal(keeps('ottl_condition', { spanevent: ['name == "exception"'] }, { events: [event] }), true);
    const fault = { resource: resourceOf('shop'), status: { code: 2, message: 'x' } };
    assert.equal(keeps('xray_filter', { expression: 'fault = true AND service("shop")' }, fault), true);
    assert.equal(keeps('xray_filter', { expression: 'fault = true AND service("other")' }, fault), false);
  });

  it('probabilistic: by a salted hash of the id', () => {
    const traceIds = Array.from({ length: 500 }, (_, i) => (i * 7919 + 1).toString(16).padStart(32, '0'));
    const expected = traceIds.filter(
      (id) => Number(fnv64a(Buffer.from('salt'), Buffer.from(id, 'hex'))) / 2 ** 64 <= 0.25,
    );
    const kept = traceIds.filter((traceId) =>
      keeps('probabilistic', { sampling_percentage: 25, hash_salt: 'salt' }, { traceId }),
    );
    assert.deepEqual(kept, expected);
    assert.ok(kept.length > 80 && kept.length < 170, String(kept.length));
    assert.equal(keeps('probabilistic', { sampling_percentage: 0 }), false);
  });

  it('and, not, drop', () => {
    const error = { name: 'e', type: 'status_code', status_code: { status_codes: ['ERROR'] } };
    const slow = { name: 's', type: 'latency', latency: { threshold_ms: 100 } };
    const bad = { ...lasting(100), status: { code: 2, message: '' } };
    assert.equal(keeps('and', { and_sub_policy: [error, slow] }, bad), true);
    assert.equal(keeps('and', { and_sub_policy: [error, slow] }, lasting(100)), false);
    assert.equal(keeps('not', { not_sub_policy: error }, lasting(1)), true);
    const policies = [
      { name: 'all', type: 'always_sample' },
      { name: 'd', type: 'drop', drop: { drop_sub_policy: [error] } },
    ];
    assert.equal(sampler({ policies }).decide('a', [testSpan(bad)]), 'drop');
    assert.equal(sampler({ policies }).decide('a', [testSpan()]), 'keep');
  });

  it('rate limits: as many spans as the bucket holds', () => {
    const limited = sampler({
      policies: [{ name: 'r', type: 'rate_limiting', rate_limiting: { spans_per_second: 1, burst_capacity: 3 } }],
    });
    const two = [testSpan(), testSpan()];
    assert.deepEqual(
      [limited.decide('a', two), limited.decide('b', two), limited.decide('c', [testSpan()])],
      ['keep', 'drop', 'keep'],
    );
  });

  it('composite: the first in order that wants the trace, within its share', () => {
    const composite = sampler({
      policies: [
        {
          name: 'c',
          type: 'composite',
          composite: {
            max_total_spans_per_second: 4,
            policy_order: ['errors', 'rest'],
            composite_sub_policy: [
              { name: 'rest', type: 'always_sample' },
              { name: 'errors', type: 'status_code', status_code: { status_codes: ['ERROR'] } },
            ],
            rate_allocation: [
              { policy: 'errors', percent: 75 },
              { policy: 'rest', percent: 25 },
            ],
          },
        },
      ],
    });
    const error = [testSpan({ status: { code: 2, message: '' } })];
    const outcome = ['a', 'b'].map((id) => composite.decide(id, [testSpan()]));
    assert.deepEqual(outcome, ['keep', 'drop']);
    assert.deepEqual(
      ['c', 'd', 'e', 'f'].map((id) => composite.decide(id, error)).filter((one) => one === 'keep').length,
      3,
    );
  });

  it('is remembered for late spans as far as the cache goes', () => {
    const remembering = sampler({
      policies: [{ name: 'e', type: 'status_code', status_code: { status_codes: ['ERROR'] } }],
      decision_cache: { sampled_cache_size: 1, non_sampled_cache_size: 1 },
    });
    remembering.decide('a', [testSpan({ status: { code: 2, message: '' } })]);
    remembering.decide('b', [testSpan()]);
    assert.deepEqual(
      [remembering.remembered('a'), remembering.remembered('b'), remembering.remembered('c')],
      ['keep', 'drop', undefined],
    );
    remembering.decide('d', [testSpan({ status: { code: 2, message: '' } })]);
    assert.equal(remembering.remembered('a'), undefined);
  });

  for (const wrong of [
    { policies: [] },
    { policies: [{ name: '', type: 'always_sample' }] },
    { policies: [{ name: 'a', type: 'nothing' }] },
    { policies: [{ name: 'a', type: 'latency' }] },
    {
      policies: [
        { name: 'a', type: 'always_sample' },
        { name: 'a', type: 'always_sample' },
      ],
    },
    { policies: [{ name: 'a', type: 'status_code', status_code: { status_codes: ['error'] } }] },
    { policies: [{ name: 'a', type: 'xray_filter', xray_filter: { expression: 'fault = = true' } }] },
    { policies: [{ name: 'a', type: 'always_sample' }], sampling_strategy: 'span-ingest' },
  ]) {
    it(`is refused: ${JSON.stringify(wrong).slice(0, 90)}`, () =>
      assert.equal(tailSamplingProcessor.configSchema.safeParse(wrong).success, false));
  }
});
