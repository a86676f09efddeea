import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ServiceIdAnswer, TraceSummaryAnswer } from '../api/answers.ts';
import { countNew, nameOf, outcomeOfSummary, servicesOf, withoutRepeats } from './summary.ts';

const summary: TraceSummaryAnswer = {
  Id: '1-6650a1b2-00f1e2d3c4b5a69788796a5b',
  StartTime: 1,
  Duration: 1,
  HasFault: false,
  HasError: false,
  HasThrottle: false,
  IsPartial: false,
  Http: {},
  Annotations: {},
  Users: [],
  ServiceIds: [],
  ResourceARNs: [],
  InstanceIds: [],
  AvailabilityZones: [],
  FaultRootCauses: [],
  ErrorRootCauses: [],
  ResponseTimeRootCauses: [],
  Revision: 1,
};

describe('a trace summary', () => {
  it('is called by its request, else by its entry service, else by its id', () => {
    assert.equal(
      nameOf({ ...summary, Http: { HttpMethod: 'GET', HttpURL: 'https://shop.example/cart?a=1' } }),
      'GET /cart?a=1',
    );
    assert.equal(nameOf({ ...summary, Http: { HttpStatus: 200 }, EntryPoint: service('worker') }), 'worker');
    assert.equal(nameOf(summary), summary.Id);
  });

  it('has the outcome of its flags', () => {
    assert.equal(outcomeOfSummary({ ...summary, HasError: true, HasThrottle: true }), 'throttle');
    assert.equal(outcomeOfSummary(summary), 'ok');
  });

  it('lists its services once, the entry first, without clients', () => {
    const services = servicesOf({
      ...summary,
      EntryPoint: service('shop'),
      ServiceIds: [service('shop', 'client'), service('carts'), service('shop')],
    });
    assert.deepEqual(services, ['shop', 'carts']);
  });
});

describe('a list of traces', () => {
  it('counts what is new while it holds still', () => {
    assert.equal(countNew([summary], [{ ...summary, Id: 'new' }, summary]), 1);
  });

  it('shows a trace once when two pages overlap', () => {
    assert.equal(withoutRepeats([summary, { ...summary, Id: 'b' }, { ...summary, Duration: 2 }]).length, 2);
  });
});

function service(name: string, type?: string): ServiceIdAnswer {
  return { Name: name, Names: [name], ...(type ? { Type: type } : {}) };
}
