import type { Span } from '../../model/index.ts';
import { SpanKind } from '../../model/index.ts';
import type { DocumentPolicy } from '../policy.ts';
import { isCollectorSegment, writeCollectorDocument, writeDependency, writeServiceSegment } from './document.ts';
import { isLocalRoot } from '../identity.ts';

/** The documents that the OpenTelemetry Collector's exporter makes; see docs/collector-compatibility.md. */
export const collectorPolicy: DocumentPolicy = {
  formOf,
  writeDocument: writeCollectorDocument,
  writeCall: writeDependency,
  writeService: writeServiceSegment,
};

function formOf(span: Span): 'segment' | 'subsegment' | 'split' {
  const { kind } = span;
  if (isLocalRoot(span)) return kind === SpanKind.server || kind === SpanKind.internal ? 'segment' : 'split';
  return isCollectorSegment(span) ? 'segment' : 'subsegment';
}
