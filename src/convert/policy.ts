import type { JsonObject, Span } from '../model/index.ts';
import type { AnnotationIndex } from './annotations.ts';
import type { JsonText } from './section.ts';

/**
 * Whose documents a span becomes. `auto`: ours, a segment where a span opens a service, with a
 * dependency split off where it is a call. Any other: those that another program would make, such as
 * `collectorPolicy` of `raybridge/collector`; a value, so that who does not want it does not load it.
 */
export type SegmentPolicy = 'auto' | DocumentPolicy;

export interface DocumentPolicy {
  /** `split` means two documents: a segment for the calling service and a subsegment for its call. */
  readonly formOf: (span: Span) => 'segment' | 'subsegment' | 'split';
  /** The one document of a span that is not split. */
  readonly writeDocument: (span: Span, plan: PolicyPlan) => PolicyDocument;
  /** The call of a span that is split; its parent is the segment of the service. It comes first. */
  readonly writeCall: (span: Span, plan: PolicyPlan) => PolicyDocument;
  /** The segment of the service that makes the call. */
  readonly writeService: (span: Span, serviceId: string, plan: PolicyPlan) => JsonObject;
}

export interface PolicyPlan {
  readonly rules: { readonly annotations: AnnotationIndex };
  readonly json: JsonText;
}

export interface PolicyDocument {
  readonly document: JsonObject;
  /** Annotation key → attribute key, where they differ. */
  readonly renames: ReadonlyMap<string, string>;
  /** Ids of the exceptions in `cause`, by place of their event. */
  readonly exceptionIds: ReadonlyMap<number, string>;
}
