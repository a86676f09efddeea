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
