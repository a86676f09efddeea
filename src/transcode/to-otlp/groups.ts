import { writeResource, writeScope } from '../../codec/otlp-proto.ts';
import { RangeWriter } from './range-writer.ts';
import { sameResource, sameScope } from '../../convert/equality.ts';
import { Pool } from '../../convert/pool.ts';
import type { Resource, Scope } from '../../model/index.ts';

/**
 * Encoded spans by resource and scope, as `groupSpans` of `codec/otlp.ts` groups those that
 * `toSpans` gives: in order of first appearance. The spans themselves stay where they were written
 * until all are known; only their places are noted.
 */

interface ScopeGroup {
  readonly scope: Scope;
  /** Start and end of each run of spans. */
  readonly runs: number[];
}

interface ResourceGroup {
  readonly resource: Resource;
  readonly scopes: Map<Scope, ScopeGroup>;
}

export class SpanGroups {
  private readonly resources = new Pool<Resource>(sameResource);
  private readonly scopes = new Pool<Scope>(sameScope);
  private readonly groups = new Map<Resource, ResourceGroup>();
  private lastResource: Resource | undefined;
  private lastScope: Scope | undefined;
  private lastRuns: number[] = [];

  /** There were more resources or scopes than are compared. */
  get isCrowded(): boolean {
    return this.resources.isCrowded || this.scopes.isCrowded;
  }

  /** Notes the span that stands in `[start, end)` of the writer, as field `spans` of ScopeSpans. */
  add(resource: Resource, scope: Scope, start: number, end: number): void {
    if (resource !== this.lastResource || scope !== this.lastScope) {
      this.lastResource = resource;
      this.lastScope = scope;
      this.lastRuns = this.runsOf(this.resources.find(resource), this.scopes.find(scope));
    }
    const { lastRuns } = this;
    if (lastRuns.at(-1) === start) lastRuns[lastRuns.length - 1] = end;
    else lastRuns.push(start, end);
  }

  /** The ExportTraceServiceRequest of all spans, which stand in `written`. */
  encode(written: RangeWriter): Uint8Array {
    const spans = new Uint8Array(written.buffer.buffer);
    const writer = new RangeWriter(written.length + headBytes * (1 + this.groups.size));
    for (const { resource, scopes } of this.groups.values()) {
      const mark = writer.begin(0x0a, groupLengthBytes);
      writeResource(writer, resource);
      for (const { scope, runs } of scopes.values()) writeScopeSpans(writer, { scope, runs }, spans);
      if (resource.schemaUrl !== '') writer.textField(0x1a, resource.schemaUrl);
      writer.end(mark, groupLengthBytes);
    }
    return writer.finish();
  }

  private runsOf(resource: Resource, scope: Scope): number[] {
    const group = this.groups.get(resource) ?? { resource, scopes: new Map<Scope, ScopeGroup>() };
    this.groups.set(resource, group);
    const inner = group.scopes.get(scope) ?? { scope, runs: [] };
    group.scopes.set(scope, inner);
    return inner.runs;
  }
}

/** Usual size of the length of a ResourceSpans and of a ScopeSpans. */
const groupLengthBytes = 3;
/** About what a resource and its scopes take. */
const headBytes = 1024;

function writeScopeSpans(writer: RangeWriter, { scope, runs }: ScopeGroup, spans: Uint8Array): void {
  const mark = writer.begin(0x12, groupLengthBytes);
  writeScope(writer, scope);
  for (let i = 0; i < runs.length; i += 2) writer.copy(spans, runs[i] ?? 0, runs[i + 1] ?? 0);
  if (scope.schemaUrl !== '') writer.textField(0x1a, scope.schemaUrl);
  writer.end(mark, groupLengthBytes);
}
