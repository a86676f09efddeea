import * as sdk from '@aws-sdk/client-xray';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { changesState, permits, putSpans } from './roles.ts';

const operations = Object.keys(sdk).flatMap((name) => /^([A-Z]\w*)Command$/.exec(name)?.[1] ?? []);

describe('a key', () => {
  it('with role write does what an agent needs, and no more', () => {
    assert.deepEqual([...operations, putSpans].filter((name) => permits('write', name)).sort(), [
      'GetSamplingRules',
      'GetSamplingStatisticSummaries',
      'GetSamplingTargets',
      putSpans,
      'PutTelemetryRecords',
      'PutTraceSegments',
    ]);
  });

  it('with role read does whatever changes nothing', () => {
    assert.deepEqual(operations.filter((name) => !permits('read', name)).sort(), [
      'CreateGroup',
      'CreateSamplingRule',
      'DeleteGroup',
      'DeleteResourcePolicy',
      'DeleteSamplingRule',
      'PutEncryptionConfig',
      'PutResourcePolicy',
      'PutTelemetryRecords',
      'PutTraceSegments',
      'TagResource',
      'UntagResource',
      'UpdateGroup',
      'UpdateIndexingRule',
      'UpdateSamplingRule',
      'UpdateTraceSegmentDestination',
    ]);
    assert.equal(permits('read', putSpans), false);
  });

  it('with role admin does everything', () =>
    assert.ok([...operations, putSpans].every((name) => permits('admin', name))));

  it('works once for a change of state, and as often as it comes for what repeats harmlessly', () => {
    assert.equal(operations.filter(changesState).length, 13);
    assert.equal(['PutTraceSegments', putSpans, 'GetTraceSummaries'].some(changesState), false);
  });
});
