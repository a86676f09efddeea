import { readFileSync } from 'node:fs';
import { rootPath } from './root.ts';

/** The repository's sample segment documents, by name. */
export const sampleNames = [
  'awsValidAwsFields',
  'indepSubsegment',
  'indepSubsegmentWithLocalNamespace',
  'indepSubsegmentWithSql',
  'minCauseIsExceptionId',
  'minCauseIsInvalid',
  'minInProgress',
  'segmentWithParentId',
] as const;

/** Recorded answers of BatchGetTraces, by name. */
export const recordedNames = ['batchgettraces', 'sqs-segment-child'] as const;

export type SampleName = (typeof sampleNames)[number];

export type RecordedName = (typeof recordedNames)[number];

export interface RecordedTrace {
  /** An X-Ray trace id. */
  readonly id: string;
  /** Segment documents. */
  readonly documents: readonly string[];
}

export function readSample(name: SampleName): string {
  return readFileSync(rootPath('test/fixtures/xray-segments', `${name}.txt`), 'utf8');
}

export function readRecorded(name: RecordedName): readonly RecordedTrace[] {
  const answer: { Traces: { Id: string; Segments: { Document: string }[] }[] } = JSON.parse(
    readFileSync(rootPath('test/fixtures/xray-segments', `${name}.json`), 'utf8'),
  );
  return answer.Traces.map(({ Id, Segments }) => ({ id: Id, documents: Segments.map(({ Document }) => Document) }));
}
