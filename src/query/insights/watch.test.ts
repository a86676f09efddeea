import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { fuzzing } from '../../../test/support/fuzz.ts';
import type { Insight, RequestCounts, ServiceEdge, ServiceGraph, ServiceStatistics } from '../../model/index.ts';
import { insightEventsMax } from '../../model/index.ts';
import {
  abandonWatch,
  type MinuteGraph,
  newWatch,
  toImpactServicesAnswer,
  type Watch,
  watchMinute,
  windowMinutes,
} from './index.ts';

/** What a node did in a minute. */
interface Traffic {
  readonly requests: number;
  readonly faults?: number;
  readonly errors?: number;
  /** Names of the nodes it calls, once for each of their requests; `>queue` is a link. */
  readonly calls?: readonly string[];
  /** Clients call it; true unless another node does. */
  readonly entry?: boolean;
}

type Minute = Readonly<Record<string, Traffic>>;

const group = { name: 'Default', arn: 'arn:aws:xray:local:000000000000:group/Default' };
const start = 28_000_000;

describe('insights', () => {
  describe('of steady traffic', () => {
    for (const { what, requests, rate } of [
      { what: 'without faults', requests: 600, rate: 0 },
      { what: 'with one fault in a hundred', requests: 600, rate: 0.01 },
      { what: 'with one fault in eight', requests: 60, rate: 0.125 },
      { what: 'with one fault in three', requests: 20, rate: 1 / 3 },
      { what: 'of a request or two', requests: 2, rate: 0.1 },
      { what: 'of a busy service', requests: 30_000, rate: 0.002 },
    ]) {
      it(`${what} never open`, () => {
        const random = randomFrom(7);
        const hours = Array.from({ length: 12 * 60 }, () => ({
          shop: { requests, faults: draw(random, requests, rate) },
        }));
        assert.deepEqual(play(hours).opened, []);
      });
    }

    it('never open from the first minute on, when a service begins its life with some faults', () => {
      for (let seed = 0; seed < 50; seed += 1) {
        const random = randomFrom(seed);
        const hour = Array.from({ length: 60 }, () => ({ shop: { requests: 60, faults: draw(random, 60, 0.125) } }));
        assert.deepEqual(play(hour).opened, [], `seed ${seed}`);
      }
    });

    it('never open from errors and throttles', () => {
      assert.deepEqual(play([...quiet(30), ...repeat(30, { shop: { requests: 60, errors: 60 } })]).opened, []);
    });
  });

  describe('of a fault', () => {
    for (const { what, requests, usual, faults, within } of [
      { what: 'that hits every request', requests: 60, usual: 0, faults: 60, within: 1 },
      { what: 'that hits one request in five', requests: 60, usual: 0, faults: 12, within: 2 },
      { what: 'that hits one request in ten', requests: 60, usual: 0, faults: 6, within: 3 },
      { what: 'on top of usual ones', requests: 80, usual: 10, faults: 60, within: 2 },
      { what: 'that hits three in a hundred of a busy service', requests: 6000, usual: 6, faults: 180, within: 3 },
      { what: 'of two requests a minute', requests: 2, usual: 0, faults: 2, within: 3 },
    ]) {
      it(`${what} open within ${within} ${within === 1 ? 'minute' : 'minutes'}, and close when it is over`, () => {
        const normal = { shop: { requests, faults: usual } };
        const { opened, closed } = play([
          ...repeat(60, normal),
          ...repeat(12, { shop: { requests, faults } }),
          ...repeat(20, normal),
        ]);
        assert.equal(opened.length, 1);
        assert.ok(
          Number(opened[0]?.minute) < start + 60 + within,
          `opened in minute ${Number(opened[0]?.minute) - start}`,
        );
        assert.equal(closed.length, 1);
        assert.ok(Number(closed[0]?.minute) <= start + 72 + windowMinutes);
        const insight = closed[0]?.insight;
        assert.deepEqual([insight?.startMinute, insight?.endMinute], [start + 60, start + 72]);
        assert.deepEqual(insight?.rootCauseRequests, counts(12 * requests, 12 * faults));
        assert.deepEqual(insight?.clientRequests, counts(12 * requests, 12 * faults));
      });
    }

    it('open in the first minutes of a service when most of its requests fail', () => {
      const { opened } = play(repeat(2, { shop: { requests: 30, faults: 30 } }));
      assert.deepEqual(
        opened.map(({ minute }) => minute),
        [start],
      );
    });

    it('do not open for one fault of two requests, nor for a few faults however rare', () => {
      assert.deepEqual(play([...quiet(60), { shop: { requests: 2, faults: 1 } }, ...quiet(20)]).opened, []);
      assert.deepEqual(play([...quiet(60), { shop: { requests: 4, faults: 4 } }, ...quiet(20)]).opened, []);
      assert.deepEqual(play([{ shop: { requests: 2, faults: 1 } }]).opened, []);
    });

    it('stay open through a short recovery, as one', () => {
      const broken = { shop: { requests: 60, faults: 60 } };
      const { opened, closed } = play([
        ...quiet(60),
        ...repeat(3, broken),
        ...quiet(3),
        ...repeat(3, broken),
        ...quiet(9),
      ]);
      assert.deepEqual([opened.length, closed.length], [1, 1]);
      assert.equal(closed[0]?.insight.endMinute, start + 69);
      assert.equal(closed[0]?.insight.rootCauseRequests.faultCount, 360);
    });

    it('are not forgiven while it lasts, until it has lasted for hours', () => {
      const broken = repeat(24 * 60, { shop: { requests: 60, faults: 20 } });
      const { opened, closed } = play([...quiet(60), ...broken]);
      assert.equal(opened.length, 1);
      const lasted = Number(closed[0]?.minute) - Number(opened[0]?.minute);
      assert.ok(lasted > 6 * 60 && lasted < 12 * 60, `closed after ${lasted} minutes`);
    });

    it('close when no more requests come', () => {
      const { closed, watch } = play([
        ...quiet(60),
        ...repeat(5, { shop: { requests: 60, faults: 60 } }),
        ...repeat(10, {}),
      ]);
      assert.equal(closed[0]?.insight.endMinute, start + 65);
      assert.deepEqual(watch.active, []);
    });

    it('open after a gap as they would without it', () => {
      const { opened } = play([...quiet(60), ...repeat(600, {}), { shop: { requests: 60, faults: 12 } }]);
      assert.deepEqual(
        opened.map(({ insight }) => insight.startMinute),
        [start + 660],
      );
    });

    it('count what came late', () => {
      const broken: Minute = { shop: { requests: 60, faults: 60 } };
      const few: Minute = { shop: { requests: 2, faults: 0 } };
      const seen = [...quiet(60), few, ...quiet(10)];
      const { closed } = play(seen, (minute, now) => (minute === start + 60 && now > minute + 1 ? broken : undefined));
      assert.deepEqual(
        closed.map(({ insight }) => insight.rootCauseRequests),
        [counts(60, 60)],
      );
    });
  });

  describe('of several services', () => {
    const normal = chain({ table: 0, price: 0, shop: 0 });

    it('name the farthest downstream as the root cause', () => {
      const { insight } = only(
        play([...repeat(60, normal), ...repeat(4, chain({ table: 60, price: 60, shop: 50 }))]).opened,
      );
      assert.equal(insight.rootCause.name, 'table');
      assert.deepEqual(insight.services.map(({ name }) => name).toSorted(), ['price', 'shop', 'table']);
    });

    it('name one whose callers do without it, and say that no client suffered', () => {
      const { insight } = only(
        play([...repeat(60, normal), ...repeat(4, chain({ table: 60, price: 0, shop: 0 }))]).opened,
      );
      assert.deepEqual([insight.rootCause.name, insight.services.length], ['table', 1]);
      assert.deepEqual([insight.rootCauseRequests, insight.clientRequests], [counts(60, 60), counts(60, 0)]);
    });

    it('tell how it spread, where the cause was found, and how it grew', () => {
      const played = play([
        ...repeat(60, normal),
        ...repeat(1, chain({ table: 0, price: 40, shop: 0 })),
        ...repeat(1, chain({ table: 0, price: 60, shop: 60 })),
        ...repeat(8, chain({ table: 60, price: 60, shop: 60 })),
        ...repeat(9, normal),
      ]);
      const { insight } = only(played.closed);
      assert.deepEqual(
        insight.events.map(({ change, minute }) => [change, minute - start]),
        [
          ['opened', 60],
          ['spread', 61],
          ['cause_found', 62],
          ['doubled', 63],
          ['doubled', 65],
          ['doubled', 69],
          ['closed', 74],
        ],
      );
      assert.equal(insight.rootCause.name, 'table');
      assert.deepEqual(
        played.changes,
        insight.events.map(({ change }) => change),
      );
    });

    it('are two for two faults that have nothing to do with each other', () => {
      const minute = (table: number, mail: number): Minute => ({
        ...chain({ table, price: table, shop: table }),
        worker: { requests: 30, faults: mail, calls: ['mail'] },
        mail: { requests: 30, faults: mail },
      });
      const { opened, closed } = play([
        ...repeat(60, minute(0, 0)),
        ...repeat(5, minute(60, 0)),
        ...repeat(5, minute(60, 30)),
        ...repeat(15, minute(0, 0)),
      ]);
      assert.deepEqual(
        opened.map(({ insight }) => insight.rootCause.name),
        ['table', 'mail'],
      );
      assert.deepEqual(
        closed.map(({ insight }) => [insight.rootCause.name, insight.rootCauseRequests.faultCount]),
        [
          ['table', 600],
          ['mail', 150],
        ],
      );
      assert.notEqual(closed[0]?.insight.id, closed[1]?.insight.id);
    });

    it('are two on the two sides of a queue, because nobody waits behind it', () => {
      const minute = (faults: number): Minute => ({
        shop: { requests: 60, faults, calls: ['>worker'] },
        worker: { requests: 60, faults, entry: false },
      });
      const { opened } = play([...repeat(60, minute(0)), minute(60)]);
      assert.equal(opened.length, 2);
      const worker = opened.find(({ insight }) => insight.rootCause.name === 'worker');
      assert.deepEqual(worker?.insight.clientRequests, counts(0, 0));
    });

    it('become one when a fault turns out to join them', () => {
      const minute = (table: number, price: number, shop: number): Minute => chain({ table, price, shop });
      const { opened, closed } = play([
        ...repeat(60, minute(0, 0, 0)),
        ...repeat(2, minute(60, 0, 60)),
        ...repeat(8, minute(60, 60, 60)),
      ]);
      assert.equal(opened.length, 2);
      const { insight } = only(closed);
      assert.match(insight.summary, /^This insight goes on as part of an older one\. /);
    });

    it('have a root cause when services call each other in a ring', () => {
      const ring = (faults: number): Minute => ({
        a: { requests: 60, faults, calls: ['b'], entry: true },
        b: { requests: 60, faults, calls: ['a'] },
      });
      const { opened, changes } = play([...repeat(60, ring(0)), ...repeat(5, ring(60))]);
      only(opened);
      assert.deepEqual(changes, ['opened', 'doubled', 'doubled']);
    });

    it('show the services with all that leads to them', () => {
      const { insight } = only(play([...repeat(60, normal), chain({ table: 0, price: 60, shop: 0 })]).opened);
      const minute = { ...normal, other: { requests: 9 } };
      const services = toImpactServicesAnswer(graphOf(minute), insight);
      const edges = services.flatMap(({ Name, Type, Edges }) =>
        Edges.map(({ ReferenceId }) => `${Name}${Type ? ` (${Type})` : ''} -> ${services[ReferenceId]?.Name}`),
      );
      assert.deepEqual(edges.toSorted(), ['shop (client) -> shop', 'shop -> price']);
      assert.deepEqual(
        services.map(({ ReferenceId }) => ReferenceId),
        [0, 1, 2],
      );
    });
  });

  describe('in their summaries', () => {
    const played = play([
      ...repeat(60, { 'shop.example': { requests: 60 } }),
      ...repeat(5, { 'shop.example': { requests: 60, faults: 30 } }),
      ...repeat(9, { 'shop.example': { requests: 60 } }),
    ]);

    it('say what happens while it happens', () => {
      assert.equal(
        only(played.opened).insight.summary,
        'More requests than usual end in a fault. Since 2023-03-28 11:40 UTC 30 of 60 requests to the root cause service ended in a fault, where less than 1 % do so usually. The root cause is shop.example. Of the requests of clients that may lead there, 30 of 60 ended in a fault.',
      );
    });

    it('say what happened in the second sentence, which ends at the second full stop', () => {
      const { summary } = only(played.closed).insight;
      assert.equal(
        summary.split('.')[1],
        ' From 2023-03-28 11:40 UTC to 2023-03-28 11:45 UTC 150 of 300 requests to the root cause service ended in a fault, where less than 1 % do so usually',
      );
    });
  });

  it('have the form of a UUID as their id, the same whoever finds them', () => {
    const days = [...quiet(60), ...repeat(4, { shop: { requests: 60, faults: 60 } })];
    const { insight } = only(play(days).opened);
    assert.match(insight.id, /^[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.equal(only(play(days).opened).insight.id, insight.id);
  });

  it('are closed when their group is no longer watched', () => {
    const { watch } = play([...quiet(60), ...repeat(4, { shop: { requests: 60, faults: 60 } })]);
    const [insight] = abandonWatch(watch);
    assert.equal(insight?.endMinute, start + 64);
    assert.equal(insight?.events.at(-1)?.change, 'closed');
  });

  it('go on from what was kept as JSON', () => {
    const before = play([...quiet(60), ...repeat(4, { shop: { requests: 60, faults: 60 } })]).watch;
    const kept: Watch = JSON.parse(JSON.stringify(before));
    const next = { minute: start + 64, graphs: [], group };
    assert.deepEqual(
      JSON.parse(JSON.stringify(watchMinute(kept, next))),
      JSON.parse(JSON.stringify(watchMinute(before, next))),
    );
  });

  it('of any traffic add up, stay within their bounds and end', () => {
    const names = ['a', 'b', 'c', 'd', 'e', '__proto__'];
    const traffic = fc.record({
      requests: fc.nat(50),
      share: fc.constantFrom(0, 0, 0.1, 0.5, 1),
      calls: fc.subarray([...names, '>a', '>b']),
      entry: fc.boolean(),
    });
    const minute = fc.dictionary(fc.constantFrom(...names), traffic, { maxKeys: 6 });
    fc.assert(
      fc.property(fc.array(minute, { minLength: 1, maxLength: 40 }), (minutes) => {
        const played = play([
          ...minutes.map((one) =>
            Object.fromEntries(
              Object.entries(one).map(([name, { share, ...rest }]) => [
                name,
                { ...rest, faults: Math.floor(rest.requests * share) },
              ]),
            ),
          ),
          ...repeat(windowMinutes, {}),
        ]);
        assert.equal(played.closed.length, played.opened.length);
        for (const { insight } of [...played.opened, ...played.closed]) check(insight);
      }),
      fuzzing(100),
    );
  });
});

function check(insight: Insight): void {
  for (const { okCount, faultCount, totalCount } of [
    insight.clientRequests,
    insight.rootCauseRequests,
    ...insight.events.flatMap(({ clientRequests, rootCauseRequests }) => [clientRequests, rootCauseRequests]),
  ]) {
    assert.ok(okCount >= 0 && faultCount >= 0 && okCount + faultCount <= totalCount);
  }
  assert.ok(insight.rootCauseRequests.faultCount > 0);
  assert.ok(insight.startMinute < (insight.endMinute ?? Infinity));
  assert.ok(insight.services.some(({ name }) => name === insight.rootCause.name));
  assert.ok(insight.events.length >= 1 && insight.events.length <= insightEventsMax);
  assert.ok(insight.summary.split('.').length > 2);
}

interface Played {
  readonly opened: readonly { readonly minute: number; readonly insight: Insight }[];
  readonly closed: Played['opened'];
  readonly changes: readonly string[];
  readonly watch: Watch;
}

/** Watches minute after minute; `late` is what a minute turns out to hold when it is looked at again. */
function play(
  minutes: readonly Minute[],
  late: (minute: number, now: number) => Minute | undefined = () => undefined,
): Played {
  let watch = newWatch(start - 1);
  const opened: { minute: number; insight: Insight }[] = [];
  const closed: typeof opened = [];
  const all: string[] = [];
  for (let index = 0; index < minutes.length; index += 1) {
    const now = start + index;
    const graphs = minutes
      .slice(Math.max(0, index - windowMinutes + 1), index + 1)
      .map((traffic, place, { length }): MinuteGraph => {
        const minute = now - length + 1 + place;
        return { minute, graph: graphOf(late(minute, now) ?? traffic) };
      });
    const { watch: next, changes } = watchMinute(watch, { minute: now, graphs, group });
    watch = next;
    for (const { insight, event } of changes) {
      all.push(event.change);
      if (event.change === 'opened') opened.push({ minute: now, insight });
      if (event.change === 'closed') closed.push({ minute: now, insight });
    }
  }
  return { opened, closed, changes: all, watch };
}

function only(found: Played['opened']): Played['opened'][number] {
  assert.equal(found.length, 1);
  return found[0] ?? assert.fail();
}

function repeat(count: number, minute: Minute): readonly Minute[] {
  return Array.from({ length: count }, () => minute);
}

function quiet(count: number): readonly Minute[] {
  return repeat(count, { shop: { requests: 60 } });
}

/** The shop calls the price service, which asks a table; 60 requests each. */
function chain({ table, price, shop }: Record<'table' | 'price' | 'shop', number>): Minute {
  return {
    shop: { requests: 60, faults: shop, calls: ['price'] },
    price: { requests: 60, faults: price, calls: ['table'] },
    table: { requests: 60, faults: table },
  };
}

function counts(totalCount: number, faultCount: number): RequestCounts {
  return { okCount: totalCount - faultCount, faultCount, totalCount };
}

/** A client stands before each node that no other calls. */
function graphOf(minute: Minute): ServiceGraph {
  const traffic = Object.entries(minute);
  const called = new Set(traffic.flatMap(([, { calls = [] }]) => calls));
  const entries = traffic.filter(([name, { entry }]) => entry ?? !called.has(name));
  const ids = new Map(traffic.map(([name], index) => [name, index]));
  const times = { startTimeNs: 0n, endTimeNs: 0n, durationHistogram: [], responseTimeHistogram: [] };
  const edgeTo = (name: string, type: ServiceEdge['type']): readonly ServiceEdge[] => {
    const referenceId = ids.get(name);
    const callee = referenceId === undefined ? undefined : traffic[referenceId]?.[1];
    if (referenceId === undefined || !callee) return [];
    return [{ ...times, referenceId, type, statistics: toStatistics(callee), receivedEventAgeHistogram: [] }];
  };
  return {
    nodes: [
      ...traffic.map(([name, node], referenceId) => ({
        ...times,
        referenceId,
        service: { name, type: undefined, accountId: undefined },
        root: false,
        state: 'active' as const,
        edges: (node.calls ?? []).flatMap((call) =>
          call.startsWith('>') ? edgeTo(call.slice(1), 'link') : edgeTo(call, 'call'),
        ),
        statistics: toStatistics(node),
      })),
      ...entries.map(([name], index) => ({
        ...times,
        referenceId: traffic.length + index,
        service: { name, type: 'client', accountId: undefined },
        root: false,
        state: 'unknown' as const,
        edges: edgeTo(name, 'call'),
        statistics: undefined,
      })),
    ],
  };
}

function toStatistics({ requests, faults = 0, errors = 0 }: Traffic): ServiceStatistics {
  return {
    okCount: requests - faults - errors,
    faultCount: faults,
    errorCount: errors,
    throttleCount: 0,
    totalResponseTime: 0,
  };
}

/** Numbers from 0 to 1, the same for the same seed (xorshift32). */
function randomFrom(seed: number): () => number {
  let state = seed * 2_654_435_761 + 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** How many of so many happen: exact for few, the normal approximation for many. */
function draw(random: () => number, count: number, rate: number): number {
  if (count <= 1000) return Array.from({ length: count }, random).filter((value) => value < rate).length;
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return Math.max(0, Math.round(count * rate + normal * Math.sqrt(count * rate * (1 - rate))));
}
