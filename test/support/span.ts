import { emptyResource, emptyScope, type Span, SpanKind } from '../../src/model/index.ts';

/** A root of one second without attributes, events and links; a test names the members that it is about. */
export function testSpan(members: Partial<Span> = {}): Span {
  return {
    traceId: '5759e988bd862e3fe1be46a994272793',
    spanId: '53995c3f42cd8ad8',
    parentSpanId: undefined,
    traceState: '',
    flags: 0,
    name: 'GET /',
    kind: SpanKind.server,
    startTimeNs: 1_700_000_000_000_000_000n,
    endTimeNs: 1_700_000_001_000_000_000n,
    attributes: new Map(),
    droppedAttributesCount: 0,
    events: [],
    droppedEventsCount: 0,
    links: [],
    droppedLinksCount: 0,
    status: { code: 0, message: '' },
    resource: emptyResource,
    scope: emptyScope,
    ...members,
  };
}

let rootsMade = 0;

/** A root of half a second in a trace of its own, of the service `shop`; its id holds no time, so it is listed by its own. */
export function rootAt(startTimeNs: bigint, members: Partial<Span> = {}): Span {
  rootsMade += 1;
  return testSpan({
    traceId: `f${rootsMade.toString(16).padStart(31, '0')}`,
    spanId: rootsMade.toString(16).padStart(16, '0'),
    startTimeNs,
    endTimeNs: startTimeNs + 500_000_000n,
    resource: resourceOf('shop'),
    ...members,
  });
}

/** With nothing but the name of its service. */
export function resourceOf(service: string): Span['resource'] {
  return { ...emptyResource, attributes: new Map([['service.name', service]]) };
}
